"""Activities of settling: find out what became of an effect that nobody knows about, record it once, tell the run.

The connector is asked first; a person's word counts only where the connector cannot say. Whoever is first settles it:
the effect's row changes from unknown to its outcome once, in the transaction that writes the ledger, and everybody else
is told what it was.
"""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.client import Client, RPCError
from temporalio.service import RPCStatusCode

from assent.domain.actions import ActionStatus, advance
from assent.domain.effects import EffectStatus, Performed
from assent.domain.people import SYSTEM
from assent.domain.ports import (
    ACTIVITY_RECONCILE_EFFECT,
    ACTIVITY_RETRY_EFFECT,
    ACTIVITY_SETTLE_EFFECT,
    ACTIVITY_TELL_RUN,
)
from assent.domain.settling import EffectSettled, Reconcile, Reconciled, RetryEffect, Settlement
from assent.store import claims, ledger, projection, questions
from assent.store.questions import Untold
from assent.store.tables import ActionRow, EffectRow, RunRow, UnknownEffectRow
from assent_activities.connectors import Attesting, Call, ConnectorUnavailable, Operation
from assent_activities.dependencies import Dependencies
from assent_activities.finding_out import ask_people
from assent_activities.outcomes import spoken
from assent_activities.settling_records import SettlingRecords, standing

log = logging.getLogger(__name__)

AT_ONCE = 20
"""Questions that one worker asks about, and runs that it tells, in one turn."""


class Settling:
    """Settles unknown effects.

    Args:
        dependencies: Shared by all activities.
        client: To tell runs.
    """

    def __init__(self, dependencies: Dependencies, client: Client) -> None:
        self._deps = dependencies
        self._client = client
        self._records = SettlingRecords(dependencies)

    @activity.defn(name=ACTIVITY_RECONCILE_EFFECT, no_thread_cancel_exception=True)
    def reconcile(self, request: Reconcile) -> Reconciled:
        """Ask the connector what became of an unknown effect, and settle it if it can say.

        Returns:
            What is known now; still unknown with what the connector said.
        """
        with self._deps.database.read() as session:
            row = projection.read_action(session, request.action_id)
            if row is None or not _is_unknown(session, request.action_id):
                return standing(session, request.action_id)
        operation = self._deps.registry.get(row.type)
        found, said = _asked(operation, _call(row), row.type)
        if isinstance(found, Performed):
            settled = self._records.conclude(row.action_id, found, EffectStatus.DONE, said, request.by)
        elif found is False:
            settled = self._records.conclude(row.action_id, Performed(), EffectStatus.FAILED, said, request.by)
        else:
            settled = self._deps.database.together(lambda session: self._heard(session, request, said))
        return settled

    @activity.defn(name=ACTIVITY_SETTLE_EFFECT, no_thread_cancel_exception=True)
    def settle(self, request: Settlement) -> Reconciled:
        """Record what a person found out, unless it is settled already.

        Returns:
            What is known now; ``settled`` is false if somebody or the connector was quicker.
        """
        with self._deps.database.read() as session:
            row = projection.read_action(session, request.action_id)
            if row is None or not _is_unknown(session, request.action_id):
                return standing(session, request.action_id)
        if not request.happened:
            return self._records.conclude(row.action_id, Performed(), EffectStatus.FAILED, "", request.by, request)
        performed = self._attested(row, request)
        return self._records.conclude(row.action_id, performed, EffectStatus.DONE, "", request.by, request)

    @activity.defn(name=ACTIVITY_RETRY_EFFECT, no_thread_cancel_exception=True)
    def retry(self, request: RetryEffect) -> Reconciled:
        """Open an action again of which it is settled that it did not happen; its run takes it through admission."""

        def write(session: Session) -> Reconciled:
            now = self._deps.clock()
            row = projection.read_action(session, request.action_id, for_update=True)
            question = session.get(UnknownEffectRow, request.action_id)
            refused = _why_not_retry(session, row, question)
            if refused or row is None or not claims.withdraw(session, request.action_id):
                why = refused or "It changed in this moment."
                return Reconciled(action_id=request.action_id, status=None, refused=why)
            row.status = advance(ActionStatus(row.status), ActionStatus.HELD).value
            row.message, row.settled_at = f"{request.by.name} has it tried again.", None
            session.flush()
            questions.moved(session, row.action_id, was=ActionStatus.FAILED, now=ActionStatus.HELD, at=now)
            ledger.append_of(session, row, "effect.retried", {"message": row.message}, at=now, actor=request.by)
            projection.show_step(session, row.run_id, f"{row.sentence}: tried again", at=now)
            return Reconciled(action_id=row.action_id, status=None, settled=True, said=row.message)

        return self._deps.database.together(write)

    @activity.defn(name=ACTIVITY_TELL_RUN)
    async def tell(self, request: Reconcile) -> None:
        """Tell the run of an action what became of it; one that has ended needs nothing."""
        await self.tell_runs(action_id=request.action_id)

    async def tell_runs(self, *, action_id: str | None = None) -> int:
        """Tell runs what they were not told yet, of one action or of :data:`AT_ONCE`; gives how many."""

        def look() -> list[Untold]:
            with self._deps.database.read() as session:
                return list(questions.untold(session, limit=AT_ONCE, action_id=action_id))

        answers = await asyncio.to_thread(look)
        for answer in answers:
            await self._tell(answer)
        return len(answers)

    def look_due(self) -> int:
        """Ask connectors about the questions whose time has come; gives how many were asked.

        The first time that a connector cannot say, people are asked.
        """
        with self._deps.database.read() as session:
            found = questions.due(session, at=self._deps.clock(), limit=AT_ONCE)
        taken = 0
        for each in found:
            with self._deps.database.write() as session:
                mine = questions.take(session, each, at=self._deps.clock())
            if mine:
                taken += 1
                self.reconcile(Reconcile(action_id=each.action_id, by=SYSTEM))
        return taken

    async def _tell(self, answer: Untold) -> None:
        message = EffectSettled(
            id=f"settled:{answer.action_id}:{answer.now}:{answer.at.isoformat()}",
            key=answer.action_id.removeprefix(f"{answer.run_id}:"),
            was=answer.was,
            now=answer.now,
            at=answer.at,
        )
        try:
            await self._client.get_workflow_handle(answer.run_id).signal("settled", message)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

        def write() -> None:
            with self._deps.database.write() as session:
                questions.told(session, answer)

        await asyncio.to_thread(write)

    def _heard(self, session: Session, request: Reconcile, said: str) -> Reconciled:
        """Write down that the connector could not say; the first time, people are asked."""
        now = self._deps.clock()
        if not _is_unknown(session, request.action_id):
            return standing(session, request.action_id)
        row = projection.read_action(session, request.action_id)
        assert row is not None
        questions.heard(session, request.action_id, said=said, at=now)
        ledger.append_of(session, row, "effect.asked", {"said": said}, at=now, actor=request.by)
        ask_people(session, self._deps, row, said=said, at=now)
        return Reconciled(action_id=request.action_id, status=EffectStatus.UNKNOWN, said=said)

    def _attested(self, row: ActionRow, request: Settlement) -> Performed:
        """What a person attests, as far as the connector can add to it what undoing needs."""
        operation = self._deps.registry.get(row.type)
        known = Performed(changes=request.changes)
        if not isinstance(operation, Attesting):
            return known
        try:
            found = operation.attested(_call(row), request.reference)
        except Exception:
            log.exception("The connector could add nothing to what was found out of %s.", row.action_id)
            return known
        if found is None:
            return known
        return found if not request.changes else found.model_copy(update={"changes": request.changes})


def _is_unknown(session: Session, action_id: str) -> bool:
    row = session.get(EffectRow, action_id, populate_existing=True)
    return row is not None and row.status == EffectStatus.UNKNOWN.value


def _asked(operation: Operation | None, call: Call, type: str) -> tuple[Performed | bool | None, str]:
    """What the connector answers, and how it says it."""
    if operation is None:
        return None, f"No connector of this worker offers {type}."
    try:
        found = operation.lookup(call)
    except ConnectorUnavailable as error:
        return None, f"The system could not be asked: {spoken(error)}"
    except Exception as error:
        log.exception("Asking about the action %s broke off.", call.key)
        return None, f"Asking the system broke off: {type_name(error)}: {spoken(error)}"
    if isinstance(found, Performed):
        return found, "The system says that it happened."
    if found is False:
        return False, "The system says that it did not happen."
    return None, "The system cannot say whether it happened."


def type_name(error: Exception) -> str:
    """The name of an error's class."""
    return type(error).__name__


def _call(row: ActionRow) -> Call:
    return Call(key=row.action_id, arguments=row.arguments, agent=row.agent, run_id=row.run_id)


def _why_not_retry(session: Session, row: ActionRow | None, question: UnknownEffectRow | None) -> str:
    """Why an action is not tried again; empty if it can be."""
    if row is None or question is None:
        return "It was never unknown: an action that failed is proposed again by its agent."
    if question.settled_at is None:
        return "Nobody knows yet whether it happened; find out first."
    if question.happened or row.status != ActionStatus.FAILED.value:
        return f"It is {row.status}: only what did not happen is tried again."
    run = session.get(RunRow, row.run_id)
    if run is None or run.ended_at is not None:
        return "Its run has ended. Start a new run and propose it there."
    return ""

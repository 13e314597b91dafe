"""Settling effects that nobody knows about: asking the connector, a person's answer, and trying again."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy.orm import Session
from temporalio.client import RPCTimeoutOrCancelledError, WorkflowFailureError

from assent.domain.actions import ActionStatus
from assent.domain.canonical import stable_text
from assent.domain.effects import EffectStatus, ResourceChange
from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, TooLarge, Unavailable
from assent.domain.people import Actor, Role, Via
from assent.domain.ports import Queue, WorkflowName
from assent.domain.settling import Reconcile, Reconciled, RetryEffect, Settlement, SettlingRequest
from assent.domain.voting import Authority, is_one
from assent.gateway.cards import card_in_force
from assent.gateway.door import PROPOSE_TIMEOUT, Door, cause
from assent.gateway.refusing import refusals_kept
from assent.policy.approving import tokens
from assent.store import electorate, people
from assent.store.tables import ActionRow, EffectRow

MAX_CHANGES_BYTES = 256 * 1024
"""Bytes of the records that a person names as changed, with what they held: as much as an action's own result."""

_MAX_RECORD = 200
"""Characters of a record's name."""

_ANYBODY = f"role:{Role.APPROVER.value}"
"""Who decides where a card does not say it."""


class SettleDoor(Door):
    """What people come through who find out what became of an effect."""

    async def reconcile(self, action_id: str, *, by: Actor) -> Reconciled:
        """Ask the connector what became of an unknown effect.

        Returns:
            What is known now: done or failed, or still unknown with what the connector said. One that is settled
            already is left as it is.

        Raises:
            NotFound: There is no such action, or it had no effect.
            Forbidden: This person may not find out about it.
            Unavailable: Temporal, the database or every worker is away; nothing was changed.
        """
        await self._in_thread(lambda: self._require_settler(action_id, by))
        return await self._settling(SettlingRequest(reconcile=Reconcile(action_id=action_id, by=by)))

    async def settle_effect(
        self,
        action_id: str,
        *,
        by: Actor,
        happened: bool,
        note: str,
        reference: str = "",
        changes: Sequence[ResourceChange] = (),
    ) -> EffectStatus:
        """Say what became of an unknown effect. The connector is asked once more first.

        Args:
            action_id: The action.
            by: The person.
            happened: Whether it happened.
            note: How they found out; the agent is told.
            reference: What the other system calls it.
            changes: Records it changed, as far as known.

        Returns:
            Done or failed.

        Raises:
            NotFound: There is no such action, or it had no effect.
            InvalidInput: There is no note, a record has no usable name, or something is too long.
            TooLarge: The records are too large.
            Forbidden: This person may not settle it.
            Conflict: It is settled already: by the connector just now, or by somebody who was quicker. Nothing was
                changed.
            Unavailable: Temporal, the database or every worker is away.
        """
        settlement = _settlement(action_id, by, happened, note, reference, changes)

        def check() -> None:
            kept = {"action": action_id, "happened": happened}
            with refusals_kept(self._refusals, "effect.settle_refused", by, kept):
                self._require_settler(action_id, by)
                self._require_unknown(action_id)

        await self._in_thread(check)
        done = await self._settling(SettlingRequest(settlement=settlement))
        wanted = EffectStatus.DONE if happened else EffectStatus.FAILED
        if done.status is None or done.refused:
            raise Conflict(done.refused or "The effect is gone: it is tried again.", where="effect")
        if not done.settled or done.status is not wanted:
            raise Conflict(
                f"It was settled before your answer counted: {done.said}",
                where="effect",
                todo="Nothing was changed by your answer. Look at what the effect is now.",
            )
        return done.status

    async def retry_effect(self, action_id: str, *, by: Actor) -> None:
        """Have an action tried again of which it is settled that it did not happen.

        It goes through admission again as the card is now, with the same key, so that a person who must approve it
        has done so still, and a limit that is used up holds it back.

        Raises:
            NotFound: There is no such action.
            Forbidden: This person may not settle it.
            Conflict: It may have happened, or its run has ended.
            Unavailable: Temporal, the database or every worker is away; nothing was changed.
        """
        await self._in_thread(lambda: self._require_settler(action_id, by, gone=True))
        done = await self._settling(SettlingRequest(retry=RetryEffect(action_id=action_id, by=by)))
        if done.refused:
            raise Conflict(done.refused, where="effect", todo="Nothing was changed.")

    def why_not_settle(self, session: Session, person_id: str, agent: str, type: str, at: datetime) -> str:
        """Why somebody may not settle effects of this type, one sentence; empty if they may.

        Operators may, and whoever the card asks to approve the type.
        """
        person = people.one(session, person_id)
        if person is None or person.disabled:
            return "Nobody of this id is known here."
        if person.may(Role.OPERATOR):
            return ""
        voter = electorate.voter(session, person_id, at)
        if voter is not None and voter.able and self._decides(session, voter.authorities, agent, type):
            return ""
        return f"{person.name} is neither an operator nor among those who approve {type}."

    def _decides(self, session: Session, authorities: Sequence[Authority], agent: str, type: str) -> bool:
        try:
            card = card_in_force(session, agent).card
        except NotFound:
            return False
        if type not in card.actions:
            return False
        asked = [tokens(card, need.of).token for need in card.approving(type).need] or [_ANYBODY]
        return any(is_one(token, each) for token in asked for each in authorities)

    def _require_settler(self, action_id: str, by: Actor, *, gone: bool = False) -> None:
        """Refuse what is not there, and whoever may not settle it; the console may, as it has the database."""
        with self._database.read() as session:
            row = session.get(ActionRow, action_id)
            if row is None or (not gone and session.get(EffectRow, action_id) is None):
                raise NotFound(
                    f"There is no effect of an action {action_id}.",
                    where="effect",
                    todo="`assent effect list` shows those that are unknown.",
                )
            if by.via is Via.CLI:
                return
            if why_not := self.why_not_settle(session, by.id, row.agent, row.type, self._clock()):
                raise Forbidden(why_not, where="effect", todo="Ask an operator, or one of the approvers.")

    def _require_unknown(self, action_id: str) -> None:
        with self._database.read() as session:
            row = session.get(EffectRow, action_id)
            if row is None or row.status == EffectStatus.UNKNOWN.value:
                return
            if row.status == EffectStatus.CLAIMED.value:
                raise Conflict("It is still running.", where="effect", todo="Wait for what it says of itself.")
            word = ActionStatus(row.status).value
            raise Conflict(
                f"It is {word} already: {row.message or 'the system said so'}",
                where="effect",
                todo="Nothing was changed.",
            )

    async def _settling(self, request: SettlingRequest) -> Reconciled:
        async with self._temporal() as client:
            try:
                done: Reconciled = await asyncio.wait_for(
                    client.execute_workflow(
                        WorkflowName.SETTLING,
                        request,
                        id=f"settling-{uuid.uuid4().hex}",
                        task_queue=Queue.CONTROL.under(self._prefix),
                        result_type=Reconciled,
                    ),
                    PROPOSE_TIMEOUT.total_seconds(),
                )
            except (TimeoutError, RPCTimeoutOrCancelledError) as error:
                raise Unavailable(
                    "No worker answered in time.",
                    where="effect",
                    todo="Look at the effect again: the answer counts as soon as a worker is there.",
                ) from error
            except WorkflowFailureError as error:
                raise Unavailable(f"It failed: {cause(error)}", where="effect", todo="Try again.") from error
        return done


def _settlement(
    action_id: str, by: Actor, happened: bool, note: str, reference: str, changes: Sequence[ResourceChange]
) -> Settlement:
    if not note.strip():
        raise InvalidInput(
            "Say how you found out.", where="note", todo="A sentence is enough; the agent and the ledger get it."
        )
    if happened:
        _require_records(changes)
    try:
        return Settlement(
            id=uuid.uuid4().hex,
            action_id=action_id,
            by=by,
            happened=happened,
            note=note.strip(),
            reference=reference.strip() if happened else "",
            changes=list(changes) if happened else [],
        )
    except ValidationError as error:
        fault = error.errors()[0]
        raise InvalidInput(f"{fault['msg']}.", where=".".join(str(part) for part in fault["loc"])) from error


def _require_records(changes: Sequence[ResourceChange]) -> None:
    """Refuse records that nobody could find again, or that are too much to keep.

    Raises:
        InvalidInput: A name is empty, too long or no text.
        TooLarge: All of them are too large.
    """
    for change in changes:
        name = change.resource
        if not 0 < len(name.strip()) <= len(name) <= _MAX_RECORD or not name.isprintable():
            raise InvalidInput(
                f"A record's name is a line of 1 to {_MAX_RECORD} characters.",
                where="changes",
                todo="Name it as Assent does, shop/orders/W1.",
            )
    size = sum(len(stable_text(change.model_dump(mode="json")).encode("utf-8", "replace")) for change in changes)
    if size > MAX_CHANGES_BYTES:
        raise TooLarge(f"The records have {size:,} bytes; at most {MAX_CHANGES_BYTES:,} are kept.", where="changes")

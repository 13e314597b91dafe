"""Activities of rollbacks: preview, stop the run, undo in batches, finish."""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import timedelta

from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.client import Client, RPCError
from temporalio.service import RPCStatusCode

from assent.domain.actions import ActionStatus
from assent.domain.catalogue import changes_without_secrets
from assent.domain.effects import Performed, UndoStatus
from assent.domain.errors import Conflict
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import SYSTEM, Actor
from assent.domain.ports import (
    ACTIVITY_FINISH_ROLLBACK,
    ACTIVITY_PREVIEW_ROLLBACK,
    ACTIVITY_START_ROLLBACK,
    ACTIVITY_STOP_RUN,
    ACTIVITY_UNDO,
    FinishRollback,
    RollbackCount,
    StopRun,
    UndoBatch,
    UndoProgress,
)
from assent.domain.rollbacks import RollbackRequest, RollbackScope, RollbackStatus, Undoable, UndoStep
from assent.domain.runs import EndRun
from assent.store import ledger, pauses, projection, undos
from assent.store.undos import Effect
from assent_activities.connectors import ActionFailed, ConnectorUnavailable, UndoConflict
from assent_activities.dependencies import Dependencies
from assent_activities.retrying import MAX_ATTEMPTS, try_again
from assent_activities.rollback_preview import RollbackPreview, undo_call

log = logging.getLogger(__name__)

BATCH = 20
"""Undos in one activity."""

_LEASE = timedelta(seconds=60)
_SOON = timedelta(milliseconds=200)
_KEEP_PREVIEWS = timedelta(days=1)
_EVENTS = {
    UndoStatus.UNDONE: "undo.done",
    UndoStatus.CONFLICT: "undo.conflict",
    UndoStatus.IMPOSSIBLE: "undo.impossible",
    UndoStatus.FAILED: "undo.failed",
    UndoStatus.UNKNOWN: "undo.unknown",
}


class RollbackActivities:
    """Takes effects back.

    Args:
        dependencies: Shared by all activities.
        client: To stop a run before it is rolled back.
    """

    def __init__(self, dependencies: Dependencies, client: Client) -> None:
        self._deps = dependencies
        self._client = client

    @activity.defn(name=ACTIVITY_PREVIEW_ROLLBACK)
    def preview(self, request: RollbackRequest) -> RollbackCount:
        """Write what a rollback would do; previews are kept for a day."""
        steps = self._look(request)
        with self._deps.database.write() as session:
            now = self._deps.clock()
            undos.forget_old_previews(session, before=now - _KEEP_PREVIEWS)
            undos.write_rollback(session, request, steps, status=RollbackStatus.PREVIEW, at=now)
        return _count(request.rollback_id, steps)

    @activity.defn(name=ACTIVITY_START_ROLLBACK)
    def start(self, request: RollbackRequest) -> RollbackCount:
        """Write the steps of a rollback; once written they stay."""
        steps = self._look(request)
        with self._deps.database.write() as session:
            now = self._deps.clock()
            if undos.write_rollback(session, request, steps, status=RollbackStatus.RUNNING, at=now):
                body: dict[str, object] = {
                    "rollback": request.rollback_id,
                    "scope": request.scope.model_dump(mode="json"),
                    "reason": request.reason,
                    "effects": len(steps),
                }
                ledger.append(
                    session, at=now, kind="rollback.started", actor=request.by, body=body, run_id=_run_of(request.scope)
                )
        return _count(request.rollback_id, steps)

    @activity.defn(name=ACTIVITY_STOP_RUN)
    async def stop_run(self, request: StopRun) -> bool:
        """Fence a run with a pause of its own and tell it to stop.

        Returns:
            Whether it has ended; then the pause is lifted.
        """
        pause_id = f"pause-{request.rollback_id}"
        ended = await asyncio.to_thread(self._fence, request, pause_id)
        if ended:
            return True
        message = EndRun(
            id=request.rollback_id, by=request.by, summary=f"It is rolled back by {request.by.name}.", stop=True
        )
        try:
            await self._client.get_workflow_handle(request.run_id).signal("end", message)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return True
        return False

    @activity.defn(name=ACTIVITY_UNDO)
    def undo_batch(self, request: UndoBatch) -> UndoProgress:
        """Undo the next effects, newest first; each is claimed, checked, undone and verified.

        Returns:
            How far the rollback is.
        """
        with self._deps.database.read() as session:
            batch = undos.untried(session, request.rollback_id, BATCH)
        for ordinal, step in batch:
            activity.heartbeat(ordinal) if activity.in_activity() else None
            done = self._undo(request, step)
            with self._deps.database.write() as session:
                undos.finish_step(session, request.rollback_id, ordinal, done, at=self._deps.clock())
        with self._deps.database.read() as session:
            undone, left, more = undos.tally(session, request.rollback_id)
        return UndoProgress(undone=undone, left=left, more=more > 0)

    @activity.defn(name=ACTIVITY_FINISH_ROLLBACK)
    def finish(self, request: FinishRollback) -> None:
        """Record how a rollback ended and lift the pause that fenced its run."""
        with self._deps.database.write() as session:
            now = self._deps.clock()
            scope = undos.finish_rollback(session, request.rollback_id, request.status, at=now)
            if scope is not None:
                body: dict[str, object] = {"rollback": request.rollback_id, "status": request.status.value}
                ledger.append(session, at=now, kind="rollback.ended", actor=SYSTEM, body=body, run_id=_run_of(scope))
        self._lift(f"pause-{request.rollback_id}")

    def _look(self, request: RollbackRequest) -> list[UndoStep]:
        preview = RollbackPreview(self._deps, self._deps.clock())
        with self._deps.database.read() as session:
            return preview.steps(undos.effects_in(session, request.scope))

    def _undo(self, request: UndoBatch, step: UndoStep) -> UndoStep:
        """Take one effect back, whatever the preview said: the world may have moved either way."""
        if step.verdict in (Undoable.ALREADY, Undoable.NOTHING):
            return step
        with self._deps.database.read() as session:
            effect = undos.effect_of(session, step.action_id)
        if effect is None:
            return step.model_copy(update={"verdict": Undoable.NOTHING, "why": "It had no effect."})
        operation = self._deps.registry.get(effect.type)
        if step.verdict in (Undoable.NO, Undoable.TOO_LATE, Undoable.UNKNOWN) or operation is None:
            return step.model_copy(update={"status": UndoStatus.IMPOSSIBLE})
        holder = uuid.uuid4().hex
        if done_before := self._claim(request, effect, holder):
            return step.model_copy(update=done_before)
        try:
            performed = operation.undo(undo_call(effect), effect.undo_data)
        except UndoConflict as error:
            return self._record(request, effect, step, holder, UndoStatus.CONFLICT, str(error))
        except ActionFailed as error:
            return self._record(request, effect, step, holder, UndoStatus.FAILED, str(error))
        except ConnectorUnavailable as error:
            return self._later(request, effect, step, holder, f"The system could not be reached: {error}")
        except Exception as error:
            log.exception("The undo of %s broke off.", effect.action_id)
            return self._later(request, effect, step, holder, f"It broke off: {type(error).__name__}: {error}")
        return self._record(request, effect, step, holder, UndoStatus.UNDONE, "", performed)

    def _claim(self, request: UndoBatch, effect: Effect, holder: str) -> dict[str, object]:
        """Claim an undo; gives what the step is if it was undone already: by another rollback, or by this one.

        An attempt of this rollback that died after its undo, before its step was written, did this rollback's work.
        """
        self._deps.switch.check()
        with self._deps.database.write() as session:
            now = self._deps.clock()
            standing = undos.claim_undo(
                session,
                action_id=effect.action_id,
                rollback_id=request.rollback_id,
                holder=holder,
                lease_until=now + _LEASE,
                at=now,
            )
            if standing is None:
                self._event(session, request.by, effect, "undo.claimed", {"rollback": request.rollback_id})
                return {}
            if standing.status == UndoStatus.UNDONE.value:
                ours = standing.rollback_id == request.rollback_id
                return {"status": UndoStatus.UNDONE} if ours else {"verdict": Undoable.ALREADY, "status": None}
        raise try_again(f"The undo of {effect.action_id} is under way.", after=timedelta(seconds=1))

    def _later(self, request: UndoBatch, effect: Effect, step: UndoStep, holder: str, why: str) -> UndoStep:
        """Try again later, or leave it to a person after some attempts; undoing is idempotent by its key."""
        with self._deps.database.write() as session:
            tried = undos.attempts(session, effect.action_id)
            if tried < MAX_ATTEMPTS:
                undos.finish_undo(
                    session,
                    action_id=effect.action_id,
                    holder=holder,
                    status=UndoStatus.FAILED,
                    changes=[],
                    message=why,
                    at=self._deps.clock(),
                )
        if tried >= MAX_ATTEMPTS:
            return self._record(request, effect, step, holder, UndoStatus.FAILED, f"{why} Tried {tried} times.")
        raise try_again(why, after=timedelta(seconds=min(0.2 * 2**tried, 5.0)))

    def _record(
        self,
        request: UndoBatch,
        effect: Effect,
        step: UndoStep,
        holder: str,
        status: UndoStatus,
        message: str,
        performed: Performed | None = None,
    ) -> UndoStep:
        operation = self._deps.registry.get(effect.type)
        changes = performed.changes if performed else []
        changes = changes_without_secrets(changes, operation.type.secrets) if operation else changes
        with self._deps.database.write() as session:
            now = self._deps.clock()
            counts = undos.finish_undo(
                session,
                action_id=effect.action_id,
                holder=holder,
                status=status,
                changes=changes,
                message=message,
                at=now,
            )
            if not counts:
                raise try_again(f"Another attempt took over the undo of {effect.action_id}.", after=_SOON)
            if status is UndoStatus.UNDONE:
                projection.update_action(session, effect.action_id, status=ActionStatus.UNDONE.value)
            body: dict[str, object] = {
                "rollback": request.rollback_id,
                "message": message,
                "changes": [change.model_dump(mode="json") for change in changes],
            }
            self._event(session, request.by, effect, _EVENTS[status], body)
        verdict = Undoable.CONFLICT if status is UndoStatus.CONFLICT else step.verdict
        update = {"status": status, "why": message or step.why, "verdict": verdict, "changes": changes or step.changes}
        return step.model_copy(update=update)

    def _event(self, session: Session, by: Actor, effect: Effect, kind: str, body: dict[str, object]) -> None:
        ledger.append(
            session,
            at=self._deps.clock(),
            kind=kind,
            actor=by,
            run_id=effect.run_id,
            action_id=effect.action_id,
            agent=effect.agent,
            body=body,
        )

    def _fence(self, request: StopRun, pause_id: str) -> bool:
        database, now = self._deps.database, self._deps.clock()
        with database.write() as session:
            if pauses.run_ended(session, request.run_id):
                ended = True
            else:
                ended = False
                if not pauses.exists(session, pause_id):
                    scope = Scope(kind=ScopeKind.RUN, name=request.run_id)
                    cause = f"Rollback {request.rollback_id}"
                    pauses.begin(database, session, pause_id=pause_id, scope=scope, cause=cause, by=request.by, at=now)
        return ended

    def _lift(self, pause_id: str) -> None:
        database = self._deps.database
        with database.write() as session:
            if not pauses.exists(session, pause_id):
                return
            try:
                pauses.end(
                    database,
                    session,
                    pause_id=pause_id,
                    note="The rollback has ended.",
                    by=SYSTEM,
                    at=self._deps.clock(),
                )
            except Conflict:
                return


def _count(rollback_id: str, steps: list[UndoStep]) -> RollbackCount:
    to_undo = sum(step.verdict is Undoable.YES for step in steps)
    return RollbackCount(rollback_id=rollback_id, effects=len(steps), to_undo=to_undo)


def _run_of(scope: RollbackScope) -> str:
    return scope.id.split(":", 1)[0]

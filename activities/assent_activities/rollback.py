"""Activities of rollbacks: preview, stop the run, plan and start, undo, look, finish."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client, RPCError
from temporalio.service import RPCStatusCode

from assent.domain.errors import Conflict
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import SYSTEM
from assent.domain.ports import (
    ACTIVITY_FINISH_ROLLBACK,
    ACTIVITY_LOOK_AT_ROLLBACK,
    ACTIVITY_PREVIEW_ROLLBACK,
    ACTIVITY_START_ROLLBACK,
    ACTIVITY_STOP_RUN,
    ACTIVITY_UNDO,
    FinishedRollback,
    FinishRollback,
    LookAtRollback,
    RollbackCount,
    StopRun,
    UndoBatch,
    UndoProgress,
)
from assent.domain.rollbacks import RollbackRequest, RollbackStatus
from assent.domain.runs import EndRun
from assent.store import pause_rows, pauses, rollback_life, rollback_plans
from assent.store.rollback_plans import PlanState
from assent_activities import rollback_notices
from assent_activities.dependencies import Dependencies
from assent_activities.rollback_planning import authority, write_plan
from assent_activities.undoing import Undoing

_KEEP_PREVIEWS = timedelta(days=1)


class RollbackActivities:
    """Takes effects back.

    Args:
        dependencies: Shared by all activities.
        client: To stop a run before it is rolled back.
    """

    def __init__(self, dependencies: Dependencies, client: Client) -> None:
        self._deps = dependencies
        self._client = client
        self._undoing = Undoing(dependencies)

    @activity.defn(name=ACTIVITY_PREVIEW_ROLLBACK)
    def preview(self, request: RollbackRequest) -> RollbackCount:
        """Write what a rollback would do; previews are kept for a day."""
        with self._deps.database.write() as session:
            rollback_plans.forget_old_previews(session, before=self._deps.clock() - _KEEP_PREVIEWS)
            rollback_plans.create(session, request, status=RollbackStatus.PREVIEW, known=True)
        return _count(request.rollback_id, write_plan(self._deps, request))

    @activity.defn(name=ACTIVITY_START_ROLLBACK)
    def start(self, request: RollbackRequest) -> RollbackCount:
        """Write the plan of a rollback; once it is complete and as it was shown, it runs or waits for approval."""
        with self._deps.database.write() as session:
            if not rollback_plans.create(session, request, status=RollbackStatus.CHECKING, known=True):
                rollback_life.take_up(session, request.rollback_id)
        plan = write_plan(self._deps, request)
        if plan.status is RollbackStatus.CHECKING:
            self._weigh(request, plan)
        count = self._look(request.rollback_id)
        if not count.status.open:
            self._lift(f"pause-{request.rollback_id}")
        return count

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
            waits = rollback_life.is_untaken(session, request.rollback_id)
        if waits:
            with self._deps.database.write() as session:
                rollback_life.take_up(session, request.rollback_id)
        return self._undoing.next_steps(request)

    @activity.defn(name=ACTIVITY_LOOK_AT_ROLLBACK)
    def look(self, request: LookAtRollback) -> RollbackCount:
        """Look whether a rollback that waits for people may go on; one whose time to be approved is over may not."""
        with self._deps.database.write() as session:
            status = rollback_life.expire(session, request.rollback_id, at=self._deps.clock())
        if not status.open:
            self._lift(f"pause-{request.rollback_id}")
        return self._look(request.rollback_id)

    @activity.defn(name=ACTIVITY_FINISH_ROLLBACK)
    def finish(self, request: FinishRollback) -> FinishedRollback:
        """Record how a rollback ended and lift the pause that fenced its run."""
        with self._deps.database.write() as session:
            now = self._deps.clock()
            status = rollback_life.finish(session, request.rollback_id, at=now)
            if status is not None:
                rollback_notices.tell(session, self._deps, request.rollback_id, at=now)
        if status is None:
            return FinishedRollback(status=request.status, more=True)
        self._lift(f"pause-{request.rollback_id}")
        return FinishedRollback(status=status)

    def _weigh(self, request: RollbackRequest, plan: PlanState) -> None:
        """Start it if it is what was shown and allowed to whoever asked; otherwise say why not."""
        shown = self._shown(request)
        with self._deps.database.write() as session:
            now = self._deps.clock()
            why_not, rules = authority(session, request, plan.totals, now)
            if why_not:
                rollback_life.refuse(session, request.rollback_id, why_not, by=request.by, at=now)
            elif shown is not None and shown != plan.digest:
                rollback_life.become_preview(session, request.rollback_id, _CHANGED, at=now)
            else:
                rollback_life.start(session, request.rollback_id, rules, at=now)
                rollback_notices.tell(session, self._deps, request.rollback_id, at=now)

    def _shown(self, request: RollbackRequest) -> str | None:
        """Digest of the preview that binds it; ``None`` if none does."""
        if not request.preview_id:
            return None
        with self._deps.database.read() as session:
            found = rollback_plans.state(session, request.preview_id)
        return found.digest if found is not None and found.complete else ""

    def _look(self, rollback_id: str) -> RollbackCount:
        with self._deps.database.read() as session:
            found = rollback_plans.state(session, rollback_id)
        assert found is not None
        return _count(rollback_id, found)

    def _fence(self, request: StopRun, pause_id: str) -> bool:
        database, now = self._deps.database, self._deps.clock()
        with database.write() as session:
            if pauses.run_ended(session, request.run_id):
                ended = True
            else:
                ended = False
                if not pause_rows.exists(session, pause_id):
                    scope = Scope(kind=ScopeKind.RUN, name=request.run_id)
                    cause = f"Rollback {request.rollback_id}"
                    pauses.begin(database, session, pause_id=pause_id, scope=scope, cause=cause, by=request.by, at=now)
        return ended

    def _lift(self, pause_id: str) -> None:
        database = self._deps.database
        with database.write() as session:
            if not pause_rows.exists(session, pause_id):
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


def _count(rollback_id: str, plan: PlanState) -> RollbackCount:
    return RollbackCount(
        rollback_id=rollback_id, effects=plan.totals.steps, to_undo=plan.totals.to_undo, status=plan.status
    )


_CHANGED = "What would be undone is no longer what the preview showed."

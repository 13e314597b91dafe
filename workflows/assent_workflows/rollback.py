"""The workflows ``PreviewRollback`` and ``Rollback``: taking effects back, newest first."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
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
        Queue,
        RollbackCount,
        StopRun,
        UndoBatch,
        UndoProgress,
    )
    from assent.domain.rollback_messages import RollbackChanged
    from assent.domain.rollback_scopes import RollbackScopeKind
    from assent.domain.rollbacks import RollbackRequest, RollbackResult, RollbackStatus
    from assent_workflows import calls

_Out = TypeVar("_Out")
_PLAN_TIMEOUT = timedelta(hours=6)
"""Time for one attempt at a plan; each goes on where the one before ended."""
_UNDO_TIMEOUT = timedelta(hours=1)
"""Time for one attempt at the next effects, each of which has a limit of its own."""
_TIMEOUT = timedelta(minutes=5)
_HEARTBEAT = timedelta(seconds=30)
_UNDO_HEARTBEAT = timedelta(seconds=10)
"""Undoing tells twice a second that it is alive; a worker that was killed is replaced so soon."""
_STOP_LOOKS = 60
"""How often a rollback looks whether the run it stops has ended, before it goes on behind a pause of that run."""
_FIRST_LOOK, _LAST_LOOK = timedelta(seconds=5), timedelta(minutes=1)
"""How often a rollback that waits for people looks at its row; a signal wakes it at once."""


@workflow.defn(name="PreviewRollback")
class PreviewRollback:
    """Looks at what a rollback would do; changes nothing but its own preview rows."""

    @workflow.run
    async def run(self, request: RollbackRequest) -> RollbackCount:
        """Write the preview."""
        return await _on_undo_queue(ACTIVITY_PREVIEW_ROLLBACK, request, RollbackCount, within=_PLAN_TIMEOUT)


@workflow.defn(name="Rollback")
class Rollback:
    """Takes effects back, newest first; what cannot be taken back is left for a person.

    Whoever approves, withdraws, holds or lets it go on changes its row; a signal only says that there is something to
    look at, so that losing one costs a minute at most.
    """

    def __init__(self) -> None:
        self._progress = UndoProgress()
        self._changed = False

    @workflow.run
    async def run(self, request: RollbackRequest) -> RollbackResult:
        """Stop the run if it still goes on, plan, wait for approval if need be, then undo what is to be undone."""
        if request.round == 0:
            if request.scope.kind is RollbackScopeKind.RUN:
                await self._stop(request)
            plan = await _on_undo_queue(ACTIVITY_START_ROLLBACK, request, RollbackCount, within=_PLAN_TIMEOUT)
            status = await self._while(request, plan.status, RollbackStatus.AWAITING)
            if not status.open:
                return self._result(request, status)
        while True:
            batch = UndoBatch(rollback_id=request.rollback_id, by=request.by, reason=request.reason)
            self._progress = await _on_undo_queue(
                ACTIVITY_UNDO, batch, UndoProgress, within=_UNDO_TIMEOUT, heartbeat=_UNDO_HEARTBEAT
            )
            if self._progress.held:
                status = await self._while(request, RollbackStatus.HELD, RollbackStatus.HELD)
                if not status.open:
                    return self._result(request, status)
                continue
            if self._progress.more:
                _go_on_as_new(request)
                continue
            status = RollbackStatus.NEEDS_PERSON if self._progress.left else RollbackStatus.DONE
            finish = FinishRollback(rollback_id=request.rollback_id, status=status)
            # Histories of earlier releases have nothing as this activity's answer.
            ended: FinishedRollback | None = await _on_undo_queue(
                ACTIVITY_FINISH_ROLLBACK,
                finish,
                FinishedRollback | None,  # type: ignore[arg-type]
            )
            if ended is None or not ended.more:
                return self._result(request, status if ended is None else ended.status)

    @workflow.signal
    def changed(self, message: RollbackChanged) -> None:
        """Its row was changed."""
        self._changed = True

    @workflow.query
    def progress(self) -> UndoProgress:
        """How far it is."""
        return self._progress

    async def _while(self, request: RollbackRequest, status: RollbackStatus, waits: RollbackStatus) -> RollbackStatus:
        """Wait while its row has this status; gives the one that it has then."""
        patience = _FIRST_LOOK
        while status is waits:
            try:
                await workflow.wait_condition(lambda: self._changed, timeout=patience)
            except TimeoutError:
                patience = min(patience * 2, _LAST_LOOK)
            self._changed = False
            look = LookAtRollback(rollback_id=request.rollback_id)
            status = (await _on_undo_queue(ACTIVITY_LOOK_AT_ROLLBACK, look, RollbackCount)).status
            if status is waits:
                _go_on_as_new(request)
        return status

    async def _stop(self, request: RollbackRequest) -> None:
        stop = StopRun(rollback_id=request.rollback_id, run_id=request.scope.id, by=request.by, at=request.requested_at)
        for _ in range(_STOP_LOOKS):
            if await _on_undo_queue(ACTIVITY_STOP_RUN, stop, bool):
                return
            await workflow.sleep(timedelta(milliseconds=500))

    def _result(self, request: RollbackRequest, status: RollbackStatus) -> RollbackResult:
        return RollbackResult(
            rollback_id=request.rollback_id, status=status, undone=self._progress.undone, left=self._progress.left
        )


def _go_on_as_new(request: RollbackRequest) -> None:
    """Begin with a fresh history once this one is long; what was done is in the database."""
    if workflow.info().is_continue_as_new_suggested():
        workflow.continue_as_new(request)


async def _on_undo_queue(
    name: str, request: object, out: type[_Out], *, within: timedelta = _TIMEOUT, heartbeat: timedelta = _HEARTBEAT
) -> _Out:
    result: _Out = await workflow.execute_activity(
        name,
        request,
        result_type=out,
        task_queue=calls.queue(Queue.UNDO),
        start_to_close_timeout=within,
        heartbeat_timeout=heartbeat,
        retry_policy=calls.PATIENT,
    )
    return result

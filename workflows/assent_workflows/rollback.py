"""The workflows ``PreviewRollback`` and ``Rollback``: taking effects back, newest first."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from assent.domain.ports import (
        ACTIVITY_FINISH_ROLLBACK,
        ACTIVITY_PREVIEW_ROLLBACK,
        ACTIVITY_START_ROLLBACK,
        ACTIVITY_STOP_RUN,
        ACTIVITY_UNDO,
        FinishRollback,
        Queue,
        RollbackCount,
        StopRun,
        UndoBatch,
        UndoProgress,
    )
    from assent.domain.rollbacks import RollbackRequest, RollbackResult, RollbackScopeKind, RollbackStatus
    from assent_workflows import calls

_Out = TypeVar("_Out")
_TIMEOUT = timedelta(minutes=5)
_HEARTBEAT = timedelta(seconds=30)
_STOP_LOOKS = 60
"""How often a rollback looks whether the run it stops has ended, before it goes on behind a pause of that run."""


@workflow.defn(name="PreviewRollback")
class PreviewRollback:
    """Looks at what a rollback would do; changes nothing but its own preview rows."""

    @workflow.run
    async def run(self, request: RollbackRequest) -> RollbackCount:
        """Write the preview."""
        return await _on_undo_queue(ACTIVITY_PREVIEW_ROLLBACK, request, RollbackCount)


@workflow.defn(name="Rollback")
class Rollback:
    """Takes effects back, newest first; what cannot be taken back is left for a person."""

    def __init__(self) -> None:
        self._progress = UndoProgress()

    @workflow.run
    async def run(self, request: RollbackRequest) -> RollbackResult:
        """Stop the run if it still goes on, then undo its effects one after the other."""
        if request.scope.kind is RollbackScopeKind.RUN:
            await self._stop(request)
        await _on_undo_queue(ACTIVITY_START_ROLLBACK, request, RollbackCount)
        while True:
            batch = UndoBatch(rollback_id=request.rollback_id, by=request.by, reason=request.reason)
            self._progress = await _on_undo_queue(ACTIVITY_UNDO, batch, UndoProgress)
            if not self._progress.more:
                break
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(request)
        status = RollbackStatus.NEEDS_PERSON if self._progress.left else RollbackStatus.DONE
        finish = FinishRollback(rollback_id=request.rollback_id, status=status)
        await _on_undo_queue(ACTIVITY_FINISH_ROLLBACK, finish, type(None))
        return RollbackResult(
            rollback_id=request.rollback_id, status=status, undone=self._progress.undone, left=self._progress.left
        )

    @workflow.query
    def progress(self) -> UndoProgress:
        """How far it is."""
        return self._progress

    async def _stop(self, request: RollbackRequest) -> None:
        stop = StopRun(rollback_id=request.rollback_id, run_id=request.scope.id, by=request.by, at=request.requested_at)
        for _ in range(_STOP_LOOKS):
            if await _on_undo_queue(ACTIVITY_STOP_RUN, stop, bool):
                return
            await workflow.sleep(timedelta(milliseconds=500))


async def _on_undo_queue(name: str, request: object, out: type[_Out]) -> _Out:
    result: _Out = await workflow.execute_activity(
        name,
        request,
        result_type=out,
        task_queue=calls.queue(Queue.UNDO),
        start_to_close_timeout=_TIMEOUT,
        heartbeat_timeout=_HEARTBEAT,
        retry_policy=calls.PATIENT,
    )
    return result

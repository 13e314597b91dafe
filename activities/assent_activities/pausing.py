"""Activities of pauses: count what is in flight, let runs go step by step, roll them back, wake what was held."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress

from temporalio import activity
from temporalio.client import Client, RPCError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCStatusCode

from assent.domain.pauses import PauseInput, PauseProgress, RampLook, ResumeState
from assent.domain.ports import (
    ACTIVITY_COMPENSATE_PAUSE,
    ACTIVITY_OBSERVE_PAUSE,
    ACTIVITY_RAMP_PAUSE,
    ACTIVITY_RELEASE_PAUSE,
    Queue,
    WorkflowName,
)
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackRequest
from assent.domain.runs import PauseEnded
from assent.store import compensations, pause_progress, pauses, ramps
from assent.store.compensations import Compensation
from assent_activities.dependencies import Dependencies

_AT_ONCE = 50
"""Runs woken, or rollbacks begun, at the same time."""


class PauseActivities:
    """Measures pauses, wakes held runs and begins the rollbacks of those that are compensated.

    Args:
        dependencies: Shared by all activities.
        client: To signal runs and to start rollbacks.
    """

    def __init__(self, dependencies: Dependencies, client: Client) -> None:
        self._deps = dependencies
        self._client = client

    @activity.defn(name=ACTIVITY_OBSERVE_PAUSE)
    def observe(self, request: PauseInput) -> PauseProgress:
        """Count claims in scope without an outcome; the first time there are none, the pause is quiesced."""
        with self._deps.database.write() as session:
            return pause_progress.observe(session, request.pause_id, at=self._deps.clock())

    @activity.defn(name=ACTIVITY_RELEASE_PAUSE)
    async def release(self, request: PauseInput) -> PauseProgress:
        """Wake every run in scope that holds an action; what a pause still holds goes back to waiting."""
        runs = await asyncio.to_thread(self._held, request)
        await self._wake(request.pause_id, runs)
        return PauseProgress(resumed=True, told=len(runs))

    @activity.defn(name=ACTIVITY_RAMP_PAUSE)
    async def ramp(self, request: RampLook) -> PauseProgress:
        """Look how the runs fare that were let go, let more go if it is time, and wake them.

        Returns:
            Whether the pause has ended, whether it still lets runs go, and the step whose runs are awake now.
        """
        pause_id = request.pause.pause_id

        def look() -> tuple[ramps.RampStep, str, Sequence[str]]:
            with self._deps.database.write() as session:
                step = ramps.step(self._deps.database, session, pause_id, at=self._deps.clock())
                return step, *ramps.stage(session, pause_id)

        step, stage, runs = await asyncio.to_thread(look)
        if step.state is ResumeState.RELEASING and stage != request.told:
            await self._wake(pause_id, runs)
        return PauseProgress(
            resumed=step.state is ResumeState.ENDED, releasing=step.state is ResumeState.RELEASING, stage=stage
        )

    @activity.defn(name=ACTIVITY_COMPENSATE_PAUSE)
    async def compensate(self, request: PauseInput) -> PauseProgress:
        """Begin the rollback of every open run in scope that had an effect; repeated, it begins those that are left."""
        found, among = await asyncio.to_thread(self._to_compensate, request)
        limit = asyncio.Semaphore(_AT_ONCE)

        async def begin(run: Compensation) -> None:
            async with limit:
                await self._begin(request, run, among)
                activity.heartbeat(run.run_id)

        await asyncio.gather(*(begin(run) for run in found))
        await asyncio.to_thread(self._begun, request)
        return PauseProgress(compensating=len(found), compensated=True)

    async def _begin(self, request: PauseInput, run: Compensation, among: int) -> None:
        """Start one rollback; one that was started before is left as it is."""
        rollback = RollbackRequest(
            rollback_id=run.rollback_id,
            scope=RollbackScope(kind=RollbackScopeKind.RUN, id=run.run_id),
            by=run.by,
            reason=f"The pause {request.pause_id} compensates: {request.cause}"[:1_000],
            requested_at=self._deps.clock(),
            among=among,
            of_pause=request.pause_id,
        )
        with suppress(WorkflowAlreadyStartedError):
            await self._client.start_workflow(
                WorkflowName.ROLLBACK,
                rollback,
                id=rollback.rollback_id,
                task_queue=Queue.CONTROL.under(activity.info().task_queue.rsplit("-", 1)[0]),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )

    async def _wake(self, pause_id: str, runs: Sequence[str]) -> None:
        limit = asyncio.Semaphore(_AT_ONCE)

        async def wake(run_id: str) -> None:
            async with limit:
                try:
                    message = PauseEnded(pause_id=pause_id)
                    await self._client.get_workflow_handle(run_id).signal("pause_ended", message)
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise

        await asyncio.gather(*(wake(run_id) for run_id in runs))

    def _held(self, request: PauseInput) -> list[str]:
        with self._deps.database.read() as session:
            return pauses.held_runs(session, request.pause_id, request.scope)

    def _to_compensate(self, request: PauseInput) -> tuple[list[Compensation], int]:
        with self._deps.database.write() as session:
            found = compensations.plan(session, request.pause_id, at=self._deps.clock(), name=_rollback_of)
            return found, compensations.effects(session, request.pause_id)

    def _begun(self, request: PauseInput) -> None:
        with self._deps.database.write() as session:
            compensations.begun(session, request.pause_id, at=self._deps.clock())


def _rollback_of(pause_id: str, run_id: str) -> str:
    """The id of a run's rollback by a pause: always the same."""
    return f"rollback-{hashlib.sha256(f'{pause_id} {run_id}'.encode()).hexdigest()[:16]}"

"""Activities of pauses: count what is in flight, wake what was held."""

from __future__ import annotations

import asyncio

from temporalio import activity
from temporalio.client import Client, RPCError
from temporalio.service import RPCStatusCode

from assent.domain.pauses import PauseInput, PauseProgress
from assent.domain.ports import ACTIVITY_OBSERVE_PAUSE, ACTIVITY_RELEASE_PAUSE
from assent.domain.runs import PauseEnded
from assent.store import pause_progress, pauses
from assent_activities.dependencies import Dependencies

_AT_ONCE = 50
"""Runs woken at the same time."""


class PauseActivities:
    """Measures pauses and wakes held runs.

    Args:
        dependencies: Shared by all activities.
        client: To signal runs.
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
        """Wake every run in scope that holds an action."""
        runs = await asyncio.to_thread(self._held, request)
        limit = asyncio.Semaphore(_AT_ONCE)

        async def wake(run_id: str) -> None:
            async with limit:
                try:
                    message = PauseEnded(pause_id=request.pause_id)
                    await self._client.get_workflow_handle(run_id).signal("pause_ended", message)
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise

        await asyncio.gather(*(wake(run_id) for run_id in runs))
        return PauseProgress(resumed=True, told=len(runs))

    def _held(self, request: PauseInput) -> list[str]:
        with self._deps.database.read() as session:
            return pauses.held_runs(session, request.pause_id, request.scope)

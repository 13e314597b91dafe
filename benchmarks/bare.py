"""The yardstick: the leanest workflows for the same work, with none of Assent in them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

TASK_QUEUE = "bare"
_TIMEOUT = timedelta(seconds=30)

effect_started: dict[str, float] = {}
"""Monotonic time at which the last effect of a run started, by workflow id."""

_waiting: dict[str, asyncio.Future[None]] = {}


@activity.defn(name="bare_effect")
def effect(key: str) -> str:
    """Do nothing, and say when."""
    run_id = activity.info().workflow_id or ""
    effect_started[run_id] = time.perf_counter()
    if waiting := _waiting.pop(run_id, None):
        waiting.get_loop().call_soon_threadsafe(waiting.set_result, None)
    return key


async def has_started(run_id: str) -> None:
    """Wait until a run's first effect has started."""
    waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    _waiting[run_id] = waiting
    if run_id in effect_started:
        _waiting.pop(run_id, None)
        return
    await waiting


@workflow.defn(name="BareGated")
class BareGated:
    """``automatic`` activities one after the other, then a signal, then one more."""

    def __init__(self) -> None:
        self._approved = False

    @workflow.run
    async def run(self, automatic: int) -> None:
        """Do the work."""
        for number in range(automatic):
            await workflow.execute_activity("bare_effect", str(number), start_to_close_timeout=_TIMEOUT)
        await workflow.wait_condition(lambda: self._approved)
        await workflow.execute_activity("bare_effect", "approved", start_to_close_timeout=_TIMEOUT)

    @workflow.signal
    def approve(self) -> None:
        """Let the last activity go."""
        self._approved = True


@workflow.defn(name="BareUpdate")
class BareUpdate:
    """An Update whose handler runs a local activity."""

    def __init__(self) -> None:
        self._ended = False

    @workflow.run
    async def run(self) -> None:
        """Wait for the end."""
        await workflow.wait_condition(lambda: self._ended)

    @workflow.update
    async def act(self, key: str) -> str:
        """Run one local activity."""
        result: str = await workflow.execute_local_activity("bare_effect", key, start_to_close_timeout=_TIMEOUT)
        return result

    @workflow.signal
    def end(self) -> None:
        """End."""
        self._ended = True


@asynccontextmanager
async def bare_worker(client: Client) -> AsyncIterator[None]:
    """Run the yardstick's worker while the block runs."""
    with ThreadPoolExecutor(50) as executor:
        async with Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[BareGated, BareUpdate],
            activities=[effect],
            activity_executor=executor,
            max_concurrent_workflow_tasks=100,
        ):
            yield

"""The yardstick: the leanest workflows for the same work, with none of Assent in them.

Its worker process runs as the SDK has it by default; or, as ``tuned``, the way Assent's does: no sandbox, workflow code
on the event loop, few collections of garbage. Neither compresses.

Run as ``python -m benchmarks.bare ADDRESS default|tuned``.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from assent.runtime import processes
from assent.runtime.worker import INLINE, rarely_collect_garbage, workflow_runner
from benchmarks.crew import connect, tell, until_told_to_end

TASK_QUEUE = "bare"
DEFAULT, TUNED = "default", "tuned"
_TIMEOUT = timedelta(seconds=30)


@activity.defn(name="bare_effect")
def effect(key: str) -> str:
    """Do nothing, and say when."""
    tell(activity.info().workflow_id or "")
    return key


@workflow.defn(name="BareGated")
class BareGated:
    """``automatic`` activities one after the other, then as many signals as are wanted, then one more."""

    def __init__(self) -> None:
        self._approvals = 0

    @workflow.run
    async def run(self, automatic: int, wanted: int) -> None:
        """Do the work."""
        for number in range(automatic):
            await workflow.execute_activity("bare_effect", str(number), start_to_close_timeout=_TIMEOUT)
        await workflow.wait_condition(lambda: self._approvals >= wanted)
        await workflow.execute_activity("bare_effect", "approved", start_to_close_timeout=_TIMEOUT)

    @workflow.signal
    def approve(self) -> None:
        """Let the last activity go, once there are enough."""
        self._approvals += 1


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


async def _main(address: str, way: str) -> None:
    """Run one worker process of the yardstick."""
    client = await connect(address)
    tuned = way == TUNED
    if tuned:
        rarely_collect_garbage()
    with ThreadPoolExecutor(50) as executor:
        async with Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[BareGated, BareUpdate],
            activities=[effect],
            activity_executor=executor,
            workflow_runner=workflow_runner() if tuned else SandboxedWorkflowRunner(),
            debug_mode=tuned and INLINE,
            max_concurrent_workflow_tasks=100,
        ):
            await until_told_to_end()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
    processes.leave(0)

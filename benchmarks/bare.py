"""The yardstick: the leanest workflows for the same work, with none of Assent in them.

Its worker process runs as the SDK has it by default; or, as ``tuned``, the way Assent's does: no sandbox, workflow code
on the event loop, which is uvloop, one converter of messages, few collections of garbage. Neither compresses.

Run as ``python -m benchmarks.bare ADDRESS default|tuned``.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from assent.runtime import processes
from assent.runtime.temporal.messages import DATA_CONVERTER
from assent.runtime.worker import INLINE, on_quick_loop, rarely_collect_garbage, workflow_runner
from benchmarks.bare_work import BareGated, BareUpdate, effect
from benchmarks.crew import connect, until_told_to_end

TASK_QUEUE = "bare"
DEFAULT, TUNED = "default", "tuned"


async def _main(address: str, way: str) -> None:
    """Run one worker process of the yardstick."""
    tuned = way == TUNED
    client = await connect(address, DATA_CONVERTER if tuned else pydantic_data_converter)
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
    if TUNED in sys.argv:
        on_quick_loop(_main(*sys.argv[1:]))
    else:
        asyncio.run(_main(*sys.argv[1:]))
    processes.leave(0)

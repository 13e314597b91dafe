"""The worker: executes workflows and effects, seals the ledger, makes pauses known."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner

from assent import __version__
from assent.domain.clock import Clock
from assent.domain.errors import AssentError
from assent.domain.pauses import PauseInput
from assent.domain.ports import Queue
from assent.gateway import Gateway, utc_now
from assent.runtime import breaking
from assent.runtime.channels import channels_of
from assent.runtime.clock_watch import STALE, ClockWatch
from assent.runtime.connectors import Connectors
from assent.runtime.counter_post import QueuedPost
from assent.runtime.drilling import Conduct, keep_schedule
from assent.runtime.rolling_back import take_up_forever
from assent.runtime.settings import Settings
from assent.runtime.settling import settle_forever
from assent.runtime.temporal.connect import connect
from assent.store import ledger, pause_rows, quality
from assent.store.database import Database
from assent_activities import seeding
from assent_activities.connectors import Operation
from assent_activities.connectors.scratch import ScratchRecords, with_scratch
from assent_activities.deadman import ClaimSwitch
from assent_activities.dependencies import Dependencies
from assent_activities.registry import activities_by_queue
from assent_activities.settling import Settling
from assent_workflows.agent_run import AgentRun
from assent_workflows.drill import Drill, DrillsDue
from assent_workflows.pause import Pause
from assent_workflows.proving import ProveUndosWorkflow
from assent_workflows.rollback import PreviewRollback, Rollback
from assent_workflows.settling import Settling as SettlingWorkflow

log = logging.getLogger(__name__)

SEAL_EVERY = timedelta(milliseconds=250)
ANNOUNCE_EVERY = timedelta(seconds=5)
COUNT_EVERY = timedelta(seconds=5)
GRACE = timedelta(seconds=8)
"""How long activities may finish when the worker is asked to end."""

INLINE = True
"""Run workflow code on the worker's event loop, without the SDK's watch over it (its ``debug_mode``).

The watch takes a run for broken that does not come to rest within two seconds. Workflow code here never waits for
anything, so on a machine that is short of processor time it would only hit runs that did nothing wrong, and a run that
it hit may never be let go of. Passing each step to a thread for it costs time, too.
"""

BUILD_ID = f"assent-{__version__}"
"""What Temporal shows as the code that ran a workflow; by default the SDK reads all modules again to make one up."""

WORKFLOWS: Mapping[Queue, Sequence[type]] = {
    Queue.RUNS: [AgentRun],
    Queue.CONTROL: [Pause, Rollback, PreviewRollback, Drill, DrillsDue, SettlingWorkflow, ProveUndosWorkflow],
}
"""What a worker runs, by queue. ``tests/replay`` has a history of each."""


def main(settings: Settings) -> None:
    """Run a worker until SIGTERM or Ctrl-C, then let running activities finish for :data:`GRACE`."""
    on_quick_loop(_main(settings))


async def _main(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    database = Database(settings.database_url)
    connectors = Connectors(settings, post=QueuedPost(database) if settings.mail_wanted else None)
    rarely_collect_garbage()
    try:
        client = await connect(settings)
        channels = channels_of(settings)
        await keep_schedule(client, settings.task_queue_prefix, every=timedelta(minutes=settings.drill_check_minutes))
        async with running_worker(client, database, connectors.registry, settings, channels=channels):
            log.info("The worker is ready.")
            await stop.wait()
            log.info("The worker ends.")
    finally:
        connectors.close()
        database.close()


def on_quick_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run a worker's main coroutine on uvloop, where there is one: a worker's event loop is half of what it does."""
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop

        uvloop.run(main)


def rarely_collect_garbage() -> None:
    """Let the collector of reference cycles look less often, and never at what was loaded at start.

    A worker makes many objects that die by themselves; looking at them took a twentieth of its processor time.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def workflow_runner() -> WorkflowRunner:
    """How workflow code is run, by workers and by the replay of committed histories.

    Without the SDK's sandbox: it runs a workflow's module anew for each run and wraps every activation, which costs
    more than everything else a worker does for a short run (a quarter of its processor time, measured). What it
    would catch is kept out otherwise: workflow modules may import only from a short list that has no clock, no
    randomness and no input or output (``tests/workflows/test_determinism.py``), and committed histories are replayed.
    """
    return UnsandboxedWorkflowRunner()


@asynccontextmanager
async def running_worker(
    client: Client,
    database: Database,
    registry: Mapping[str, Operation],
    settings: Settings,
    *,
    channels: tuple[str, ...] = (),
    clock: Clock = utc_now,
) -> AsyncIterator[None]:
    """Run a worker on every queue while the block runs.

    Args:
        client: Connected to Temporal.
        database: Assent's database, migrated.
        registry: Operations by action type.
        settings: For queue names and concurrency.
        channels: Where approval requests are announced.
        clock: The clock of this worker.
    """
    scratch = ScratchRecords(settings.drill_database_url)
    registry = with_scratch(registry, scratch)
    switch = ClaimSwitch(stale_seconds=STALE.total_seconds())
    dependencies = Dependencies(database=database, registry=registry, clock=clock, channels=channels, switch=switch)
    activities = activities_by_queue(dependencies, client)
    gateway = Gateway(client, database, task_queue_prefix=settings.task_queue_prefix)
    conduct = Conduct(gateway, database, scratch, registry, clock)
    watch = ClockWatch(
        database,
        client,
        prefix=settings.task_queue_prefix,
        clock=clock,
        tolerance=timedelta(seconds=settings.clock_tolerance_seconds),
        switch=switch,
    )
    with contextlib.suppress(AssentError):
        await watch.look()
    threads = settings.worker_activities + settings.worker_local_activities
    with ThreadPoolExecutor(threads, thread_name_prefix="effects") as executor:
        async with AsyncExitStack() as stack:
            stack.callback(scratch.close)
            for queue in Queue:
                worker = Worker(
                    client,
                    task_queue=queue.under(settings.task_queue_prefix),
                    workflows=WORKFLOWS.get(queue, []),
                    activities=[*activities[queue], *(conduct.activities if queue is Queue.CONTROL else ())],
                    activity_executor=executor,
                    build_id=BUILD_ID,
                    workflow_runner=workflow_runner(),
                    debug_mode=INLINE,
                    max_cached_workflows=settings.worker_cached_workflows,
                    max_concurrent_workflow_tasks=settings.worker_workflow_tasks,
                    max_concurrent_activities=settings.worker_activities,
                    max_concurrent_local_activities=settings.worker_local_activities,
                    graceful_shutdown_timeout=GRACE,
                )
                await stack.enter_async_context(worker)
            async with _in_background(
                watch.forever(),
                _seal_forever(database),
                _count_forever(database),
                _seed_forever(database, channels),
                _announce_forever(database, gateway),
                take_up_forever(database, gateway),
                *breaking.chores(
                    database,
                    registry,
                    settings,
                    channels=channels,
                    clock=utc_now,
                    announce=partial(_announce, database, gateway),
                ),
                settle_forever(Settling(dependencies, client)),
            ):
                yield


@asynccontextmanager
async def _in_background(*chores: object) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(chore) for chore in chores]  # type: ignore[call-overload]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _seal_forever(database: Database) -> None:
    while True:
        try:
            while await asyncio.to_thread(ledger.seal, database) == ledger.SEAL_BATCH:
                pass
        except AssentError as error:
            log.warning("The ledger was not sealed this time: %s", error)
        await asyncio.sleep(SEAL_EVERY.total_seconds())


async def _count_forever(database: Database) -> None:
    """Add what was sealed to the figures on decisions."""
    while True:
        try:
            while await asyncio.to_thread(quality.count, database, utc_now()):
                pass
        except AssentError as error:
            log.warning("Decisions were not counted this time: %s", error)
        await asyncio.sleep(COUNT_EVERY.total_seconds())


async def _seed_forever(database: Database, channels: tuple[str, ...]) -> None:
    """Show the checks that new requests draw, where cards have them."""
    while True:
        try:
            await asyncio.to_thread(seeding.seed, database, utc_now(), channels)
        except AssentError as error:
            log.warning("No checks were made this time: %s", error)
        await asyncio.sleep(COUNT_EVERY.total_seconds())


async def _announce_forever(database: Database, gateway: Gateway) -> None:
    """Take up pauses that were made while Temporal was away."""
    while True:
        await _announce(database, gateway)
        await asyncio.sleep(ANNOUNCE_EVERY.total_seconds())


async def _announce(database: Database, gateway: Gateway) -> None:
    """Take up the pauses that no workflow has taken up yet."""

    def unannounced() -> list[pause_rows.PauseState]:
        with database.read() as session:
            return pause_rows.unannounced(session)

    with contextlib.suppress(AssentError):
        for pause in await asyncio.to_thread(unannounced):
            await gateway.announce_pause(
                PauseInput(
                    pause_id=pause.id,
                    scope=pause.scope,
                    cause=pause.cause,
                    by=pause.requested_by,
                    requested_at=pause.requested_at,
                )
            )

"""The measurements: what is timed, once for each subject and round."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable

from benchmarks.subjects import Subject

AT_ONCE = 100
"""Runs under way at the same time where throughput is measured."""


async def gated(subject: Subject, runs: int, automatic: int) -> float:
    """Actions per second of runs with some automatic actions and one approved action each."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with limit:
            run_id = await subject.start(automatic)
            await subject.parked(run_id)
            await subject.approve(run_id)
            await subject.finish(run_id)

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(runs)))
    return runs * (automatic + 1) / (time.perf_counter() - begun)


async def approval_latency(subject: Subject, samples: int, votes: int = 1) -> float:
    """Median seconds from the first person's approval to the start of the effect, on parked runs, one at a time."""
    runs = []
    for _ in range(samples):
        run_id = await subject.start(1, votes)
        await subject.parked(run_id)
        runs.append(run_id)
    await asyncio.sleep(1.0)
    seconds = []
    for run_id in runs:
        subject.effects.forget(run_id)
        begun = time.perf_counter()
        await subject.approve(run_id, votes)
        seconds.append(await subject.effects.next(run_id) - begun)
        await subject.finish(run_id)
    return statistics.median(seconds)


async def proposal_latency(subject: Subject, samples: int) -> float:
    """Median seconds from a proposal to the outcome of an automatic action, one agent, one after the other."""
    run_id = await subject.open()
    seconds = [await _timed(subject.propose(run_id, number)) for number in range(samples)]
    await subject.close(run_id)
    await subject.finish(run_id)
    return statistics.median(seconds[5:])


async def long_run(subject: Subject, actions: int) -> tuple[float, float]:
    """Median seconds of an action around the tenth of a run, and of one after ``actions`` others.

    The two runs take turns, so that what else the machine does falls on both; a fresh run takes the place of the
    young one every twenty actions, so that it stays young.
    """
    old = await subject.open()
    for number in range(actions):
        await subject.propose(old, number)
    early, late = [], []
    for turn in range(10):
        young = await subject.open()
        for number in range(5):
            await subject.propose(young, number)
        for number in range(5, 20):
            early.append(await _timed(subject.propose(young, number)))
            late.append(await _timed(subject.propose(old, actions + 15 * turn + number)))
        await subject.close(young)
        await subject.finish(young)
    await subject.close(old)
    await subject.finish(old)
    return statistics.median(early), statistics.median(late)


async def _timed(work: Awaitable[None]) -> float:
    """Seconds that something takes."""
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun

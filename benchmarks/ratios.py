"""Assent's figures as ratios to the yardstick's, in interleaved rounds on one server."""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from temporalio.client import Client

from assent.runtime import processes
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.runtime.temporal import devserver, locate
from benchmarks import bare, measures
from benchmarks.crew import connect
from benchmarks.report import Report, Row
from benchmarks.subjects import Subject, assent_subject, bare_subject

GATED, AGENT, APPROVAL, VOTES, PROPOSAL, LONG = "gated-1k", "agent-20", "approval", "votes", "proposal", "long-run"
NAMES = [GATED, AGENT, APPROVAL, VOTES, PROPOSAL, LONG]


async def measure(wanted: Sequence[str], folder: Path, report: Report, *, rounds: int, quick: bool) -> None:
    """Measure what is wanted.

    Args:
        wanted: Names out of :data:`NAMES`.
        folder: For databases and logs.
        report: Gets the rows.
        rounds: Interleaved rounds.
        quick: A tenth of the work.
    """
    if not set(wanted) & set(NAMES):
        return
    progress = Progress()
    executable = locate.obtain(Settings.load(), progress).path
    server = devserver.DevServer(executable, port=processes.free_port(), database=folder / "temporal.db")
    scale = 10 if quick else 1
    with devserver.running(server, folder / "temporal.log", progress):
        client = await connect(server.address)
        workers = Settings.load().workers
        report.workers = workers
        bench = _Bench(client, folder, report, rounds, workers, progress)
        if GATED in wanted:
            await bench.faster(
                f"{GATED}: runs of one automatic and one approved action",
                "runs/s",
                lambda subject: _halved(measures.gated(subject, 1_000 // scale, 1)),
                at_least=0.8,
            )
        if AGENT in wanted:
            await bench.faster(
                f"{AGENT}: runs of twenty automatic and one approved action",
                "actions/s",
                lambda subject: measures.gated(subject, 100 // scale, 20),
                at_least=1.5,
            )
        if APPROVAL in wanted:
            await bench.quicker(
                "approval to start of the effect, parked run, p50",
                lambda subject: measures.approval_latency(subject, 100 // scale),
                at_most=1.5,
            )
        if VOTES in wanted:
            await bench.further_votes(100 // scale)
        if PROPOSAL in wanted:
            await bench.quicker(
                "proposal to outcome of an automatic action, sequential, p50",
                lambda subject: measures.proposal_latency(subject, 300 // scale),
                at_most=2.0,
            )
        if LONG in wanted:
            await bench.steady(5_000 // scale)


async def _halved(figure: Awaitable[float]) -> float:
    """Runs per second out of actions per second, at two actions a run."""
    return await figure / 2


class _Bench:
    def __init__(
        self, client: Client, folder: Path, report: Report, rounds: int, workers: int, progress: Progress
    ) -> None:
        self._client = client
        self._folder = folder
        self._report = report
        self._rounds = rounds
        self._workers = workers
        self._progress = progress

    async def faster(
        self, name: str, unit: str, figure: Callable[[Subject], Awaitable[float]], *, at_least: float
    ) -> None:
        """A throughput: the ratio of Assent's to the yardstick's must not be smaller."""
        default, tuned, assent = await self._rounds_of(name, figure)
        ratio = statistics.median(assent) / statistics.median(default)
        self._report.rows.append(Row(name, unit, default, tuned, assent, ratio, f"≥ {at_least}", ratio >= at_least))

    async def quicker(self, name: str, figure: Callable[[Subject], Awaitable[float]], *, at_most: float) -> None:
        """A latency: the ratio of Assent's to the yardstick's must not be larger."""
        default, tuned, assent = ([1_000 * value for value in values] for values in await self._rounds_of(name, figure))
        ratio = statistics.median(assent) / statistics.median(default)
        self._report.rows.append(Row(name, "ms", default, tuned, assent, ratio, f"≤ {at_most}", ratio <= at_most))

    async def further_votes(self, samples: int) -> None:
        """What each vote after the first adds, against what a signal takes until what it lets go has started."""
        name = "each vote after the first of three, against one signal to a parked run, p50"
        signal, vote = [], []
        for number in range(1, self._rounds + 1):
            self._progress.phase(f"{name}: round {number} of {self._rounds}")
            async with bare_subject(self._client, self._workers) as subject:
                signal.append(1_000 * await measures.approval_latency(subject, samples))
            async with assent_subject(self._client, self._folder, self._workers) as subject:
                one = await measures.approval_latency(subject, samples)
                three = await measures.approval_latency(subject, samples, 3)
                vote.append(1_000 * (three - one) / 2)
        ratio = statistics.median(vote) / statistics.median(signal)
        self._report.rows.append(Row(name, "ms", signal, [], vote, ratio, "≤ 1.0", ratio <= 1.0))

    async def steady(self, actions: int) -> None:
        """The cost of an action late in a long run against one early in it."""
        name = f"cost of an action in one run, at {actions:,} against at 10"
        self._progress.phase(name)
        async with assent_subject(self._client, self._folder, self._workers) as subject:
            early, late = await measures.long_run(subject, actions)
        ratio = late / early
        self._report.rows.append(Row(name, "ms", [1_000 * early], [], [1_000 * late], ratio, "≤ 1.2", ratio <= 1.2))

    async def _rounds_of(
        self, name: str, figure: Callable[[Subject], Awaitable[float]]
    ) -> tuple[list[float], list[float], list[float]]:
        """A figure of each round: of the yardstick by default, of the yardstick tuned, of Assent."""
        default: list[float] = []
        tuned: list[float] = []
        assent: list[float] = []
        for number in range(1, self._rounds + 1):
            for way, figures in ((bare.DEFAULT, default), (bare.TUNED, tuned)):
                self._progress.phase(f"{name}: round {number} of {self._rounds}, bare, {way}")
                async with bare_subject(self._client, self._workers, way) as subject:
                    figures.append(await figure(subject))
            self._progress.phase(f"{name}: round {number} of {self._rounds}, Assent")
            async with assent_subject(self._client, self._folder, self._workers) as subject:
                assent.append(await figure(subject))
        return default, tuned, assent

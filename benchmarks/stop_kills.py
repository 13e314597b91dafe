"""``kill -9`` at random points of pause, resume and rollback; then every effect and every undo is counted.

Usage: ``python -m benchmarks.stop_kills [--quick | --kills N] [--seed N]``; parts with seeds of their own may run at
the same time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx
from sqlalchemy import select
from sqlmodel import col

from assent.domain.actions import ProposedAction
from assent.domain.effects import EffectStatus
from assent.domain.errors import AssentError, Conflict, NotFound
from assent.domain.pauses import ResumeAnswers, Scope, ScopeKind
from assent.domain.people import SYSTEM
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackStatus
from assent.gateway import Gateway, StartRun, utc_now
from assent.runtime import instance
from assent.runtime.console import connected, verified
from assent.runtime.people import sign_in_link
from assent.runtime.progress import Progress
from assent.store.database import Database
from assent.store.queries import pauses, rollbacks
from assent.store.tables import EffectRow, PauseRow, RunRow
from benchmarks.kills import Product
from benchmarks.register import CARD, EFFECTS, UNDOS, lines
from benchmarks.report import Report
from benchmarks.tau2_retail.person import Person

NAME = "stop-kills"
KILLS, QUICK = 200, 6
AGENT = "register-agent"
RUNS, STEPS = 3, 12
MOMENTS = ("pause", "rollback", "resume")
LATEST_SECONDS = 0.6
"""A kill comes at most so long after the moment it belongs to began."""

EVERYTHING_IN = 8
"""One kill in so many takes everything with it, Temporal and the pages included; the others take a worker."""

PATIENCE_SECONDS = 180.0
_T = TypeVar("_T")


@dataclass
class Found:
    """What came of all rounds."""

    kills: int = 0
    effects: int = 0
    undone: int = 0
    faults: list[str] = field(default_factory=list)


def measure(folder: Path, report: Report, *, kills: int, seed: int) -> None:
    """Pause, roll back and resume again and again, with a kill in each; then look at everything.

    Args:
        folder: An empty folder.
        report: Gets a note of what was found.
        kills: How many.
        seed: Of the random moments.
    """
    progress, dice = Progress(), random.Random(seed)
    product = Product(folder, card=CARD, connector="benchmarks.register:build")
    progress.phase("stop-kills: starting the product")
    product.start()
    found = Found()
    # One thread for all of them: what it starts anew ends when the thread that started it does.
    killer = ThreadPoolExecutor(1)
    try:
        for number in range(1, kills + 1):
            progress.phase(f"stop-kills: number {number} of {kills}")
            asyncio.run(_round(product, dice, number, found, killer))
            found.kills += 1
        verdict = asyncio.run(verified(instance.as_running(product.settings), histories=True))
    finally:
        product.stop()
        killer.shutdown()
    journals = [lines(product.settings.data_dir, journal) for journal in (EFFECTS, UNDOS)]
    doubled = [key for journal in journals for key, times in journal.items() if times > 1]
    found.faults += [f"{key} happened twice" for key in doubled] + [str(fault) for fault in verdict.faults]
    report.failed = report.failed or bool(found.faults)
    report.notes.append(
        f"**kill -9** at {found.kills} random points of pause, rollback and resume (seed {seed}): {found.effects:,} "
        f"effects, {found.undone:,} undone, {len(doubled)} twice; `assent verify` "
        f"{'clean' if verdict.clean else f'{len(verdict.faults)} faults'}; "
        + ("nothing forgotten, and the pages told the truth." if not found.faults else "; ".join(found.faults[:10]))
    )


async def _round(product: Product, dice: random.Random, number: int, found: Found, killer: ThreadPoolExecutor) -> None:
    """Runs, a pause, a rollback, a resume, and a kill somewhere in one of the three."""
    moment, delay = dice.choice(MOMENTS), dice.random() * LATEST_SECONDS
    kill = product.kill_everything if dice.randrange(EVERYTHING_IN) == 0 else product.kill_worker
    killed: list[Future[None]] = []

    def strike(now: str) -> None:
        if now == moment:
            killed.append(killer.submit(_later, delay, kill))

    since, database = utc_now(), Database(product.settings.database_url)
    runs = [f"round-{number}-run-{each}" for each in range(RUNS)]
    try:
        for run_id in runs:
            await _through(product, partial(_begin, run_id))
        await _until(lambda: len(_effects(database, since)) >= RUNS)
        strike("pause")
        scope = Scope(kind=ScopeKind.AGENT, name=AGENT)
        pause_id = await _through(product, lambda gateway: gateway.pause(scope, by=SYSTEM, cause="A benchmark"))
        await _until(lambda: _pause(database, pause_id).quiesced_at)
        fenced = _effects(database, since)
        strike("rollback")
        rollback_id = await _rolled_back(product, database, since)
        for each in killed:
            each.result()
        _check(product, database, since, fenced, found)
        _check_pages(product, database, pause_id, rollback_id, found)
        strike("resume")
        answers = ResumeAnswers(cause="A benchmark", changed="Nothing")
        await _through(product, lambda gateway: gateway.resume(pause_id, by=SYSTEM, answers=answers, at_once=True))
        for run_id in runs:
            with contextlib.suppress(NotFound):
                await _through(product, partial(_stop, run_id))
        await _until(lambda: all(_ended(database, run_id) for run_id in runs))
        for each in killed:
            each.result()
        _check_pages(product, database, pause_id, rollback_id, found)
    finally:
        for each in killed:
            each.result()
        database.close()


async def _rolled_back(product: Product, database: Database, since: datetime) -> str:
    """Roll back all of it, however often that has to be asked for; gives the rollback that did it."""
    scope = RollbackScope(kind=RollbackScopeKind.AGENT, id=AGENT, since=since)

    async def begin(gateway: Gateway) -> str:
        with database.read() as session:
            asked = [each for each in rollbacks.of_scope(session, AGENT) if each.requested_at >= since]
        # What could not be handed to Temporal is refused, and whoever asked is told so: they ask again.
        if earlier := [each for each in asked if each.status is not RollbackStatus.REFUSED]:
            return earlier[0].id
        plan = await gateway.preview_rollback(scope, by=SYSTEM)
        while not plan.complete:
            await asyncio.sleep(0.2)
            plan = await gateway.rollback_plan(plan.rollback_id)
        begun = await gateway.rollback(
            scope, by=SYSTEM, reason="A benchmark", preview_id=plan.rollback_id, digest=plan.digest
        )
        return begun.id

    rollback_id = await _through(product, begin)

    def over() -> bool:
        with database.read() as session:
            return not rollbacks.one(session, rollback_id).status.open

    await _until(over)
    return rollback_id


def _check(product: Product, database: Database, since: datetime, fenced: set[str], found: Found) -> None:
    """Nothing began behind the fence, and everything that was done is undone exactly once."""
    now = _effects(database, since)
    found.faults += [f"{key} began behind the fence" for key in sorted(now - fenced)]
    done, undone = lines(product.settings.data_dir, EFFECTS), lines(product.settings.data_dir, UNDOS)
    happened = {key for key in fenced if done[key]}
    found.effects += len(happened)
    found.undone += sum(undone[key] for key in happened)
    found.faults += [f"{key} was forgotten" for key in sorted(happened) if undone[key] != 1]
    found.faults += [f"{key} was undone and never done" for key in sorted(fenced) if undone[key] and not done[key]]


def _check_pages(product: Product, database: Database, pause_id: str, rollback_id: str, found: Found) -> None:
    """The pages and the API say what the database has."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            person = Person(sign_in_link(product.settings))
            break
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
    try:
        with database.read() as session:
            active = pauses.one(session, pause_id).active
            rollback = rollbacks.one(session, rollback_id)
        stop, undo = person.page("/stop"), person.page(f"/rollbacks/{rollback_id}")
        if (f'id="{pause_id}"' in stop) is not active:
            found.faults.append(f"the page Stop does not say that {pause_id} is {'in force' if active else 'over'}")
        if f"{rollback.undone:,} effect" not in undo and rollback.undone:
            found.faults.append(f"the page of {rollback_id} does not say that {rollback.undone} effects are undone")
    finally:
        person.close()


async def _through(product: Product, ask: Callable[[Gateway], Awaitable[_T]]) -> _T:
    """Ask a gateway, again while a part that was killed comes back."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            async with connected(instance.as_running(product.settings)) as (gateway, _):
                return await ask(gateway)
        except (NotFound, Conflict):
            raise
        except AssentError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.3)


async def _until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await asyncio.to_thread(holds):
        if time.monotonic() > deadline:
            raise TimeoutError(f"It did not come within {PATIENCE_SECONDS:g} s.")
        await asyncio.sleep(0.05)


def _later(seconds: float, kill: Callable[[], None]) -> None:
    time.sleep(seconds)
    kill()


async def _begin(run_id: str, gateway: Gateway) -> str:
    return await gateway.start_run(_start(run_id), by=SYSTEM)


async def _stop(run_id: str, gateway: Gateway) -> None:
    await gateway.end_run(run_id, by=SYSTEM, stop=True)


def _start(run_id: str) -> StartRun:
    plan = [
        ProposedAction(
            key=f"step-{place}",
            type="register.enter",
            arguments={"text": str(place)},
            after=[f"step-{place - 1}"] if place else [],
        )
        for place in range(STEPS)
    ]
    return StartRun(agent=AGENT, run_id=run_id, plan=plan)


def _effects(database: Database, since: datetime) -> set[str]:
    claimed = select(col(EffectRow.action_id)).where(
        col(EffectRow.agent) == AGENT,
        col(EffectRow.claimed_at) >= since,
        col(EffectRow.status).in_([each.value for each in EffectStatus]),
    )
    with database.read() as session:
        return set(session.execute(claimed).scalars())


def _pause(database: Database, pause_id: str) -> PauseRow:
    with database.read() as session:
        row = session.get(PauseRow, pause_id)
    assert row is not None
    return row


def _ended(database: Database, run_id: str) -> bool:
    with database.read() as session:
        row = session.get(RunRow, run_id)
    return row is not None and row.ended_at is not None


def main() -> int:
    """Run it; ends with 1 if anything was lost, doubled or told wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stop_kills", description=__doc__)
    number = parser.add_mutually_exclusive_group()
    number.add_argument("--kills", type=int, default=KILLS, help=f"how many (default {KILLS})")
    number.add_argument("--quick", action="store_const", dest="kills", const=QUICK, help=f"only {QUICK}")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments (default 1)")
    options = parser.parse_args()
    report = Report(command="python -m benchmarks.stop_kills " + " ".join(sys.argv[1:]))
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        measure(Path(folder), report, kills=options.kills, seed=options.seed)
    print(report.text())
    return 0 if report.met else 1


if __name__ == "__main__":
    from assent.runtime.processes import leave

    leave(main())

"""Two people who decide a request at the same moment, ten thousand times: one outcome, and the truth for both."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select
from sqlmodel import col

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.approvals import ApprovalStatus, Decision, Verb
from assent.domain.errors import AssentError
from assent.domain.people import SYSTEM, Actor
from assent.gateway import Gateway, StartRun
from assent.runtime import processes
from assent.runtime.cards import publish_card
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.runtime.temporal import devserver, locate
from assent.store.database import Database
from assent.store.tables import ApprovalRow
from assent_activities.connectors import build_registry
from benchmarks.connector import CARD, BenchConnector
from benchmarks.crew import connect, crew
from benchmarks.inbox import databases, some_people
from benchmarks.report import Report

NAME = "duel"

DUELS = 10_000
AT_ONCE = 100
"""Requests that are decided at the same time, by both."""

_FATE_SECONDS = 120.0
_LOOK_EVERY = 0.1
_ENDED = {ActionStatus.DONE, ActionStatus.REJECTED}


@dataclass(frozen=True)
class _Asked:
    run_id: str
    approval_id: str
    digest: str


@dataclass(frozen=True)
class _Duel:
    """What two people said about one request, and what they were answered at once."""

    asked: _Asked
    verbs: list[Verb]
    answers: list[Decision | AssentError]


@dataclass
class _Tally:
    """What came of it.

    Attributes:
        told: What both were told, in one word each.
        faults: Outcomes that are not exactly one, or words that were not true.
    """

    told: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def measure(folder: Path, report: Report, *, duels: int) -> None:
    """Measure on SQLite, and on PostgreSQL where its programs are."""
    with databases(folder, report) as kinds:
        for kind, make in kinds.items():
            asyncio.run(_measure(kind, make("duel"), folder, report, duels))


async def _measure(kind: str, database: Database, folder: Path, report: Report, duels: int) -> None:
    progress = Progress()
    server = devserver.DevServer(
        locate.obtain(Settings.load(), progress).path,
        port=processes.free_port(),
        database=folder / f"temporal-duel-{kind}.db",
    )
    with devserver.running(server, folder / f"temporal-duel-{kind}.log", progress):
        client = await connect(server.address)
        publish_card(database, build_registry([BenchConnector()]), CARD, where="benchmark", by=SYSTEM)
        pair = some_people(database, 2)
        prefix = f"b{uuid.uuid4().hex[:6]}"
        gateway = Gateway(client, database, task_queue_prefix=prefix)
        url = database.url.render_as_string(hide_password=False)
        tally, chance = _Tally(), random.Random(7)
        async with crew("benchmarks.worker", [server.address, str(folder), prefix, url], Settings.load().workers):
            begun = time.perf_counter()
            for start in range(0, duels, AT_ONCE):
                progress.tick(f"{start:,} of {duels:,} duels on {kind}")
                await _round(gateway, database, pair, min(AT_ONCE, duels - start), chance, tally)
            seconds = time.perf_counter() - begun
    database.close()
    report.failed |= bool(tally.faults)
    told = ", ".join(f"{count:,} {word}" for word, count in tally.told.most_common())
    report.notes.append(
        f"**Two people at the same moment, {kind}**: {duels:,} requests in {seconds:.0f} s; of {2 * duels:,} decisions "
        f"{told}; {len(tally.faults)} with another outcome than exactly one, or told otherwise than it was: "
        f"{'MISSED, ' + tally.faults[0] if tally.faults else 'met'}."
    )


async def _round(
    gateway: Gateway, database: Database, pair: list[Actor], count: int, chance: random.Random, tally: _Tally
) -> None:
    plan = [ProposedAction(key="gate", type="bench.gate", arguments={"n": 1})]
    run_ids = await asyncio.gather(
        *(gateway.start_run(StartRun(agent="bench-agent", plan=plan), by=SYSTEM) for _ in range(count))
    )
    asked = await _asked(database, run_ids)
    duels = await asyncio.gather(*(_duel(gateway, each, pair, chance) for each in asked))
    # One look for all: looking for each of them would cost more than what is measured.
    await _all_decided(database, run_ids)
    for duel in duels:
        await _judge(gateway, database, duel, tally)


async def _duel(gateway: Gateway, asked: _Asked, pair: list[Actor], chance: random.Random) -> _Duel:
    verbs = [chance.choice((Verb.APPROVE, Verb.REJECT)) for _ in pair]
    answers = await asyncio.gather(*(_decide(gateway, asked, verb, by) for verb, by in zip(verbs, pair, strict=True)))
    return _Duel(asked, verbs, answers)


async def _decide(gateway: Gateway, asked: _Asked, verb: Verb, by: Actor) -> Decision | AssentError:
    try:
        return await gateway.decide(asked.approval_id, verb=verb, digest=asked.digest, by=by, reason="Because.")
    except AssentError as error:
        return error


async def _judge(gateway: Gateway, database: Database, duel: _Duel, tally: _Tally) -> None:
    """Hold what both were told against what the database says and what became of the action."""
    run_id, verbs = duel.asked.run_id, duel.verbs
    words = [await _told(gateway, answer) for answer in duel.answers]
    outcome = await gateway.action(f"{run_id}:gate", wait_seconds=_FATE_SECONDS)
    with database.read() as session:
        status = session.execute(
            select(col(ApprovalRow.status)).where(col(ApprovalRow.id) == duel.asked.approval_id)
        ).scalar_one()
    tally.told.update(words)
    counted = [verb for verb, word in zip(verbs, words, strict=True) if word == "counted"]
    wanted = {Verb.APPROVE: ApprovalStatus.APPROVED, Verb.REJECT: ApprovalStatus.REJECTED}
    approved = status == ApprovalStatus.APPROVED.value
    if len(counted) != 1 or wanted[counted[0]].value != status:
        tally.faults.append(f"{run_id}: {status}, told {words} for {[verb.value for verb in verbs]}")
    elif outcome.status not in _ENDED or (outcome.status is ActionStatus.DONE) is not approved:
        tally.faults.append(f"{run_id}: {status}, but the action is {outcome.status}")


async def _told(gateway: Gateway, answer: Decision | AssentError) -> str:
    """What the person is told in the end, in one word."""
    if isinstance(answer, AssentError):
        return f"refused at once ({answer.code})"
    fate = await gateway.fate(answer.id, wait_seconds=_FATE_SECONDS)
    if fate is None:
        return "never told"
    return "counted" if fate.counted else "told that it came too late"


async def _asked(database: Database, run_ids: list[str]) -> list[_Asked]:
    """The requests of these runs, as soon as all of them wait."""
    rows = select(col(ApprovalRow.run_id), col(ApprovalRow.id), col(ApprovalRow.digest)).where(
        col(ApprovalRow.run_id).in_(run_ids)
    )
    while True:
        with database.read() as session:
            found = session.execute(rows).all()
        if len(found) == len(run_ids):
            return [_Asked(*row) for row in found]
        await asyncio.sleep(_LOOK_EVERY)


async def _all_decided(database: Database, run_ids: list[str]) -> None:
    """Wait until none of them is pending; at most as long as a fate may take."""
    pending = select(func.count()).where(
        col(ApprovalRow.run_id).in_(run_ids), col(ApprovalRow.status) == ApprovalStatus.PENDING.value
    )
    until = time.monotonic() + _FATE_SECONDS
    while time.monotonic() < until:
        with database.read() as session:
            if not session.execute(pending).scalar_one():
                return
        await asyncio.sleep(_LOOK_EVERY)

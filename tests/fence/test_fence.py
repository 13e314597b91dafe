"""The fence: after a pause was acknowledged no claim in its scope is committed, whatever else goes on.

Several processes claim as fast as they can while this one pauses and resumes. Afterwards two witnesses are asked:

- the database: pauses and claims exclude each other, so the ids of their ledger events are in the order in which they
  were committed, and between a pause and its end there may be no claim in its scope;
- the machine's monotonic clock, which all processes share: no claim that was about to be committed after a pause had
  returned, and before its end was asked for.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from assent.domain.pauses import Scope, ScopeKind, Subject
from assent.gateway import Gateway
from assent.store import ledger
from assent.store.database import Database
from assent.store.tables import ActionRow, EffectRow, LedgerEventRow, PauseRow, RunRow
from tests.databases import KINDS, migrated_database
from tests.desk import CARD, Desk
from tests.fence.hammer import AGENTS, THREADS
from tests.world import ANN, ANSWERS, furnish

PROCESSES = 3
PAUSES = 200
CLAIMS = 1_500
TRIES = 2_000
BOB = "desk/bob"
_EVERYTHING = Scope(kind=ScopeKind.EVERYTHING)


@dataclass(frozen=True)
class Closed:
    """A pause with what the clock said after it had returned and before its end was asked for."""

    pause_id: str
    scope: Scope
    acknowledged: int
    ending: int


@dataclass(frozen=True)
class Claimed:
    """An effect with what the clock said before its claim was committed."""

    action: str
    run: str
    agent: str
    claimed: int
    type: str = "desk.note"

    @property
    def subject(self) -> Subject:
        """What the fence was told of it."""
        return subject_of(self.agent, self.run, self.type)


def subject_of(agent: str, run: str, type: str) -> Subject:
    """An action of the hammer: its label is its thread's, and a payment is about Bob's account."""
    records = frozenset({BOB} if type == "desk.pay" else ())
    labels = frozenset({f"thread-{run.rpartition('-')[2]}"})
    return Subject(agent=agent, run_id=run, version=1, type=type, labels=labels, records=records)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A furnished database of each kind, with two agents."""
    with migrated_database(request.param, request, tmp_path) as database:
        for agent in AGENTS:
            furnish(database, Desk(), card=CARD.replace("name: desk-clerk", f"name: {agent}"))
        yield database


@contextmanager
def hammering(database: Database, folder: Path) -> Iterator[None]:
    """Let the processes claim for the length of the block; they must end well and have tried thousands of times."""
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.fence.hammer", url, str(folder)]
    processes = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True) for number in range(PROCESSES)
    ]
    try:
        yield
        (folder / "stop").touch()
        tries = [json.loads(process.communicate()[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [0] * PROCESSES
    assert sum(sum(one.values()) for one in tries) >= TRIES, tries
    assert all(one["held"] > 0 and one["done"] > 0 for one in tries), tries


async def pause_and_resume(database: Database) -> list[Closed]:
    """Pause and resume in random scopes, sometimes two at once, until enough was tried."""
    gateway = Gateway(None, database)
    chance = random.Random(7)
    closed: list[Closed] = []
    while not _running(database):  # noqa: ASYNC110 - other processes make it true
        await asyncio.sleep(0.05)
    while len(closed) < PAUSES or _claims(database) < CLAIMS:
        opened = []
        for _ in range(chance.choice([1, 1, 2])):
            scope = _scope(chance)
            pause_id = await gateway.pause(scope, by=ANN)
            opened.append((pause_id, scope, time.monotonic_ns()))
        await asyncio.sleep(chance.uniform(0, 0.02))
        chance.shuffle(opened)
        for pause_id, scope, acknowledged in opened:
            ending = time.monotonic_ns()
            await gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
            closed.append(Closed(pause_id, scope, acknowledged, ending))
        await asyncio.sleep(chance.uniform(0, 0.05))
    return closed


def _scope(chance: random.Random) -> Scope:
    run = f"run-{chance.randrange(PROCESSES)}-{chance.randrange(THREADS)}"
    agent = chance.choice(AGENTS)
    return chance.choice(
        [
            _EVERYTHING,
            Scope(kind=ScopeKind.AGENT, name=agent),
            Scope(kind=ScopeKind.RUN, name=run),
            Scope(kind=ScopeKind.VERSION, name=f"{agent}@1"),
            Scope(kind=ScopeKind.TYPE, name=chance.choice(["desk.pay", "desk.note"])),
            Scope(kind=ScopeKind.CONNECTOR, name="desk"),
            Scope(kind=ScopeKind.LABEL, name=f"thread-{chance.randrange(THREADS)}"),
            Scope(kind=ScopeKind.RECORD, name=BOB),
        ]
    )


def _running(database: Database) -> bool:
    with database.read() as session:
        return session.execute(select(func.count()).select_from(RunRow)).scalar_one() == PROCESSES * THREADS


def _claims(database: Database) -> int:
    with database.read() as session:
        return session.execute(select(func.count()).select_from(EffectRow)).scalar_one()


def slipped_by_commit_order(database: Database) -> list[str]:
    """Claims between a pause in whose scope they are and its end, by the order of commits."""
    kinds = ("pause.requested", "pause.resumed", "effect.claimed")
    query = select(LedgerEventRow).where(col(LedgerEventRow.kind).in_(kinds)).order_by(col(LedgerEventRow.id))
    slipped: list[str] = []
    closed: dict[str, Scope] = {}
    with database.read() as session:
        scopes = {row.id: Scope(kind=ScopeKind(row.scope_kind), name=row.scope_name) for row in _pauses(database)}
        types = {row.action_id: row.type for row in session.execute(select(EffectRow)).scalars()}
        for event in session.execute(query).scalars():
            if event.kind == "effect.claimed":
                subject = subject_of(event.agent, event.run_id, types.get(event.action_id, "desk.note"))
                over = [name for name, at in closed.items() if at.covers(subject)]
                slipped += [f"{event.action_id} past {name}" for name in over]
                continue
            pause_id = json.loads(event.body)["pause"]
            if event.kind == "pause.requested":
                closed[pause_id] = scopes[pause_id]
            else:
                del closed[pause_id]
    assert not closed
    return slipped


def _pauses(database: Database) -> list[PauseRow]:
    with database.read() as session:
        return list(session.execute(select(PauseRow)).scalars())


def slipped_by_clock(effects: list[Claimed], closed: list[Closed]) -> list[str]:
    """Claims that were about to be committed while a pause was acknowledged and not yet asked to end."""
    return [
        f"{effect.action} past {pause.pause_id}"
        for pause in closed
        for effect in effects
        if pause.acknowledged < effect.claimed < pause.ending and pause.scope.covers(effect.subject)
    ]


async def test_no_claim_slips_past_an_acknowledged_pause(database: Database, tmp_path: Path) -> None:
    with hammering(database, tmp_path):
        closed = await pause_and_resume(database)
    effects = [Claimed(**json.loads(line)) for line in (tmp_path / "effects").read_text().splitlines()]
    assert len(closed) >= PAUSES
    assert len(effects) >= CLAIMS
    assert slipped_by_commit_order(database) == []
    assert slipped_by_clock(effects, closed) == []
    assert len({effect.action for effect in effects}) == len(effects)
    with database.read() as session:
        done = set(session.execute(select(col(ActionRow.action_id)).where(col(ActionRow.status) == "done")).scalars())
    assert done == {effect.action for effect in effects}
    assert ledger.check_chain(database)[1] == []


def test_the_witnesses_see_a_claim_that_slips(database: Database) -> None:
    """What the test above relies on: were there no fence, both witnesses would tell."""
    from assent.store import claims, pauses
    from tests.activities.stage import START

    scope = Scope(kind=ScopeKind.AGENT, name=AGENTS[0])
    with database.write() as session:
        pauses.begin(database, session, pause_id="pause-1", scope=scope, cause="", by=ANN, at=START)
    with database.write() as session:
        subject: dict[str, Any] = {"action_id": "run-1:a", "run_id": "run-1", "agent": AGENTS[0]}
        claims.claim(session, **subject, type="desk.note", holder="h", lease_until=START, at=START)
        ledger.append(session, at=START, kind="effect.claimed", actor=ANN, **subject)
    with database.write() as session:
        pauses.end(database, session, pause_id="pause-1", note="", by=ANN, at=START)
    assert slipped_by_commit_order(database) == ["run-1:a past pause-1"]
    effect = Claimed(action="run-1:a", run="run-1", agent=AGENTS[0], claimed=2)
    assert slipped_by_clock([effect], [Closed("pause-1", scope, 1, 3)]) == ["run-1:a past pause-1"]
    assert slipped_by_clock([effect], [Closed("pause-1", scope, 2, 3)]) == []

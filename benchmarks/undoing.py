"""Undoing against doing in one run, and a preview over a hundred thousand effects against one indexed query."""

from __future__ import annotations

import asyncio
import os
import statistics
import threading
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session
from temporalio.client import Client

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType, UndoDeclaration
from assent.domain.effects import EffectStatus, Performed, ResourceChange
from assent.domain.people import SYSTEM
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackRequest, RollbackResult, RollbackStatus
from assent.domain.runs import RunStatus
from assent.domain.undo_kinds import UndoKind
from assent.gateway import Gateway, StartRun
from assent.runtime import processes
from assent.runtime.cards import publish_card
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.runtime.temporal import devserver, locate
from assent.runtime.worker import running_worker
from assent.store import rollback_plans, scoped_effects
from assent.store.database import Database
from assent.store.queries import rollbacks
from assent.store.tables import ActionRow, EffectRow, ResourceRow, RunRow
from assent_activities.connectors import Call, Operation, UndoConflict, build_registry
from assent_activities.dependencies import Dependencies
from assent_activities.rollback_planning import FIRST_PAGE, write_plan
from benchmarks.crew import connect
from benchmarks.inbox import databases
from benchmarks.report import Report, Row

NAME = "undoing"

RUNS, EACH = 1_000, 3
"""Runs that are rolled back together, and effects of each."""

MANY = 100_000
"""Effects of the large preview."""

PAGE_AT_MOST = 3.0
"""Times that the first page of a preview may cost what a single indexed query of the same page costs."""

GROWTH = 64
"""Megabytes that the memory may grow from a tenth of the plan to all of it."""

_AT_ONCE = 100
_SAMPLES = 25
_CARD = """
name: shelf-agent
title: The shelf's agent
purpose: Puts things on a shelf.
business_owner: &owner {name: Bench, email: bench@example.com}
technical_owner: *owner
model_steward: *owner
escalation: *owner
actions:
  shelf.put: {tier: auto}
rollback: {effects: 1000000}
"""


class Shelf:
    """A system in memory: numbered places, each with what stands on it."""

    name = "shelf"

    def __init__(self) -> None:
        self.places: dict[str, int | None] = {}
        self.undone: set[str] = set()
        self.lock = threading.Lock()

    def operations(self) -> Sequence[Operation]:
        """The one verb."""
        return [Put(self)]

    def close(self) -> None:
        """Nothing is open."""


class Put:
    """Put something on a place; taken back by what stood there before."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.type = ActionType(
            name="shelf.put",
            title="Put",
            sentence="Put {thing} on {place}",
            arguments={
                "type": "object",
                "properties": {"place": {"type": "string"}, "thing": {"type": "integer"}},
                "required": ["place", "thing"],
            },
            undo=UndoDeclaration(sentence="Put back what stood on {place}", kind=UndoKind.BEFORE_IMAGE),
        )

    def preview(self, call: Call) -> list[ResourceChange]:
        """See the contract."""
        place = call.arguments["place"]
        before = self._shelf.places.get(place)
        return [ResourceChange(resource=f"shelf/{place}", before=before, after=call.arguments["thing"])]

    def perform(self, call: Call) -> Performed:
        """See the contract."""
        with self._shelf.lock:
            changes = self.preview(call)
            self._shelf.places[call.arguments["place"]] = call.arguments["thing"]
        return Performed(result={"ok": True}, changes=changes, undo_data=[changes[0].before, changes[0].after])

    def lookup(self, call: Call) -> Performed | bool | None:
        """See the contract."""
        return None

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        """See the contract."""
        before, after = undo_data
        now = self._shelf.places.get(call.arguments["place"])
        if now != after:
            raise UndoConflict(f"{call.arguments['place']} holds {now} by now.")
        return [ResourceChange(resource=f"shelf/{call.arguments['place']}", before=now, after=before)]

    def undo(self, call: Call, undo_data: Json) -> Performed:
        """See the contract."""
        with self._shelf.lock:
            if call.key in self._shelf.undone:
                return Performed()
            changes = self.undo_preview(call, undo_data)
            self._shelf.places[call.arguments["place"]] = undo_data[0]
            self._shelf.undone.add(call.key)
        return Performed(changes=changes)


def measure(folder: Path, report: Report, *, rounds: int, quick: bool) -> None:
    """Measure on SQLite, and on PostgreSQL where its programs are."""
    with databases(folder, report) as kinds:
        for kind, make in kinds.items():
            _preview(kind, make("preview"), report, MANY // 10 if quick else MANY, rounds)
        for kind, make in kinds.items():
            asyncio.run(_both_ways(kind, make("both"), folder, report, RUNS // 10 if quick else RUNS))


def _preview(kind: str, database: Database, report: Report, effects: int, rounds: int) -> None:
    shelf = Shelf()
    registry = build_registry([shelf])
    publish_card(database, registry, _CARD, where="benchmark", by=SYSTEM)
    start = datetime.now(UTC) - timedelta(days=1)
    fill(database, shelf, effects, start)
    scope = RollbackScope(kind=RollbackScopeKind.AGENT, id="shelf-agent", since=start)
    request = RollbackRequest(rollback_id="preview-bench", scope=scope, by=SYSTEM, requested_at=datetime.now(UTC))
    with database.write() as session:
        rollback_plans.create(session, request, status=RollbackStatus.PREVIEW, known=True)
    memory: list[tuple[int, float]] = []
    first: list[float] = []
    begun = time.perf_counter()

    def watch() -> None:
        while not memory or memory[-1][0] < effects:
            with database.read() as session:
                found = rollback_plans.state(session, request.rollback_id)
            assert found is not None
            if found.totals.steps and not first:
                first.append(time.perf_counter() - begun)
            memory.append((found.totals.steps, _megabytes()))
            time.sleep(0.002 if not first else 0.1)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    plan = write_plan(Dependencies(database=database, registry=registry, clock=lambda: datetime.now(UTC)), request)
    seconds = time.perf_counter() - begun
    watcher.join()
    early = next(used for steps, used in memory if steps >= effects // 10)
    grown = max(used for steps, used in memory if steps >= effects // 10) - early
    flat = grown <= GROWTH
    report.failed |= not flat or plan.totals.steps != effects
    report.notes.append(
        f"**Preview of {effects:,} effects, {kind}**: first page written after {first[0] * 1000:.0f} ms, all of it "
        f"after {seconds:.1f} s ({effects / seconds:,.0f} effects a second); memory {early:.0f} MB at a tenth, "
        f"{grown:+.0f} MB at most after that (at most {GROWTH} allowed): {'met' if flat else 'MISSED'}."
    )
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for place, ask in enumerate((_plain, _first_page)):
            samples = [_timed(database, ask, scope) for _ in range(_SAMPLES)]
            times[place].append(statistics.median(samples) * 1_000)
    ratio = statistics.median(times[1]) / statistics.median(times[0])
    title = f"first page of a preview of {effects:,} effects beside one indexed query of it, {kind}"
    met = ratio <= PAGE_AT_MOST
    report.rows.append(Row(title, "ms", times[0], [], times[1], ratio, f"≤ {PAGE_AT_MOST:g}", met))
    database.close()


def _plain(session: Session, scope: RollbackScope) -> None:
    assert len(scoped_effects.page(session, scope, after=None, limit=FIRST_PAGE)) == FIRST_PAGE


def _first_page(session: Session, _: RollbackScope) -> None:
    found = rollbacks.plan(session, "preview-bench", limit=FIRST_PAGE)
    assert found is not None
    assert len(found.steps) == FIRST_PAGE


def _timed(database: Database, ask: Any, scope: RollbackScope) -> float:
    begun = time.perf_counter()
    with database.read() as session:
        ask(session, scope)
    return time.perf_counter() - begun


def fill(database: Database, shelf: Shelf, effects: int, start: datetime) -> None:
    """Effects of many runs, three each; one place in ten was worked on twice."""
    for first in range(0, effects, 3_000):
        rows = [_effect(shelf, number, start) for number in range(first, min(first + 3_000, effects))]
        with database.write() as session:
            runs = {row["run"]["run_id"]: row["run"] for row in rows}
            for table, values in (
                (RunRow, list(runs.values())),
                (ActionRow, [row["action"] for row in rows]),
                (EffectRow, [row["effect"] for row in rows]),
                (ResourceRow, [row["touch"] for row in rows]),
            ):
                session.execute(insert(table), values)


def _effect(shelf: Shelf, number: int, start: datetime) -> dict[str, dict[str, Any]]:
    run_id, key = f"run-{number // 3:07}", "abc"[number % 3]
    place = f"p{number - 1 if number % 10 == 9 else number}"
    at = start + timedelta(milliseconds=number)
    before, shelf.places[place] = shelf.places.get(place), number
    change = ResourceChange(resource=f"shelf/{place}", before=before, after=number).model_dump(mode="json")
    person = SYSTEM.model_dump(mode="json")
    common = {"action_id": f"{run_id}:{key}", "run_id": run_id, "agent": "shelf-agent", "type": "shelf.put"}
    return {
        "run": {
            "run_id": run_id,
            "agent": "shelf-agent",
            "status": RunStatus.COMPLETED.value,
            "started_by": person,
            "started_at": at,
            "ended_at": at,
            "last_at": at,
            "actions": 3,
        },
        "action": common
        | {
            "key": key,
            "arguments": {"place": place, "thing": number},
            "sentence": f"Put {number} on {place}",
            "status": ActionStatus.DONE.value,
            "reasons": [],
            "card_version": 1,
            "proposed_at": at,
            "settled_at": at,
        },
        "effect": common
        | {
            "status": EffectStatus.DONE.value,
            "holder": "bench",
            "lease_until": at,
            "claimed_at": at,
            "finished_at": at,
            "changes": [change],
            "undo_data": [before, number],
        },
        "touch": {"resource": f"shelf/{place}", "at": at, "action_id": f"{run_id}:{key}", "undo": False},
    }


async def _both_ways(kind: str, database: Database, folder: Path, report: Report, runs: int) -> None:
    executable = locate.obtain(Settings.load(), Progress()).path
    server = devserver.DevServer(executable, port=processes.free_port(), database=folder / f"temporal-{kind}.db")
    shelf = Shelf()
    registry = build_registry([shelf])
    publish_card(database, registry, _CARD, where="benchmark", by=SYSTEM)
    with devserver.running(server, folder / f"temporal-{kind}.log", Progress()):
        client = await connect(server.address)
        settings = Settings.load(data_dir=folder, task_queue_prefix=f"b{uuid.uuid4().hex[:6]}")
        gateway = Gateway(client, database, task_queue_prefix=settings.task_queue_prefix)
        async with running_worker(client, database, registry, settings):
            start = datetime.now(UTC)
            doing = await _do(gateway, client, runs)
            undoing = await _undo(gateway, client, start, runs)
    wrong = sum(thing is not None for thing in shelf.places.values()) + abs(len(shelf.undone) - runs * EACH)
    report.failed |= bool(wrong)
    title = f"effects undone a second beside done a second, {runs:,} runs of {EACH}, {kind}"
    ratio = undoing / doing
    report.rows.append(Row(title, "effects/s", [doing], [], [undoing], ratio, "≥ 1", ratio >= 1))
    report.notes.append(f"**{title}**: {wrong} places not as before: {'MISSED' if wrong else 'met'}.")
    database.close()


async def _do(gateway: Gateway, client: Client, runs: int) -> float:
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        plan = [
            ProposedAction(key="abc"[place], type="shelf.put", arguments={"place": f"p{number}-{place}", "thing": 1})
            for place in range(EACH)
        ]
        async with limit:
            run_id = await gateway.start_run(StartRun(agent="shelf-agent", plan=plan), by=SYSTEM)
            await client.get_workflow_handle(run_id).result()

    begun = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(runs)))
    return runs * EACH / (time.perf_counter() - begun)


async def _undo(gateway: Gateway, client: Client, start: datetime, runs: int) -> float:
    """Effects undone a second, from the click to the end of the rollback, its plan included."""
    scope = RollbackScope(kind=RollbackScopeKind.AGENT, id="shelf-agent", since=start)
    begun = time.perf_counter()
    made = await gateway.rollback(scope, by=SYSTEM, reason="A benchmark.")
    result = await client.get_workflow_handle(made.id, result_type=RollbackResult).result()
    assert result.undone == runs * EACH, result
    return runs * EACH / (time.perf_counter() - begun)


def _megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024

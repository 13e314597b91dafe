"""How rollbacks find their effects: by an index, in its order, whatever the scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from assent.domain.effects import UndoStatus
from assent.domain.people import SYSTEM
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackRequest, RollbackStatus
from assent.domain.undo_steps import Undoable, UndoStep
from assent.store import earlier_undos, rollback_life, rollback_plans, scoped_effects, undos
from assent.store.database import Database
from assent.store.queries import rollbacks
from assent.store.queries.paging import PageRequest
from assent.store.scoped_effects import Position
from assent.store.tables import UndoRow
from benchmarks.undoing import Shelf, fill
from tests.databases import KINDS, migrated_database
from tests.store.test_query_plans import _plans, _scans, _sorts

START = datetime(2030, 1, 1, tzinfo=UTC)
EFFECTS = {"sqlite": 3_000, "postgresql": 15_000}
HALF = Position(START + timedelta(seconds=1), "run-0000333:a")


@pytest.fixture(params=KINDS, scope="module")
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Effects of one agent and type, half of them already in the plan of a rollback; these tests only read."""
    with migrated_database(request.param, request, tmp_path_factory.mktemp("undo-plans")) as made:
        fill(made, Shelf(), EFFECTS[request.param], START)
        with made.write() as session:
            for number in range(20):
                _rollback(session, f"rollback-{number}", EFFECTS[request.param] // 20)
            tried = [_undo(number) for number in range(0, EFFECTS[request.param], 3)]
            session.execute(insert(UndoRow), tried)
        if not made.sqlite:
            with made.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
        yield made


def _rollback(session: Session, rollback_id: str, steps: int) -> None:
    scope = RollbackScope(kind=RollbackScopeKind.RUN, id=rollback_id)
    request = RollbackRequest(rollback_id=rollback_id, scope=scope, by=SYSTEM, requested_at=START)
    rollback_plans.create(session, request, status=RollbackStatus.CHECKING, known=True)
    session.flush()
    found = rollback_plans.state(session, rollback_id)
    assert found is not None
    plan = [
        UndoStep(action_id=f"run-{number // 3:07}:{'abc'[number % 3]}", sentence="x", verdict=Undoable.YES)
        for number in range(steps)
    ]
    rollback_plans.add_page(session, rollback_id, found, plan, position=None, complete=True)


def _undo(number: int) -> dict[str, Any]:
    return {
        "action_id": f"run-{number // 3:07}:b",
        "rollback_id": "rollback-0",
        "status": UndoStatus.FAILED.value,
        "holder": "bench",
        "lease_until": START,
        "claimed_at": START,
        "changes": [],
    }


def _of(kind: RollbackScopeKind, id: str, **more: Any) -> RollbackScope:
    return RollbackScope(kind=kind, id=id, **more)


SCOPES = {
    "agent": _of(RollbackScopeKind.AGENT, "shelf-agent", since=START),
    "agent and period": _of(RollbackScopeKind.AGENT, "shelf-agent", since=START, until=START + timedelta(seconds=2)),
    "version": _of(RollbackScopeKind.VERSION, "shelf-agent@1", since=START),
    "type": _of(RollbackScopeKind.TYPE, "shelf.put", since=START),
    "record": _of(RollbackScopeKind.RECORD, "shelf/p8"),
}
INCIDENT = _of(RollbackScopeKind.INCIDENT, "incident-1", since=START)


@pytest.mark.parametrize("after", [None, HALF], ids=["first page", "a later page"])
@pytest.mark.parametrize("name", SCOPES)
def test_no_scope_is_scanned_or_sorted(database: Database, name: str, after: Position | None) -> None:
    found = _plan(database, lambda session: scoped_effects.page(session, SCOPES[name], after=after, limit=50))
    assert not _bad(found, database, sorts=True), "\n".join(found)


def test_the_next_to_work_on_a_record_is_found_by_its_index(database: Database) -> None:
    with database.read() as session:
        effects = scoped_effects.page(session, SCOPES["agent"], after=None, limit=50)
    found = _plan(database, lambda session: scoped_effects.next_touches(session, effects))
    # What was asked for is walked through, of course: it is a list of values, and no table.
    bad = [line for line in _bad(found, database, sorts=False) if "given" not in line and "CONSTANT" not in line]
    assert not bad, "\n".join(found)


LOOKUPS: dict[str, Callable[[Session], Any]] = {
    "effects by id": lambda s: scoped_effects.by_ids(s, ["run-0000007:a", "run-0000008:b"]),
    "effects under way": lambda s: scoped_effects.under_way(s, SCOPES["type"]),
    "effects under way on a record": lambda s: scoped_effects.under_way(s, SCOPES["record"]),
    "effects under way of an incident": lambda s: scoped_effects.under_way(s, INCIDENT),
    "next steps": lambda s: undos.next_steps(s, "rollback-3", 50),
    "tally": lambda s: undos.tally(s, "rollback-3"),
    "planned": lambda s: rollback_plans.planned(s, "rollback-3", ["run-0000007:a", "run-0000008:b"]),
    "rollbacks that nobody took up": lambda s: rollback_life.untaken(s, before=START),
    "rollbacks without approval": lambda s: earlier_undos.without_approval(s, since=START),
    "rollbacks that await approval": lambda s: rollbacks.awaiting(s, request=PageRequest(20)),
    "a rollback": lambda s: rollbacks.header(s, "rollback-3"),
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_nothing_looked_up_reads_a_table(database: Database, name: str) -> None:
    found = _plan(database, LOOKUPS[name])
    if "rollback" in name and not database.sqlite:
        # Twenty rows: reading all of them is the better plan.
        found = [line for line in found if "on rollbacks" not in line]
    assert not _bad(found, database, sorts=False), "\n".join(found)


def test_pages_are_the_whole_scope_in_order(database: Database) -> None:
    with database.read() as session:
        whole = scoped_effects.page(session, SCOPES["agent"], after=None, limit=1_000)
        parts: list[str] = []
        after: Position | None = None
        while len(parts) < len(whole):
            some = scoped_effects.page(session, SCOPES["agent"], after=after, limit=170)
            parts += [each.action_id for each in some]
            assert some[-1].finished_at is not None
            after = Position(some[-1].finished_at, some[-1].action_id)
    assert parts[: len(whole)] == [each.action_id for each in whole]


def test_the_nearest_later_work_is_found_and_none_where_there_is_none(database: Database) -> None:
    with database.read() as session:
        effects = scoped_effects.by_ids(session, ["run-0000002:c", "run-0000003:a"])
        nexts = scoped_effects.next_touches(session, list(effects.values()))
    # The effect number 8 put something on p8; number 9 did so again, and nobody since.
    assert nexts == {("run-0000002:c", "shelf/p8"): "run-0000003:a"}


def _plan(database: Database, ask: Callable[[Session], Any]) -> list[str]:
    with database.read() as session, _plans(database, session) as found:
        ask(session)
    assert found
    return found


def _bad(found: list[str], database: Database, *, sorts: bool) -> list[str]:
    return [
        line
        for line in found
        if _scans(line, sqlite=database.sqlite) or (sorts and _sorts(line, sqlite=database.sqlite))
    ]

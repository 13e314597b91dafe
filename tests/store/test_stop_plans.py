"""Nothing about a pause, and no list of hooks, reads a whole table, on neither database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from assent.domain.pause_hooks import PauseHookTerms
from assent.domain.pauses import Scope, ScopeKind
from assent.store import pause_hooks
from assent.store.database import Database
from assent.store.queries import pause_details, stop_figures
from assent.store.tables import (
    PauseHookCallRow,
    PauseHookRow,
    PauseReleaseRow,
)
from tests.databases import KINDS, migrated_database
from tests.store import town
from tests.store.test_query_plans import OTHERS, PENDING, List, _plan_of, _scans
from tests.store.town import ANNA, NOW

PAUSE = "pause-7"


@pytest.fixture(params=KINDS, scope="module")
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A filled database of each kind; these tests only read."""
    with migrated_database(request.param, request, tmp_path_factory.mktemp("plans")) as made:
        town.fill(made, pending=PENDING[request.param], others=OTHERS[request.param])
        fill(made, OTHERS[request.param])
        yield made


def fill(database: Database, number: int) -> None:
    """Runs that pauses let go, and hooks that were called."""
    with database.write() as session:
        rows: dict[Any, Callable[[int], dict[str, Any]]] = {
            PauseReleaseRow: lambda at: {
                "pause_id": f"pause-{at % 300}",
                "run_id": f"run-{at}",
                "stage": 1,
                "released_at": NOW,
            },
            PauseHookRow: _hook,
            PauseHookCallRow: lambda at: {
                "hook_id": f"phook-{at % 20}",
                "message_id": f"msg-{at}",
                "at": NOW + timedelta(seconds=at),
                "pause_id": "",
            },
        }
        for table, make in rows.items():
            session.execute(insert(table), [make(at) for at in range(number)])
    if not database.sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _hook(at: int) -> dict[str, Any]:
    terms = PauseHookTerms(name=f"hook-{at}", scope=Scope(kind=ScopeKind.EVERYTHING), cause="x")
    return {
        "id": f"phook-{at}",
        "name": terms.name,
        "terms": terms.model_dump(mode="json"),
        "sealed_secret": "x",
        "created_at": NOW + timedelta(seconds=at),
        "created_by": ANNA,
        "revoked_at": NOW if at % 300 else None,
        "calls": 0,
        "pause_id": "",
    }


LOOKUPS: dict[str, List] = {
    "details of a pause": lambda s, r: pause_details.details(s, PAUSE),
    "open runs with a label": lambda s, r: stop_figures.labelled_runs(s, "label-7"),
    "requests of an agent that wait": lambda s, r: stop_figures.requests_waiting(s, _scope(ScopeKind.AGENT, "agent-3")),
    "effects under way on a system": lambda s, r: stop_figures.effects_under_way(
        s, _scope(ScopeKind.CONNECTOR, "shop")
    ),
    "hooks in force": lambda s, r: pause_hooks.of_installation(s),
    "one hook": lambda s, r: pause_hooks.named(s, "hook-300"),
}


def _scope(kind: ScopeKind, name: str) -> Scope:
    return Scope(kind=kind, name=name)


@pytest.mark.parametrize("name", LOOKUPS)
def test_nothing_reads_a_whole_table(database: Database, name: str) -> None:
    found = _plan_of(database, LOOKUPS[name])
    bad = [line for line in found if _scans(line, sqlite=database.sqlite)]
    assert not bad, "\n".join(found)

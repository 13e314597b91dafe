"""No list about incidents reads a whole table or sorts it, on neither database, with thousands of rows in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.incidents import FollowUpState, PartKind
from assent.store.database import Database
from assent.store.queries import affected, follow_ups, incident_times, incidents
from assent.store.queries.affected import Sought, SoughtBy
from assent.store.queries.paging import PageRequest
from assent.store.tables import (
    ActionRow,
    EffectRow,
    IncidentActionRow,
    IncidentEventRow,
    IncidentPartRow,
    IncidentRow,
    IncidentSectionRow,
    IncidentTellingRow,
    ResourceRow,
    UndoRow,
)
from tests.databases import KINDS, migrated_database
from tests.store import town
from tests.store.test_query_plans import OTHERS, PENDING, List, _plan_of, _scans, _sorts
from tests.store.town import ANNA, NOW

INCIDENT = "incident-7"


@pytest.fixture(params=KINDS, scope="module")
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A filled database of each kind; these tests only read."""
    with migrated_database(request.param, request, tmp_path_factory.mktemp("plans")) as made:
        town.fill(made, pending=PENDING[request.param], others=OTHERS[request.param])
        fill(made, OTHERS[request.param])
        yield made


def fill(database: Database, number: int) -> None:
    """Incidents with everything, and effects of the actions that are there."""
    with database.write() as session:
        actions = list(session.execute(select(col(ActionRow.action_id), col(ActionRow.run_id)).limit(number)))
        rows: dict[Any, Callable[[int], dict[str, Any]]] = {
            IncidentRow: _incident,
            IncidentPartRow: lambda at: _part(at, actions[at % len(actions)][1]),
            IncidentEventRow: lambda at: {"incident_id": f"incident-{at % 500}", "event_id": at + 1},
            IncidentTellingRow: _telling,
            IncidentSectionRow: _section,
            IncidentActionRow: _action,
            UndoRow: lambda at: _undo(actions[at][0]),
            EffectRow: lambda at: _effect(*actions[at]),
            ResourceRow: lambda at: _touch(at, actions[at][0]),
        }
        for table, make in rows.items():
            session.execute(insert(table), [make(at) for at in range(min(number, len(actions)))])
    if not database.sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


LISTS: dict[str, List] = {
    "incidents": lambda s, r: incidents.page(s, request=r),
    "open incidents": lambda s, r: incidents.page(s, only_open=True, request=r),
    "open incidents counted": lambda s, r: incidents.count_open(s),
    "runs of an incident": lambda s, r: incidents.parts(s, INCIDENT, PartKind.RUN, request=r),
    "records of an incident": lambda s, r: incidents.parts(s, INCIDENT, PartKind.RECORD, request=r),
    "texts of an incident": lambda s, r: incidents.tellings(s, INCIDENT, request=r),
    "actions of an incident": lambda s, r: follow_ups.of_incident(s, INCIDENT, request=r),
    "open actions": lambda s, r: follow_ups.in_state(s, FollowUpState.OPEN, request=r),
    "overdue actions": lambda s, r: follow_ups.count_overdue(s, NOW.date()),
    "affected, by table": lambda s, r: affected.find(s, _sought(SoughtBy.TABLE, "crm/people"), request=r),
    "affected, by record": lambda s, r: affected.find(s, _sought(SoughtBy.RECORD, "crm/people/P7"), request=r),
}

LOOKUPS: dict[str, List] = {
    "incidents of a run": lambda s, r: incidents.of_part(s, PartKind.RUN, "run-7"),
    "post-mortem": lambda s, r: incidents.sections(s, INCIDENT),
    "affected, by id": lambda s, r: affected.find(s, _sought(SoughtBy.RECORD, "p7"), request=r),
    "affected, by customer": lambda s, r: affected.find(s, _sought(SoughtBy.CUSTOMER, "P7"), request=r),
    "effects of an incident": lambda s, r: incident_times.effects(s, incidents.one(s, INCIDENT)),
    "rollbacks of an incident": lambda s, r: incident_times.rollbacks_of(s, incidents.one(s, INCIDENT)),
    "timeline of an incident": lambda s, r: incident_times.timeline(
        s, incidents.one(s, INCIDENT), request=r, controls=["pause-7"]
    ),
}
"""What reads a handful of rows, which may be put in order when they are there."""


@pytest.mark.parametrize("name", LISTS)
def test_no_list_reads_a_table_or_sorts_it(database: Database, name: str) -> None:
    found = _plan_of(database, LISTS[name])
    bad = [line for line in found if _scans(line, sqlite=database.sqlite) or _sorts(line, sqlite=database.sqlite)]
    assert not bad, "\n".join(found)


@pytest.mark.parametrize("name", LOOKUPS)
def test_nothing_looked_up_reads_a_table(database: Database, name: str) -> None:
    found = _plan_of(database, LOOKUPS[name])
    bad = [line for line in found if _scans(line, sqlite=database.sqlite)]
    assert not bad, "\n".join(found)


def test_an_export_has_every_row_once(database: Database) -> None:
    with database.read() as session:
        since = incidents.one(session, INCIDENT).began_at
        runs = incidents.refs(session, INCIDENT, PartKind.RUN, limit=10_000)
        wanted = select(col(EffectRow.action_id)).where(col(EffectRow.run_id).in_(runs))
        there = set(session.execute(wanted).scalars())
    rows = list(affected.of_incident(database, INCIDENT, since))
    assert {row.action_id for row in rows if row.run_id in runs} == there
    assert len({(row.action_id, row.record) for row in rows}) == len(rows)


def test_pages_of_a_search_go_on_where_the_last_ended(database: Database) -> None:
    def pages(session: Session, limit: int) -> list[str]:
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = affected.find(session, _sought(SoughtBy.TABLE, "crm/people"), request=PageRequest(limit, cursor))
            found += [row.action_id for row in page.items]
            if (cursor := page.next_cursor) is None:
                return found

    with database.read() as session:
        assert pages(session, 7) == pages(session, 200)


def _sought(by: SoughtBy, name: str) -> Sought:
    return Sought(by, name, NOW - timedelta(days=400))


def _incident(at: int) -> dict[str, Any]:
    return {
        "id": f"incident-{at}",
        "title": "Refunds are paid twice",
        "severity": "high",
        "state": "open" if at % 20 == 0 else "closed",
        "is_open": at % 20 == 0,
        "commander_id": "person-7",
        "opened_by": ANNA,
        "opened_at": NOW + timedelta(minutes=at),
        "began_at": NOW - timedelta(days=400),
        "noticed_at": NOW,
    }


def _part(at: int, run_id: str) -> dict[str, Any]:
    kind = ("run", "record")[at // 500 % 2]
    ref = run_id if kind == "run" else f"crm/people/P{at}"
    return {"incident_id": f"incident-{at % 500}", "kind": kind, "ref": ref, "at": NOW, "by": ANNA}


def _telling(at: int) -> dict[str, Any]:
    given = {"id": f"told-{at}", "incident_id": f"incident-{at % 500}", "at": NOW + timedelta(seconds=at), "by": ANNA}
    return given | {"channel": "slack", "text": "x", "drafted": "x"}


def _section(at: int) -> dict[str, Any]:
    given = {"incident_id": f"incident-{at % 500}", "section": "cause", "version": at // 500 + 1}
    return given | {"text": "x", "at": NOW, "by": ANNA}


def _action(at: int) -> dict[str, Any]:
    return {
        "id": f"todo-{at}",
        "incident_id": f"incident-{at % 500}",
        "text": "x",
        "owner_id": "person-7",
        "due": date(2029, 12, 1) + timedelta(days=at % 60),
        "state": ("open", "done", "done", "dropped")[at % 4],
        "note": "",
        "created_at": NOW,
        "created_by": ANNA,
    }


def _effect(action_id: str, run_id: str) -> dict[str, Any]:
    return {
        "action_id": action_id,
        "run_id": run_id,
        "agent": "agent-3",
        "type": "shop.refund",
        "status": "done",
        "holder": "w",
        "lease_until": NOW,
        "attempts": 1,
        "claimed_at": NOW,
        "changes": [],
        "message": "",
    }


def _undo(action_id: str) -> dict[str, Any]:
    given = {"action_id": action_id, "rollback_id": "rb-7", "status": "undone", "holder": "w", "lease_until": NOW}
    return given | {"attempts": 1, "claimed_at": NOW, "changes": [], "message": ""}


def _touch(at: int, action_id: str) -> dict[str, Any]:
    return {"resource": f"crm/people/P{at}", "at": NOW + timedelta(seconds=at), "action_id": action_id, "undo": False}

"""What breakers measure, and the lists of those that fired, read by an index on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from assent.domain.breakers import BreakerRule, Measure
from assent.domain.pauses import ScopeKind
from assent.domain.people import SYSTEM
from assent.store import breaking, health, samples, trips
from assent.store.breaking import Window
from assent.store.database import Database
from assent.store.queries import trips as lists
from assent.store.tables import ActionRow, EffectRow, PauseReleaseRow, PauseRow, SampleRow, TripRow
from tests.databases import KINDS, migrated_database
from tests.store.test_query_plans import List, _plan_of, _scans, _sorts

NOW = datetime(2030, 3, 31, 12, 0, tzinfo=UTC)
MANY = 6_000
RULE = BreakerRule(name="fails", measure=Measure.ERRORS, of="shop.type_1", types=("shop.type_1",), most=1)
BROAD = RULE.model_copy(update={"of": "", "types": ("shop.type_1", "shop.type_2", "shop.type_3")})
WINDOW = Window("agent-3", NOW, {}, {"shop.type_1": ("amount", "USD")}, lambda type, arguments: "shop/orders/1")


def _measured(rule: BreakerRule, **other: Any) -> List:
    return lambda session, _: breaking.measured(session, rule.model_copy(update=other), WINDOW)


LISTS: dict[str, List] = {
    "trips": lambda s, r: lists.page(s, request=r),
    "trips of an agent": lambda s, r: lists.page(s, agent="agent-3", request=r),
    "a sample's picture": lambda s, r: samples.of_breaker(s, "agent-3", "fails"),
    "how connectors are": lambda s, r: health.every(s),
}
LOOKUPS: dict[str, List] = {
    "errors of a type": _measured(RULE),
    "errors of all types": _measured(BROAD),
    "the last errors": _measured(RULE, last=10),
    "refusals": _measured(BROAD, measure=Measure.REFUSALS),
    "unknown effects": _measured(BROAD, measure=Measure.UNKNOWN),
    "money": _measured(RULE, measure=Measure.COST, currency="USD"),
    "effects in a minute": _measured(BROAD, measure=Measure.RATE),
    "effects of a type in a minute": _measured(RULE, measure=Measure.RATE),
    "drift": _measured(RULE, measure=Measure.DRIFT, argument="amount", baseline=timedelta(days=1)),
    "each run": _measured(BROAD, pause=ScopeKind.RUN),
    "each record": _measured(RULE, pause=ScopeKind.RECORD),
    "trips of pauses": lambda s, r: lists.of_pauses(s, ["pause-3", "pause-4"]),
    "a pause of a breaker": lambda s, r: trips.any_of(s, ["pause-3"]),
    "how a breaker stands": lambda s, r: trips.standings(s, "agent-3", RULE, after=NOW, whole="agent-3"),
}


@pytest.fixture(params=KINDS, scope="module")
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Thousands of actions, effects, trips and samples of ten agents."""
    with migrated_database(request.param, request, tmp_path_factory.mktemp("plans")) as made:
        with made.write() as session:
            for table, row in ((ActionRow, _action), (EffectRow, _effect), (TripRow, _trip), (PauseRow, _pause)):
                session.execute(insert(table), [row(number) for number in range(MANY)])
            session.execute(insert(PauseReleaseRow), [_release(number) for number in range(MANY)])
            session.execute(insert(SampleRow), [_sample(number) for number in range(MANY)])
            if not made.sqlite:
                session.execute(text("ANALYZE"))
        yield made


@pytest.mark.parametrize("name", [*LISTS, *LOOKUPS])
def test_nothing_reads_a_whole_table(database: Database, name: str) -> None:
    found = _plan_of(database, (LISTS | LOOKUPS)[name])
    bad = [line for line in found if _scans(line, sqlite=database.sqlite)]
    bad += [line for line in found if name in LISTS and _sorts(line, sqlite=database.sqlite)]
    few = [line for line in bad if "connector_health" not in line]  # One row for each connector.
    assert not few, "\n".join(found)


def _common(number: int) -> dict[str, Any]:
    return {
        "action_id": f"run-{number}:a",
        "run_id": f"run-{number}",
        "agent": f"agent-{number % 10}",
        "type": f"shop.type_{number % 7}",
        "status": "done",
        "message": "",
    }


def _at(number: int) -> datetime:
    return NOW - timedelta(seconds=number * 60)


def _action(number: int) -> dict[str, Any]:
    times = {"proposed_at": _at(number), "settled_at": _at(number)}
    more = {"key": "a", "arguments": {"amount": number}, "reason": "", "sentence": "", "reasons": [], "card_version": 1}
    return _common(number) | times | more


def _effect(number: int) -> dict[str, Any]:
    times = {"claimed_at": _at(number), "finished_at": _at(number), "lease_until": _at(number)}
    return _common(number) | times | {"holder": "w", "changes": []}


def _pause(number: int) -> dict[str, Any]:
    at = {"requested_at": _at(number), "fenced_at": _at(number), "resumed_at": _at(number)}
    scope = {"scope_kind": "agent", "scope_name": f"agent-{number % 10}"}
    return {"id": f"pause-{number}", **scope, "active": False, "requested_by": SYSTEM.model_dump(mode="json"), **at}


def _release(number: int) -> dict[str, Any]:
    return {"pause_id": f"pause-{number}", "run_id": f"run-{number}", "stage": 1, "released_at": _at(number)}


def _trip(number: int) -> dict[str, Any]:
    return {
        "id": f"trip-{number}",
        "agent": f"agent-{number % 10}",
        "breaker": f"breaker-{number % 50}",
        "card_version": 1,
        "kind": "paused",
        "measure": "errors",
        "scope_kind": "agent",
        "scope_name": f"agent-{number % 10}",
        "disposition": "freeze",
        "pause_id": f"pause-{number}",
        "cause": "Too many failed.",
        "measured": 3.0,
        "threshold": 2.0,
        "cases": 10,
        "counted": 3,
        "window_seconds": 3600,
        "since": _at(number),
        "rule": RULE.model_dump(mode="json"),
        "figures": {},
        "evidence": [],
        "fallback": [],
        "woken": [],
        "at": _at(number),
    }


def _sample(number: int) -> dict[str, Any]:
    who = {"agent": f"agent-{number % 10}", "breaker": f"breaker-{number % 50}"}
    return {**who, "at": _at(number), "value": 1.0, "threshold": 2.0, "cases": 3}

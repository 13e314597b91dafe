"""Every measure pauses when it is over its threshold, says so with its figures, and not before."""

from __future__ import annotations

import random

import pytest

from assent.domain.actions import ActionStatus
from assent.store import health
from assent.store.database import Database
from tests.breakers.past import Clerk

DONE, FAILED, UNKNOWN = ActionStatus.DONE, ActionStatus.FAILED, ActionStatus.UNKNOWN
REFUSED, REJECTED = ActionStatus.REFUSED, ActionStatus.REJECTED


@pytest.fixture
def clerk(database: Database) -> Clerk:
    return Clerk(database)


def test_too_many_of_the_last_actions_failed(clerk: Clerk) -> None:
    clerk.publish("  - {name: tips-fail, measure: errors, of: desk.tip, last: 10, most: 2, pause: type}")
    clerk.did(FAILED, 30, ago=600)  # long before the last ten
    clerk.did(DONE, 8, ago=60)
    clerk.did(FAILED, 2, ago=30)
    assert clerk.look() == []
    bad = clerk.did(FAILED, 2, ago=10)
    (trip,) = clerk.look()
    assert trip.cause == "4 of the last 10 “Tip” actions failed, at most 2 may."
    assert (trip.measured, trip.threshold, trip.cases, trip.counted) == (4, 2, 10, 4)
    assert set(bad) < set(trip.evidence)
    assert len(trip.evidence) == 4
    (pause,) = clerk.pauses()
    assert (pause.id, pause.scope_kind, pause.scope_name, pause.active) == (trip.pause_id, "type", "desk.tip", True)
    assert pause.cause == f"The breaker tips-fail of clerk: {trip.cause}"


def test_a_share_needs_its_least_number_of_cases(clerk: Clerk) -> None:
    clerk.publish("  - {name: share, measure: errors, within: 10m, share: 0.25, least: 8}")
    clerk.did(FAILED, 4)
    clerk.did(DONE, 3)
    clerk.did(FAILED, 50, ago=601)
    assert clerk.look() == []
    clerk.did(DONE, 1)
    (trip,) = clerk.look()
    assert trip.cause == "4 of 8 actions in the last 10 min failed (50%), at most 25% may."
    assert trip.scope_kind == "agent"


def test_refusals_count_rules_and_people_but_not_the_fallback(clerk: Clerk) -> None:
    clerk.publish("  - {name: refused, measure: refusals, within: 1h, most: 2}")
    because = {"rule": "fallback", "effect": "refuse", "sentence": "The desk is closed."}
    clerk.did(REFUSED, 5, reasons=[because])
    clerk.did(REFUSED, 1, reasons=[{"rule": "never-do", "effect": "refuse", "sentence": 'Not "rule": "fallback".'}])
    clerk.did(REJECTED, 1)
    clerk.did(DONE, 3)
    assert clerk.look() == []
    clerk.did(REJECTED, 1)
    (trip,) = clerk.look()
    assert trip.cause == "3 of 11 actions in the last 1 h were refused, at most 2 may."


def test_one_unknown_effect_may_be_too_many(clerk: Clerk) -> None:
    clerk.publish("  - {name: unknown, measure: unknown, most: 0, pause: version, disposition: drain}")
    clerk.did(DONE, 3)
    assert clerk.look() == []
    (bad,) = clerk.did(UNKNOWN)
    (trip,) = clerk.look()
    assert trip.evidence == [bad]
    assert (trip.scope_kind, trip.scope_name, clerk.pauses()[0].disposition) == ("version", "clerk@1", "drain")
    assert trip.cause == "1 of 4 actions in the last 1 h has an effect that nobody knows of, at most 0 may."


def test_money_is_counted_by_currency(clerk: Clerk) -> None:
    clerk.publish("  - {name: cost, measure: cost, within: 1h, most: 1000, currency: USD, pause: connector, of: desk}")
    clerk.did(DONE, 2, amount=499.5)
    clerk.did(FAILED, 1, amount=5000)
    clerk.did(DONE, 1, amount=5000, ago=3601)
    clerk.did(DONE, 1, type="desk.note", amount=5000)
    assert clerk.look() == []
    clerk.did(DONE, 1, amount=1.5)
    (trip,) = clerk.look()
    assert trip.cause == "USD 1,000.50 moved by 3 actions of “desk” in the last 1 h, at most USD 1,000.00 may."
    assert (trip.scope_kind, trip.scope_name) == ("connector", "desk")


def test_amounts_that_are_no_numbers_do_no_harm(clerk: Clerk) -> None:
    clerk.publish("  - {name: cost, measure: cost, most: 10}")
    clerk.did(DONE, 1, amount="a lot")
    clerk.did(DONE, 1, amount=True)
    clerk.did(DONE, 1, amount=None)
    clerk.did(DONE, 1, amount=11)
    (trip,) = clerk.look()
    assert trip.measured == 11


@pytest.mark.parametrize("pause", ["agent", "run"])
def test_money_that_goes_the_other_way_makes_no_room_for_more(clerk: Clerk, pause: str) -> None:
    clerk.publish(f"  - {{name: cost, measure: cost, most: 10, pause: {pause}}}")
    clerk.did(DONE, 1, amount=-9)
    assert clerk.look() == []
    clerk.did(DONE, 1, amount=9)
    (trip,) = clerk.look()
    assert trip.measured == 18


def test_effects_under_way_count_towards_their_number_in_a_minute(clerk: Clerk) -> None:
    clerk.publish("  - {name: rate, measure: rate, most: 30}")
    clerk.did(DONE, 40, ago=70)
    clerk.did(DONE, 28)
    clerk.did(ActionStatus.CLAIMED, 2)
    assert clerk.look() == []
    clerk.did(ActionStatus.CLAIMED, 1)
    (trip,) = clerk.look()
    assert trip.cause == "31 effects in the last minute; at most 30 a minute may be."


def test_health_checks_that_fail_one_after_the_other(clerk: Clerk) -> None:
    clerk.publish("  - {name: desk-down, measure: probe, of: desk, most: 2}")

    def asked(error: str) -> None:
        with clerk.database.write() as session:
            health.record(session, "desk", error=error, at=clerk.now)

    for error in ("away", "away", "", "away", "connection refused"):
        asked(error)
        assert clerk.look() == []
    asked("connection refused")
    (trip,) = clerk.look()
    assert trip.cause == (
        "The connector desk failed its health check 3 times one after the other (connection refused), at most 2 may."
    )
    assert (trip.scope_kind, trip.scope_name) == ("connector", "desk")


def test_arguments_that_drift(clerk: Clerk) -> None:
    clerk.publish(
        "  - {name: drift, measure: drift, of: desk.tip, argument: amount, within: 1h, baseline: 7d, most: 0.25,"
        " least: 60}"
    )
    chance = random.Random(7)
    for _ in range(300):
        clerk.did(DONE, ago=chance.uniform(3_700, 500_000), amount=round(chance.gauss(5, 1), 2))
    for _ in range(120):
        clerk.did(DONE, ago=chance.uniform(10, 3_500), amount=round(chance.gauss(5, 1), 2))
    assert clerk.look() == []
    for _ in range(120):
        clerk.did(DONE, ago=chance.uniform(1, 9), amount=round(chance.gauss(7, 1), 2))
    (trip,) = clerk.look()
    assert trip.measured > 0.25
    assert trip.cause.startswith("The values of amount in 240 “Tip” actions of the last 1 h have a stability index of ")
    assert trip.cause.endswith(" against 300 of the 7 d before, at most 0.25 may be.")


def test_each_run_and_each_record_by_itself(clerk: Clerk) -> None:
    clerk.publish(
        "  - {name: runs, measure: errors, within: 1h, most: 1, pause: run}\n"
        "  - {name: records, measure: rate, of: desk.tip, within: 1m, most: 2, pause: record}\n"
    )
    clerk.did(FAILED, 1, run="run-1", to="ann")
    clerk.did(FAILED, 1, run="run-2", to="bo")
    clerk.did(DONE, 2, run="run-2", to="cy")
    assert clerk.look() == []
    clerk.did(FAILED, 1, run="run-2", to="dee")
    clerk.did(DONE, 1, run="run-3", to="cy")
    by_scope = {(trip.scope_kind, trip.scope_name): trip.cause for trip in clerk.look()}
    assert by_scope == {
        ("run", "run-2"): "2 of 4 actions in the last 1 h of the run run-2 failed, at most 1 may.",
        ("record", "desk/cy"): (
            "3 effects of “Tip” of the record desk/cy in the last minute; at most 2 a minute may be."
        ),
    }
    assert clerk.look() == []

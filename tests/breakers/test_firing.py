"""What fires pauses once, wakes people, counts anew when work goes on, and falls back in the ramp."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.pauses import PausePhase, ResumeAnswers, ResumeState
from assent.domain.people import Actor, Via
from assent.runtime.breaking import Watch
from assent.store import health, ledger, pauses, ramps, watches
from assent.store.database import Database
from assent.store.tables import (
    AgentRow,
    CardVersionRow,
    LedgerEventRow,
    NoticeRow,
    OutboxRow,
    PauseHoldRow,
    RunRow,
    SampleRow,
)
from tests.breakers.past import Clerk

DONE, FAILED, HELD = ActionStatus.DONE, ActionStatus.FAILED, ActionStatus.HELD
ANN = Actor(id="ann", name="Ann", via=Via.WEB)
FAILS = "  - {name: fails, measure: errors, within: 1h, most: 2, because: Tips must not be lost.}"
ANSWERS = ResumeAnswers(cause="A typo", changed="The typo", checks=["A tip by hand"])


@pytest.fixture
def clerk(database: Database) -> Clerk:
    return Clerk(database, channels=("mail", "slack"))


def test_it_stays_quiet_while_its_pause_holds(clerk: Clerk) -> None:
    clerk.publish(FAILS)
    clerk.did(FAILED, 3)
    assert len(clerk.look()) == 1
    clerk.did(FAILED, 5)
    clerk.later(minutes=5)
    assert clerk.look() == []
    assert len(clerk.pauses()) == 1


def test_only_one_of_several_watches_measures_and_another_takes_over_when_it_is_gone(clerk: Clerk) -> None:
    clerk.publish(FAILS)
    assert clerk.look("one") == []
    clerk.did(FAILED, 3)
    assert clerk.look("two") == []
    clerk.later(seconds=watches.LEASE.total_seconds() + 1)
    assert len(clerk.look("two")) == 1
    assert clerk.look("one") == []


def test_watches_that_fire_at_the_same_moment_pause_once(clerk: Clerk) -> None:
    clerk.publish(FAILS)
    clerk.did(FAILED, 3)
    ready, fired = threading.Barrier(4), list[str]()

    def fire() -> None:
        watch = Watch(clerk.database, channels=(), clock=lambda: clerk.now)
        with clerk.database.read() as session:
            watch._arm(session)
        (each,) = (each for _, each in watch._armed.values())
        ready.wait()
        fired.extend(watch._fire(each, each.rules[0]))

    threads = [threading.Thread(target=fire) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fired) == 1
    assert len(clerk.pauses()) == len(clerk.trips()) == 1


def test_the_trip_its_pause_the_ledger_and_the_alert_are_one_transaction(clerk: Clerk) -> None:
    clerk.publish(FAILS)
    bad = clerk.did(FAILED, 3)
    (trip,) = clerk.look()
    ledger.seal_all(clerk.database)
    with clerk.database.read() as session:
        kinds = list(session.execute(select(col(LedgerEventRow.kind)).order_by(col(LedgerEventRow.id))).scalars())
        (notice,) = session.execute(select(NoticeRow)).scalars()
        ways = set(map(tuple, session.execute(select(col(OutboxRow.channel), col(OutboxRow.recipient)))))
        event = session.execute(
            select(LedgerEventRow).where(col(LedgerEventRow.kind) == "breaker.tripped")
        ).scalar_one()
    assert kinds[-2:] == ["pause.requested", "breaker.tripped"]
    assert all(action in event.body for action in [trip.id, trip.pause_id, *bad])
    assert (notice.name, notice.email, notice.slack) == ("Duty desk", "duty@example.com", "#duty")
    assert notice.headline == "Agent clerk is paused: the breaker fails fired"
    assert trip.cause in notice.text
    assert "Tips must not be lost." in notice.text
    assert notice.path == f"/stop#{trip.pause_id}"
    assert ways == {("mail", "duty@example.com"), ("slack", "#duty")}


def test_whom_it_wakes(clerk: Clerk) -> None:
    clerk.publish(FAILS.replace("most: 2", 'most: 2, wake: [on-call, technical-owner, "#shop", cy@example.com, crew]'))
    clerk.did(FAILED, 3)
    (trip,) = clerk.look()
    reached = [(each["email"], each["slack"]) for each in trip.woken]
    assert reached == [("ann@example.com", ""), ("bo@example.com", ""), ("", "#shop"), ("cy@example.com", "")]
    with clerk.database.read() as session:
        ways = sorted(map(tuple, session.execute(select(col(OutboxRow.channel), col(OutboxRow.recipient)))))
    assert ways == [
        *(("mail", f"{name}@example.com") for name in ("ann", "bo", "cy")),
        ("slack", "#shop"),
    ]


def test_what_was_before_work_went_on_counts_no_more(clerk: Clerk) -> None:
    clerk.publish(FAILS)
    clerk.did(FAILED, 3)
    (first,) = clerk.look()
    clerk.later(minutes=1)
    with clerk.database.write() as session:
        pauses.end(clerk.database, session, pause_id=first.pause_id, note="Mended", by=ANN, at=clerk.now)
    clerk.later(minutes=1)
    clerk.did(FAILED, 2)
    assert clerk.look() == []
    clerk.did(FAILED, 1)
    (second,) = clerk.look()
    assert second.counted == 3
    assert second.pause_id != first.pause_id


def _hold(clerk: Clerk, pause_id: str, *runs: str) -> None:
    with clerk.database.write() as session:
        for run in runs:
            session.add(PauseHoldRow(pause_id=pause_id, action_id=f"{run}:held", run_id=run, since=clerk.now))
            session.add(
                RunRow(
                    run_id=run,
                    agent="clerk",
                    status="held",
                    started_by=ANN.model_dump(mode="json"),
                    started_at=clerk.now,
                    last_at=clerk.now,
                )
            )
    for run in runs:
        clerk.did(HELD, run=run)


def test_one_failure_in_the_ramp_takes_it_back(clerk: Clerk) -> None:
    clerk.publish("  - {name: fails, measure: errors, within: 1h, share: 0.5, least: 3}")
    clerk.did(FAILED, 3)
    (first,) = clerk.look()
    _hold(clerk, first.pause_id, "run-1", "run-2", "run-3")
    clerk.later(minutes=10)
    with clerk.database.write() as session:
        state = ramps.start(
            clerk.database,
            session,
            pause_id=first.pause_id,
            answers=ANSWERS,
            by=ANN,
            at=clerk.now,
            step_time=timedelta(minutes=10),
        )
    assert state is ResumeState.RELEASING
    clerk.later(seconds=20)
    assert clerk.look() == []
    clerk.did(FAILED, 1, ago=5)
    (second,) = clerk.look()
    (pause,) = clerk.pauses()
    assert (second.kind, second.pause_id, second.cases) == ("fell_back", first.pause_id, 1)
    assert (pause.active, pause.phase) == (True, PausePhase.HOLDING.value)
    assert pause.fell_back_why == (
        "The breaker fails fired again: 1 of 1 action in the last 1 h failed (100%), at most 50% may."
    )
    assert clerk.look() == []


def test_a_connector_that_is_still_down_is_paused_again_at_once(clerk: Clerk) -> None:
    clerk.publish("  - {name: desk-down, measure: probe, of: desk, most: 0}")
    with clerk.database.write() as session:
        health.record(session, "desk", error="away", at=clerk.now)
    (first,) = clerk.look()
    with clerk.database.write() as session:
        pauses.end(clerk.database, session, pause_id=first.pause_id, note="Hope", by=ANN, at=clerk.now)
    assert len(clerk.look()) == 1
    with clerk.database.write() as session:
        health.record(session, "desk", error="", at=clerk.now)


def test_idle_watches_write_nothing(clerk: Clerk) -> None:
    clerk.publish(FAILS)
    clerk.did(DONE, 3)
    assert clerk.look() == []

    def written() -> tuple[int, int]:
        with clerk.database.read() as session:
            samples = len(session.execute(select(SampleRow)).scalars().all())
            return samples, session.execute(
                select(col(LedgerEventRow.id)).order_by(col(LedgerEventRow.id).desc())
            ).scalars().first() or 0

    before = written()
    for _ in range(5):
        clerk.later(seconds=1)
        assert clerk.look() == []
    assert written() == before


def test_a_card_that_cannot_be_read_takes_no_breaker_from_others(clerk: Clerk) -> None:
    clerk.publish(FAILS)
    with clerk.database.write() as session:
        broken = {"agent": "broken", "version": 1, "digest": "", "source": "", "catalogue": {}, "published_by": "Bo"}
        session.execute(insert(CardVersionRow).values(**broken, card={"name": "broken"}, published_at=clerk.now))
        session.execute(insert(AgentRow).values(name="broken", title="", version=1, updated_at=clerk.now))
    clerk.did(FAILED, 3)
    assert len(clerk.look()) == 1

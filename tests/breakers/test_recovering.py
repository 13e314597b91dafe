"""A tool that is well ends its fallback by itself, where the card says so; else people do, and read since when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.breakers import MOST_RECOVER
from assent.domain.pauses import Disposition, PausePhase, ResumeAnswers
from assent.domain.people import SYSTEM, Actor, Role, Via
from assent.gateway import breakers
from assent.store import health, ledger, pauses, ramps
from assent.store.database import Database
from assent.store.queries import trips
from assent.store.recovering import Recovery
from assent.store.tables import LedgerEventRow, NoticeRow, PauseHoldRow, RunRow, TripRow
from tests.breakers.past import Clerk
from tests.identity.house import House, build
from tests.pages.reading import PageReader

ANN = Actor(id="ann", name="Ann", via=Via.WEB)
DOWN = "  - {name: desk-down, measure: probe, of: desk, most: 1, recover: 3}"
BY_HAND = "  - {name: desk-down, measure: probe, of: desk, most: 1}"
FALLBACK = "fallback:\n  desk: {say: The desk is closed.}\n"
ANSWERS = ResumeAnswers(cause="The desk was closed", changed="It is open", checks=["By hand"])


@pytest.fixture
def clerk(database: Database) -> Clerk:
    return Clerk(database, channels=("mail",))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The web pages, without Temporal."""
    made = build(tmp_path / "assent.db")
    yield made
    made.database.close()


def asked(clerk: Clerk, error: str = "", times: int = 1) -> None:
    """Health checks with this answer, ten seconds apart."""
    for _ in range(times):
        clerk.later(seconds=10)
        with clerk.database.write() as session:
            health.record(session, "desk", error=error, at=clerk.now)


def fallen_back(clerk: Clerk, breaker: str = DOWN) -> TripRow:
    """The desk does not answer, and the agent is in its fallback."""
    clerk.publish(breaker, FALLBACK)
    asked(clerk, "Connection refused", times=2)
    (trip,) = clerk.look()
    return trip


def recovery(clerk: Clerk, trip: TripRow) -> Recovery | None:
    """How it stands with what a trip holds."""
    with clerk.database.read() as session:
        return breakers.recovery(session, trips.one(session, trip.id))


def hold(clerk: Clerk, pause_id: str, *runs: str) -> None:
    """Runs whose actions a pause holds."""
    with clerk.database.write() as session:
        for run in runs:
            session.add(PauseHoldRow(pause_id=pause_id, action_id=f"{run}:held", run_id=run, since=clerk.now))
            by, at = SYSTEM.model_dump(mode="json"), clerk.now
            row = RunRow(run_id=run, agent="clerk", status="held", started_by=by, started_at=at, last_at=at)
            session.add(row)
    for run in runs:
        clerk.did(ActionStatus.HELD, run=run)


def test_it_ends_after_the_written_number_of_passed_checks_and_says_so_once(clerk: Clerk) -> None:
    trip = fallen_back(clerk)
    asked(clerk, times=2)
    assert clerk.look() == []
    assert clerk.pauses()[0].active
    asked(clerk)
    well_since = clerk.now - timedelta(seconds=20)
    assert clerk.look() == []
    (pause,) = clerk.pauses()
    assert (pause.active, pause.resumed_by) == (False, SYSTEM.model_dump(mode="json"))
    assert "passed its health check 3 times one after the other" in pause.resume_note
    assert clerk.look("two") == clerk.look() == []
    ledger.seal_all(clerk.database)
    with clerk.database.read() as session:
        wanted = select(LedgerEventRow).where(col(LedgerEventRow.kind) == "breaker.recovered")
        (event,) = session.execute(wanted).scalars()
        notices = {row.id: row for row in session.execute(select(NoticeRow)).scalars()}
    assert well_since.isoformat() in event.body
    told, well = (notices[id] for id in (f"{trip.id}-0", f"{trip.id}-well-0"))
    assert "It ends by itself when the health check has passed 3 times one after the other." in told.text
    assert (well.email, well.headline) == ("duty@example.com", "Connector desk goes on: it is well again")
    assert "the fallback of the breaker desk-down ended by itself" in well.text


def test_a_check_that_fails_in_between_begins_the_count_anew(clerk: Clerk) -> None:
    trip = fallen_back(clerk)
    asked(clerk, times=2)
    asked(clerk, "Timed out")
    asked(clerk, times=2)
    clerk.look()
    assert clerk.pauses()[0].active
    found = recovery(clerk, trip)
    assert found is not None
    assert found.sentence == (
        "It passed its health check 2 times one after the other; after 3 times the fallback ends by itself."
    )
    asked(clerk)
    clerk.look()
    assert not clerk.pauses()[0].active


def test_without_a_number_a_person_lets_it_go_on_and_reads_since_when_it_is_well(clerk: Clerk) -> None:
    trip = fallen_back(clerk, BY_HAND)
    asked(clerk)
    since = clerk.now
    asked(clerk, times=MOST_RECOVER + 5)
    clerk.look()
    assert clerk.pauses()[0].active
    found = recovery(clerk, trip)
    assert found is not None
    assert (found.health.well, found.health.since, found.health.passes) == (True, since, MOST_RECOVER)
    assert found.sentence.endswith("Nothing goes on by itself: a person resumes.")


def test_what_people_took_into_their_hands_waits_for_them(clerk: Clerk) -> None:
    trip = fallen_back(clerk)
    with clerk.database.write() as session:
        ramps.want_second(clerk.database, session, pause_id=trip.pause_id, answers=ANSWERS, by=ANN, at=clerk.now)
    asked(clerk, times=5)
    clerk.look()
    assert clerk.pauses()[0].phase == PausePhase.SECOND_WANTED.value


def test_a_disposition_that_people_changed_keeps_it(clerk: Clerk) -> None:
    trip = fallen_back(clerk)
    drain = Disposition.DRAIN
    with clerk.database.write() as session:
        pauses.change_disposition(
            clerk.database, session, pause_id=trip.pause_id, disposition=drain, by=ANN, at=clerk.now
        )
    asked(clerk, times=5)
    clerk.look()
    assert clerk.pauses()[0].active


def test_a_card_that_does_not_say_it_any_more_keeps_it(clerk: Clerk) -> None:
    fallen_back(clerk)
    clerk.publish(BY_HAND, FALLBACK)
    asked(clerk, times=5)
    clerk.look()
    assert clerk.pauses()[0].active


def test_what_it_held_goes_on_in_steps_and_is_held_again_where_the_tool_is_down_again(clerk: Clerk) -> None:
    trip = fallen_back(clerk)
    hold(clerk, trip.pause_id, "run-1", "run-2", "run-3")
    asked(clerk, times=3)
    clerk.look()
    assert clerk.pauses()[0].phase == PausePhase.RELEASING.value
    asked(clerk, "Timed out", times=2)
    (again,) = clerk.look()
    assert (again.kind, again.pause_id) == ("fell_back", trip.pause_id)
    asked(clerk, times=3)
    clerk.look()
    assert clerk.pauses()[0].phase == PausePhase.RELEASING.value


def test_where_letting_go_failed_although_the_check_passes_people_decide(clerk: Clerk) -> None:
    trip = fallen_back(clerk)
    hold(clerk, trip.pause_id, "run-1", "run-2")
    asked(clerk, times=3)
    clerk.look()
    clerk.later(seconds=1)
    with clerk.database.write() as session:
        assert pauses.fall_back(session, trip.pause_id, "Every effect failed.", clerk.now)
    asked(clerk, times=5)
    clerk.look()
    assert clerk.pauses()[0].phase == PausePhase.HOLDING.value
    found = recovery(clerk, trip)
    assert found is not None
    assert found.wanted == 0


async def test_the_pages_say_since_when_it_is_healthy_again(house: House) -> None:
    clerk = Clerk(house.database, now=house.clock() - timedelta(minutes=5))
    trip = fallen_back(clerk, BY_HAND)
    async with house.browser(house.person("Ada", Role.ADMIN)) as browser:
        for path in ("/stop", f"/trips/{trip.id}"):
            assert "desk is not healthy since" in PageReader((await browser.get(path)).text).words
        asked(clerk, times=2)
        for path in ("/stop", f"/trips/{trip.id}"):
            page = PageReader((await browser.get(path)).text)
            assert "desk is healthy again since" in page.words
            assert "It passed its health check 2 times one after the other. Nothing goes on by itself" in page.words
        (item,) = (await browser.get("/api/v1/connectors")).json()["items"]
        assert (item["well"], item["passes"], item["failures"]) == (True, 2, 0)

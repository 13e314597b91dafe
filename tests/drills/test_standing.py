"""When the next drill is due, what is wrong, and what that keeps from going live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.domain.drills import (
    DrillFigures,
    DrillRequest,
    DrillStanding,
    DrillStatus,
    DrillTerms,
    judge,
    scheduled_from,
    scratch_name,
    standing_of,
)
from assent.domain.errors import BrokenCard, Conflict
from assent.domain.people import SYSTEM
from assent.policy.cards import read_card
from assent.runtime.cards import publish_card, publish_folder
from assent.runtime.drilling.schedule import due_drills
from assent.store import drills
from assent.store.database import Database
from assent.store.queries import drills as look
from assent.store.tables import DrillRow
from assent_activities.connectors import build_registry
from tests.databases import KINDS, migrated_database
from tests.desk import CARD, Desk

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
GOOD = DrillFigures(fence_seconds=0.1, quiesce_seconds=2.0, slipped=0, undone=5, left=0, differing=0, held=2, went_on=2)


def drilled(*, block_live: bool = False, every: str = "30d", note: str = "") -> str:
    block = f"drills: {{every: {every}, block_live: {str(block_live).lower()}}}\n"
    return f"{CARD}{block}# {note}\n".replace("Keeps notes", f"Keeps notes{note}")


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with migrated_database(request.param, request, tmp_path) as made:
        yield made


def publish(database: Database, source: str) -> list[str]:
    return publish_card(database, build_registry([Desk()]), source, where="card", by=SYSTEM).warnings


def held(database: Database, figures: DrillFigures, *, ago: timedelta = timedelta(0), broken_off: str = "") -> None:
    request = DrillRequest(
        drill_id=f"drill-{ago.total_seconds():012.0f}{len(broken_off)}",
        agent="desk-clerk",
        by=SYSTEM,
        requested_at=datetime.now(UTC) - ago,
    )
    with database.write() as session:
        drills.begin(session, request, DrillTerms())
    with database.write() as session:
        row = session.get(DrillRow, request.drill_id)
        assert row is not None
        row.figures = figures.model_dump(mode="json")
    with database.write() as session:
        drills.end(session, request, at=datetime.now(UTC), broken_off=broken_off)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"fence_seconds": 6.0}, "The fence stood after 6.00 s; the card allows 5 s."),
        ({"quiesce_seconds": 61.0}, "Effects under way ended after 61.00 s; the card allows 60 s."),
        ({"slipped": 1}, "1 effect began behind the fence."),
        ({"left": 2}, "2 effects could not be rolled back."),
        ({"differing": 1}, "1 record did not become what they were at the start."),
        ({"went_on": 1}, "1 of 2 held runs did not go on."),
        ({"slipped": None}, "It did not learn whether the fence holds."),
    ],
)
def test_a_drill_fails_for_a_reason(changed: dict[str, float | None], reason: str) -> None:
    assert judge(GOOD, DrillTerms()) == []
    assert judge(GOOD.model_copy(update=changed), DrillTerms()) == [reason]


def test_a_drill_that_broke_off_says_where() -> None:
    assert judge(DrillFigures(), DrillTerms(), broken_off="Pause: no database") == ["It broke off: Pause: no database"]


def test_a_drill_is_due_after_the_last_that_passed_or_the_first_card() -> None:
    standing = DrillStanding(agent="a", every=30 * DAY)
    never = standing_of(standing, first_published_at=NOW - 31 * DAY, now=NOW)
    assert (never.due_at, never.overdue) == (NOW - DAY, True)
    assert "none has passed" in never.wrong
    passed = standing_of(
        standing.model_copy(update={"passed_at": NOW - 10 * DAY}), first_published_at=NOW - 90 * DAY, now=NOW
    )
    assert (passed.due_at, passed.overdue, passed.wrong) == (NOW + 20 * DAY, False, "")
    assert scheduled_from(NOW, 90 * DAY) == NOW - 7 * DAY
    assert scheduled_from(NOW, DAY) == NOW - DAY / 10


def test_at_least_once_a_quarter() -> None:
    for every in ("93d", "30s"):
        with pytest.raises(BrokenCard, match="every"):
            read_card(drilled(every=every))
    block = read_card(f"{CARD}drills: {{}}\n").drills
    assert block is not None
    assert block.every == timedelta(days=90)


def test_the_name_of_a_scratch_agent_belongs_to_drills(database: Database) -> None:
    name = scratch_name("a" * 60, "drill-0123456789ab")
    assert name == f"drill-of-{'a' * 40}-01234567"
    assert scratch_name("desk-clerk", "drill-0123456789ab") == "drill-of-desk-clerk-01234567"
    with pytest.raises(BrokenCard, match="kept for drills"):
        publish(database, CARD.replace("desk-clerk", "drill-of-desk-clerk-01234567"))


def test_an_overdue_drill_warns_or_keeps_automatic_tiers_from_going_live(database: Database, tmp_path: Path) -> None:
    assert publish(database, drilled()) == []
    held(database, GOOD.model_copy(update={"slipped": 1}), ago=DAY)
    assert "assent drill run desk-clerk" in " ".join(publish(database, drilled(note=" well")))
    with pytest.raises(Conflict, match=r"Its last stop drill .* failed") as refused:
        publish(database, drilled(block_live=True))
    assert "assent drill run desk-clerk" in refused.value.todo
    people = drilled(block_live=True, note=" by hand").replace("tier: auto", "tier: approve")
    assert publish(database, people) == []
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "card.yaml").write_text(drilled(block_live=True, note=" in a folder"))
    kept = publish_folder(database, build_registry([Desk()]), folder, by=SYSTEM)[0]
    assert (kept.version, kept.new) == (3, False)
    assert "failed" in kept.warnings[0]
    held(database, GOOD)
    assert publish(database, drilled(block_live=True)) == []


def test_what_is_due_is_held_by_itself_and_not_again_and_again(database: Database) -> None:
    publish(database, drilled())

    def due(now: datetime) -> list[str]:
        with database.read() as session:
            return [each.agent for each in due_drills(session, now=now).drills]

    now = datetime.now(UTC)
    assert due(now) == ["desk-clerk"]
    held(database, GOOD, ago=timedelta(hours=2))
    assert due(now) == []
    assert due(now + 26 * DAY) == []
    assert due(now + 28 * DAY) == ["desk-clerk"]
    held(database, GOOD.model_copy(update={"left": 1}))
    assert due(now + timedelta(hours=1)) == []
    assert due(now + 28 * DAY) == ["desk-clerk"]
    publish(database, drilled().replace("block_live: false", "automatic: false"))
    assert due(now + 40 * DAY) == []
    with database.read() as session:
        standing = look.standing(session, "desk-clerk", now=now + 40 * DAY)
    assert standing.overdue
    assert standing.last_status is DrillStatus.FAILED

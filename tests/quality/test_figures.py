"""Figures on decisions are what a count by hand gives, whatever the order and the size of the batches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from assent.domain.errors import InvalidInput
from assent.domain.quality import Figures, bucket_of, percentile, reading_seconds, seconds_of
from assent.store import quality as counting
from assent.store.database import Database
from assent.store.queries import quality
from assent.store.queries.paging import PageRequest
from assent.store.tables import QualityMarkRow
from tests.databases import KINDS, migrated_database, prepare
from tests.quality.past import NOW, READING, Case, by_hand, counted, write


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with migrated_database(request.param, request, tmp_path) as made:
        yield made


def _total(database: Database, days: int = 30, agent: str = "clerk", type: str = "desk.pay") -> Figures:
    with database.read() as session:
        return quality.of_kind(session, agent, type, NOW, days=days).total


def test_a_small_history_counted_by_hand(database: Database) -> None:
    write(
        database,
        [
            Case(took=60, looks=(12.0,), effect="done"),
            Case(took=120, looks=(4.0, None), effect="undone"),
            Case(took=600, edited=2, looks=(-1,), effect="unknown"),
            Case(ended="rejected", took=30, ago=6),
            Case(ended="expired", ago=7),
            Case(ended="withdrawn", ago=29),
            Case(ended="unopposed", ago=30, effect="done"),
            Case(ended="pending"),
            Case(agent="other", ended="rejected"),
        ],
    )
    counted(database)
    month = _total(database)
    counts = (month.asked, month.approved, month.refused, month.expired, month.withdrawn, month.edited, month.changed)
    assert counts == (7, 3, 1, 1, 1, 1, 2)
    assert (month.votes, month.opened, month.timed, month.hasty) == (4, 3, 2, 1)
    assert (month.ran, month.undone, month.unknown, month.unopposed) == (2, 1, 1, 0)
    assert month.changed_share == 0.5
    assert percentile(month.decide, 0.5) == pytest.approx(60, rel=0.026)
    assert percentile(month.decide, 0.9) == pytest.approx(600, rel=0.026)
    assert _total(database, 90).unopposed == 1
    week = _total(database, 7)
    assert (week.refused, week.expired) == (1, 0)
    assert _total(database, agent="other").refused == 1


def test_nothing_is_counted_twice(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    first, more = [Case(looks=(3.0,))] * 3, [Case(ended="rejected")] * 2
    monkeypatch.setattr(counting, "BATCH", 2)
    write(database, first)
    counted(database)
    counted(database)
    assert _total(database) == by_hand(first)
    write(database, more, start=3)
    counted(database)
    assert _total(database) == by_hand([*first, *more])
    with database.write() as session:
        session.execute(update(QualityMarkRow).values(seq=10**6))
    assert not counting.count(database, NOW)


def test_asked_again_is_asked_and_decided_again(database: Database) -> None:
    from assent.domain.people import SYSTEM
    from assent.store import ledger

    write(database, [Case(took=60)])
    with database.write() as session:
        again = {"approval": "ap-0", "verb": "approve", "digest": "digest-0-0"}
        for kind in ("approval.reopened", "approval.decided"):
            ledger.append(session, at=NOW, kind=kind, actor=SYSTEM, action_id="run-0:a", agent="clerk", body=again)
    ledger.seal_all(database)
    counted(database)
    assert (_total(database).asked, _total(database).approved) == (2, 2)


CASES = st.builds(
    Case,
    ended=st.sampled_from(["approved", "rejected", "expired", "withdrawn", "unopposed", "pending"]),
    ago=st.integers(0, 40),
    took=st.integers(0, 10**6),
    edited=st.integers(0, 2),
    looks=st.lists(st.one_of(st.none(), st.just(-1.0), st.floats(0, 4000)), min_size=1, max_size=3).map(tuple),
    effect=st.sampled_from(["", "done", "undone", "unknown"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases=st.lists(CASES, max_size=12), batch=st.integers(1, 40))
def test_days_added_up_equal_a_direct_count(cases: list[Case], batch: int) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "BATCH", batch)
        database = Database(f"sqlite:///{folder}/assent.db")
        prepare(database)
        write(database, cases)
        counted(database)
        # A request that began on the day before its end is asked on that day.
        asked = sum(NOW - timedelta(days=case.ago, seconds=case.took) >= _midnight(90) for case in cases)
        wanted = by_hand(cases)
        found = _total(database, 90)
        assert found.asked == asked
        assert Figures(**{**_fields(found), "asked": wanted.asked}) == wanted
        database.close()


def _midnight(days: int) -> datetime:
    return (NOW - timedelta(days=days - 1)).replace(hour=0, minute=0)


def _fields(figures: Figures) -> dict[str, Any]:
    return {name: getattr(figures, name) for name in Figures.__dataclass_fields__}


def test_pages_go_on_where_they_ended(database: Database) -> None:
    write(database, [Case(agent=f"agent-{number}", type=f"desk.t{number % 2}") for number in range(5)])
    counted(database)
    with database.read() as session:
        first = quality.page(session, NOW, request=PageRequest(3))
        rest = quality.page(session, NOW, request=PageRequest(3, first.next_cursor))
        assert [kind.agent for kind in (*first.items, *rest.items)] == [f"agent-{number}" for number in range(5)]
        assert [kind.agent for kind in quality.page(session, NOW, agent="agent-3").items] == ["agent-3"]
        with pytest.raises(InvalidInput, match="7, 30, 90"):
            quality.page(session, NOW, days=8)


@given(st.floats(0.001, 10**7))
def test_a_bucket_is_right_to_two_and_a_half_per_cent(seconds: float) -> None:
    if seconds >= 1:
        assert seconds_of(bucket_of(seconds)) == pytest.approx(seconds, rel=0.026)
    else:
        assert bucket_of(seconds) == 0


def test_reading_takes_a_minute_for_240_words_within_bounds() -> None:
    assert reading_seconds("word " * 240) == 60
    assert reading_seconds("word " * 40) == READING
    assert reading_seconds("two words") == 2
    assert reading_seconds("word " * 100_000) == 120
    assert percentile({}, 0.5) is None

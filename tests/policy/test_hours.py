"""Business hours: only counted time passes, across week-ends, time zones and changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.domain.approving import WorkingHours
from assent.domain.days import Day
from assent.policy.approval_block import HoursRule
from assent.policy.hours import counts, later, working_hours

BERLIN = ZoneInfo("Europe/Berlin")


def hours(zone: str = "Europe/Berlin", opens: str = "09:00", closes: str = "17:00", *days: Day) -> WorkingHours:
    written = {"zone": zone, "from": opens, "to": closes} | ({"days": list(days)} if days else {})
    found = working_hours(HoursRule.model_validate(written))
    assert found is not None
    return found


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        ("2030-01-01 10:00", timedelta(hours=4), "2030-01-01 14:00"),
        ("2030-01-01 10:00", timedelta(hours=7), "2030-01-01 17:00"),
        ("2030-01-01 10:00", timedelta(hours=8), "2030-01-02 10:00"),
        ("2030-01-01 18:30", timedelta(hours=1), "2030-01-02 10:00"),
        ("2030-01-01 06:00", timedelta(0), "2030-01-01 09:00"),
        ("2030-01-04 16:00", timedelta(hours=2), "2030-01-07 10:00"),
        ("2030-01-05 12:00", timedelta(hours=24), "2030-01-09 17:00"),
    ],
    ids=["same day", "to the end", "next day", "after work", "before work", "over the week-end", "three days"],
)
def test_only_working_hours_count(start: str, span: timedelta, end: str) -> None:
    assert later(at(start), span, hours()) == at(end)


def test_without_hours_all_time_counts() -> None:
    assert later(at("2030-01-05 12:00"), timedelta(hours=24), None) == at("2030-01-06 12:00")


def test_the_hours_are_those_of_the_zone() -> None:
    """A request at 10:00 in Berlin is one at 04:00 in New York."""
    new_york = ZoneInfo("America/New_York")
    found = later(at("2030-01-02 10:00"), timedelta(hours=1), hours("America/New_York"))
    assert found == at("2030-01-02 10:00", new_york)


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        # Clocks go forward in the night to 31 March 2030 and back in the night to 27 October 2030.
        ("2030-03-29 16:00", timedelta(hours=2), "2030-04-01 10:00"),
        ("2030-10-25 16:00", timedelta(hours=2), "2030-10-28 10:00"),
    ],
)
def test_a_change_of_the_clocks_over_the_week_end_moves_nothing(start: str, span: timedelta, end: str) -> None:
    assert later(at(start), span, hours()) == at(end)


def test_an_hour_that_the_clocks_leave_out_does_not_count_and_one_that_comes_twice_counts_twice() -> None:
    night = hours("Europe/Berlin", "00:00", "06:00", Day.SUN)
    assert later(at("2030-03-31 00:00"), timedelta(hours=5), night) == at("2030-03-31 06:00")
    assert later(at("2030-10-27 00:00"), timedelta(hours=7), night) == at("2030-10-27 06:00")


def test_midnight_ends_a_day() -> None:
    whole = hours("UTC", "00:00", "24:00", *Day)
    start = datetime(2030, 1, 1, 13, tzinfo=UTC)
    assert later(start, timedelta(days=3, hours=2), whole) == start + timedelta(days=3, hours=2)


def test_hours_are_said_in_words() -> None:
    assert hours().words == "Mon–Fri 09:00–17:00 Europe/Berlin"
    assert hours("UTC", "08:00", "12:00", Day.SAT, Day.MON).words == "Mon, Sat 08:00–12:00 UTC"


_FIRST = datetime(2029, 1, 1, tzinfo=UTC)
_moments = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: _FIRST + timedelta(minutes=minutes))
_spans = st.integers(0, 60 * 60 * 24 * 30).map(lambda seconds: timedelta(seconds=seconds))
_zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
_days = st.sets(st.sampled_from(Day), min_size=1).map(sorted)


@given(_moments, _spans, _spans, _zones, _days, st.integers(0, 20))
def test_time_adds_up(start: datetime, one: timedelta, two: timedelta, zone: str, days: list[Day], opens: int) -> None:
    office = hours(zone, f"{opens:02d}:00", f"{opens + 3:02d}:30", *days)
    first = later(start, one, office)
    assert first >= start
    assert counts(first, office)
    both = later(start, one + two, office)
    assert both >= first
    assert later(first, two, office) in (both, later(both, timedelta(0), office))
    assert both - start >= one + two

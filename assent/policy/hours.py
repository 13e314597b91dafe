"""Business hours: moving a time by hours that count, in a time zone with its changes to summer time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from assent.domain.approving import WorkingHours
from assent.domain.days import Day
from assent.policy.approval_block import HoursRule

_DAYS = list(Day)
_DAY_WORDS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def working_hours(rule: HoursRule | None) -> WorkingHours | None:
    """The hours of a card as a request keeps them."""
    if rule is None:
        return None
    days = tuple(sorted({_DAYS.index(day) for day in rule.days}))
    words = f"{_days_in_words(days)} {rule.opens}–{rule.closes} {rule.zone}"
    return WorkingHours(
        zone=rule.zone, days=days, opens=_minutes(rule.opens), closes=_minutes(rule.closes), words=words
    )


def later(start: datetime, span: timedelta, hours: WorkingHours | None) -> datetime:
    """The moment at which so much counted time has passed.

    Args:
        start: With its time zone. Outside the hours, counting begins when they open next.
        span: How much time; nothing gives the first moment that counts.
        hours: The hours that count; ``None``: all of them.

    Returns:
        In UTC. An hour that a change of the clocks leaves out does not count; one that comes twice counts twice.
    """
    start = start.astimezone(UTC)
    if hours is None:
        return start + span
    left = span
    for opens, closes in _windows(start, hours):
        begin = max(start, opens)
        if begin >= closes:
            continue
        if left <= closes - begin:
            return begin + left
        left -= closes - begin
    raise AssertionError("there always is another working day")


def counts(at: datetime, hours: WorkingHours) -> bool:
    """Whether a moment lies within the hours, their first and last one included."""
    day = at.astimezone(ZoneInfo(hours.zone)).date()
    near = _windows(at - timedelta(days=1), hours)
    for opens, closes in near:
        if opens <= at <= closes:
            return True
        if opens.astimezone(ZoneInfo(hours.zone)).date() > day:
            return False
    return False


def _windows(start: datetime, hours: WorkingHours) -> Iterator[tuple[datetime, datetime]]:
    zone = ZoneInfo(hours.zone)
    day = start.astimezone(zone).date()
    while True:
        if day.weekday() in hours.days:
            yield _moment(day, hours.opens, zone), _moment(day, hours.closes, zone)
        day += timedelta(days=1)


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    if minutes == 24 * 60:
        return _moment(day + timedelta(days=1), 0, zone)
    return datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone).astimezone(UTC)


def _minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def _days_in_words(days: tuple[int, ...]) -> str:
    whole = len(days) > 2 and days == tuple(range(days[0], days[-1] + 1))
    return f"{_DAY_WORDS[days[0]]}–{_DAY_WORDS[days[-1]]}" if whole else ", ".join(_DAY_WORDS[day] for day in days)

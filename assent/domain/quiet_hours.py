"""Quiet hours: when a person is not to be told anything, in their time zone with its changes to summer time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from assent.domain.days import Day

DAY_MINUTES = 24 * 60

_LOOK_AHEAD_DAYS = 9
"""So many days hold the end of every stretch of quiet: at most six whole days in a row, and the nights around them."""


class QuietHours(BaseModel):
    """Hours of every day, and whole days of the week, in which a person is left alone.

    Attributes:
        zone: Name of their time zone, ``Europe/Berlin``.
        starts: When quiet begins each day, ``22:00``.
        ends: When it ends, ``07:00``; earlier than ``starts`` means the next morning, the same means no such hours.
        days: Days that are quiet from midnight to midnight; at most six.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: str = Field(default="UTC", max_length=60)
    starts: str = Field(default="22:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    ends: str = Field(default="07:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    days: tuple[Day, ...] = ()

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone; they look like Europe/Berlin") from None
        return value

    @field_validator("days")
    @classmethod
    def _in_order(cls, value: tuple[Day, ...]) -> tuple[Day, ...]:
        return tuple(day for day in Day if day in value)

    @model_validator(mode="after")
    def _not_for_ever(self) -> QuietHours:
        if len(self.days) == len(Day):
            raise ValueError("At least one day is not quiet; to hear nothing at all, switch the channels off.")
        return self

    @property
    def words(self) -> str:
        """``22:00 to 07:00, and on Saturday and Sunday``."""
        said = [f"{self.starts} to {self.ends}"] if self.starts != self.ends else []
        if self.days:
            *others, last = [day.word for day in self.days]
            said.append(f"on {', '.join(others)} and {last}" if others else f"on {last}")
        return ", and ".join(said) or "never"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of quiet, in UTC; its end no longer belongs to it."""

    starts: datetime
    ends: datetime

    def holds(self, at: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.starts <= at < self.ends


def next_stretch(hours: QuietHours, at: datetime) -> Stretch | None:
    """The stretch of quiet that a moment lies in, else the next one; ``None`` if no hours are quiet.

    Hours and days that touch are one stretch. An hour that a change of the clocks leaves out is not there, and one that
    comes twice is quiet twice.
    """
    found: Stretch | None = None
    for each in sorted(_stretches(hours, at), key=lambda one: one.starts):
        if found is not None and each.starts <= found.ends:
            found = Stretch(found.starts, max(found.ends, each.ends))
        elif found is not None and found.ends > at:
            return found
        else:
            found = each
    return found if found is not None and found.ends > at else None


def may_tell(hours: QuietHours | None, at: datetime) -> datetime:
    """The first moment, from now on, at which somebody may be told something."""
    stretch = None if hours is None else next_stretch(hours, at)
    return stretch.ends if stretch is not None and stretch.holds(at) else at


def _stretches(hours: QuietHours, at: datetime) -> Iterator[Stretch]:
    zone = ZoneInfo(hours.zone)
    today = at.astimezone(zone).date()
    starts, ends = _minutes(hours.starts), _minutes(hours.ends)
    for ahead in range(-_LOOK_AHEAD_DAYS, _LOOK_AHEAD_DAYS + 1):
        day = today + timedelta(days=ahead)
        if Day(list(Day)[day.weekday()]) in hours.days:
            yield Stretch(_moment(day, 0, zone), _moment(day, DAY_MINUTES, zone))
        if starts != ends:
            until = ends if starts < ends else ends + DAY_MINUTES
            made = Stretch(_moment(day, starts, zone), _moment(day, until, zone))
            if made.starts < made.ends:
                yield made


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    days, rest = divmod(minutes, DAY_MINUTES)
    wall = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), tzinfo=zone)
    return wall.astimezone(UTC)


def _minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)

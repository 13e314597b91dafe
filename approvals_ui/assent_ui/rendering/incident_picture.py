"""The line of time of an incident as figures for a template to draw, each lane with its words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assent.domain.words import counted
from assent.store.queries.incident_times import Done
from assent.store.queries.incidents import IncidentView
from assent.store.queries.pauses import PauseView
from assent.store.queries.rollbacks import RollbackView

WIDTH, HEIGHT = 600, 40
"""Units of a lane; it scales with its place."""

BUCKETS = 60
"""Bars of a lane that counts."""

_THIN = 3.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a lane."""

    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the picture.

    Attributes:
        key: Its name, for ids and colours.
        title: Its title.
        words: What it shows, in a sentence.
        bars: Its pieces, from left to right.
    """

    key: str
    title: str
    words: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of the incident itself.

    Attributes:
        x: Where it is.
        word: What it is.
        shape: Its shape.
        tone: Its colour.
        at: When; ``None`` if it has not come.
        after: How long after the beginning.
    """

    x: float
    word: str
    shape: str
    tone: str
    at: datetime | None
    after: timedelta | None


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole line of time."""

    start: datetime
    end: datetime
    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    end: datetime

    def x(self, moment: datetime) -> float:
        share = (moment - self.start) / (self.end - self.start)
        return round(min(1.0, max(0.0, share)) * WIDTH, 2)


def draw(
    incident: IncidentView,
    *,
    done: Sequence[Done],
    pauses: Sequence[PauseView],
    rollbacks: Sequence[RollbackView],
    now: datetime,
) -> Picture:
    """Draw an incident's line of time, from its beginning to its last moment, or to now while it is open."""
    marks = [incident.began_at, incident.noticed_at, incident.stopped_at, incident.mended_at, incident.closed_at]
    moments = [each for each in marks if each is not None]
    moments += [each.at for each in done] + [each.undone_at for each in done if each.undone_at is not None]
    moments += [each.requested_at for each in pauses] + [each.requested_at for each in rollbacks]
    moments += [each.resumed_at for each in pauses if each.resumed_at is not None]
    end = max(moments) if incident.closed_at is not None else now
    start = min(moments)
    scale = _Scale(start, max(end, start + timedelta(seconds=1)))
    return Picture(
        scale.start,
        scale.end,
        (
            _counts(scale, "done", "Effects", "effect", (each.at for each in done)),
            _counts(scale, "undone", "Taken back", "effect", (each.undone_at for each in done if each.undone_at)),
            _spans(
                scale,
                "paused",
                "Paused",
                "pause",
                [(each.fenced_at, each.resumed_at or scale.end, each.scope.sentence) for each in pauses],
            ),
            _spans(
                scale,
                "undoing",
                "Undoing",
                "rollback",
                [(each.requested_at, each.finished_at or scale.end, each.status.value) for each in rollbacks],
            ),
        ),
        _marks(incident, scale),
    )


def _counts(scale: _Scale, key: str, title: str, noun: str, moments: Iterable[datetime]) -> Lane:
    buckets: dict[int, int] = {}
    for moment in moments:
        place = min(BUCKETS - 1, int(scale.x(moment) / WIDTH * BUCKETS))
        buckets[place] = buckets.get(place, 0) + 1
    most, step = max(buckets.values(), default=0), WIDTH / BUCKETS
    bars = []
    for place, number in sorted(buckets.items()):
        height = round(max(3.0, number / most * HEIGHT), 2)
        words = counted(number, noun)
        bars.append(Bar(round(place * step, 2), round(HEIGHT - height, 2), round(step * 0.85, 2), height, words))
    total = sum(buckets.values())
    return Lane(key, title, f"{counted(total, noun)}, at most {most:,} at a time" if total else "none", tuple(bars))


def _spans(scale: _Scale, key: str, title: str, noun: str, spans: Sequence[tuple[datetime, datetime, str]]) -> Lane:
    high = HEIGHT / max(1, len(spans))
    bars = []
    for place, (begin, end, words) in enumerate(spans):
        left, right = scale.x(begin), scale.x(end)
        width = max(_THIN, right - left)
        bars.append(Bar(min(left, WIDTH - width), round(place * high, 2), width, round(high * 0.85, 2), words))
    return Lane(key, title, counted(len(spans), noun) if spans else "none", tuple(bars))


def _marks(incident: IncidentView, scale: _Scale) -> tuple[Mark, ...]:
    found = [
        ("Began", "dot", "red", incident.began_at),
        ("Noticed", "bulb", "amber", incident.noticed_at),
        ("Stopped", "pause", "violet", incident.stopped_at),
        ("Undone or mended", "back", "green", incident.mended_at),
        ("Closed", "check", "slate", incident.closed_at),
    ]
    return tuple(
        Mark(scale.x(at) if at else 0.0, word, shape, tone, at, at - incident.began_at if at else None)
        for word, shape, tone, at in found
    )

"""Small charts as figures for a template to draw: what became of requests, day by day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from assent.domain.quality import Figures
from assent.domain.words import counted

WIDTH, HEIGHT = 360, 64
"""Units of a chart; it scales with its place."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar.

    Attributes:
        series: What it shows: ``kept``, ``changed`` or ``other``.
        y: Its upper edge.
        height: Its height.
    """

    series: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One day.

    Attributes:
        x: Its left edge.
        words: What it shows, for people.
        parts: From the bottom up.
    """

    x: float
    words: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of some days.

    Attributes:
        bars: Oldest first; days without anything are left out.
        wide: Width of a bar.
        most: What the highest bar counts.
        first: The first day.
        last: The last day.
        words: The whole in a sentence.
    """

    bars: tuple[Bar, ...]
    wide: float
    most: int
    first: date
    last: date
    words: str


def closed_by_day(daily: Mapping[date, Figures], *, days: int, today: date) -> Chart:
    """What became of requests: approved as they were, changed or refused, or never decided by people."""
    first = today - timedelta(days=days - 1)
    shown = {day: _series(figures) for day, figures in daily.items() if first <= day <= today}
    most = max((sum(each.values()) for each in shown.values()), default=0)
    step = WIDTH / days
    bars = tuple(
        Bar(round((day - first).days * step, 2), _words(day, series), _stack(series, most))
        for day, series in sorted(shown.items())
        if sum(series.values())
    )
    total = {name: sum(each[name] for each in shown.values()) for name in ("kept", "changed", "other")}
    words = (
        f"In {counted(days, 'day')}: {total['kept']:,} approved as asked, {total['changed']:,} changed or refused, "
        f"{total['other']:,} without a decision."
    )
    return Chart(bars, round(step * 0.8, 2), most, first, today, words)


def _series(figures: Figures) -> dict[str, int]:
    return {
        "kept": figures.decided - figures.changed,
        "changed": figures.changed,
        "other": figures.expired + figures.withdrawn + figures.unopposed,
    }


def _words(day: date, series: Mapping[str, int]) -> str:
    return (
        f"{day:%-d %b}: {series['kept']:,} approved as asked, {series['changed']:,} changed or refused, "
        f"{series['other']:,} without a decision"
    )


def _stack(series: Mapping[str, int], most: int) -> tuple[Part, ...]:
    parts, top = [], float(HEIGHT)
    for name, number in series.items():
        if number:
            height = round(number / most * HEIGHT, 2)
            top = round(top - height, 2)
            parts.append(Part(name, top, height))
    return tuple(parts)

"""A drill's steps as a picture: each step a bar where it lay in the drill's time, and the marks of its pause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from assent.domain.drills import DrillFigures, DrillStatus, DrillStep
from assent.store.queries.drills import DrillView

WIDTH = 1000
"""Units of the whole length; a bar scales with its place."""

LEAST = 6
"""Units of the shortest bar, so that it can be seen."""


@dataclass(frozen=True, slots=True)
class StepBar:
    """A step.

    Attributes:
        title: What it does.
        words: What came of it; empty while it goes on, or where it never began.
        took: How long it took, in words.
        state: ``done``, ``now``, ``broken`` or ``next``.
        x: Where its bar begins.
        wide: How long its bar is; 0 where it never began.
    """

    title: str
    words: str
    took: str
    state: str
    x: float
    wide: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of the pause, as the track of a pause shows it.

    Attributes:
        word: What happened.
        at: When; ``None`` if it has not.
        took: How long after the mark before, in words.
        state: ``done``, ``now`` or ``next``.
    """

    word: str
    at: datetime | None
    took: str
    state: str


def bars(drill: DrillView, now: datetime) -> list[StepBar]:
    """Every step of a drill, those that have not begun too."""
    end = max([drill.ended_at or now, *(each.ended_at or now for each in drill.steps)])
    whole = max((end - drill.started_at).total_seconds(), 0.001)
    found = {each.step: each for each in drill.steps}
    shown = []
    for step in DrillStep:
        done = found.get(step)
        if done is None:
            shown.append(StepBar(step.words, "", "", "next", 0.0, 0.0))
            continue
        until = done.ended_at or (drill.ended_at or now)
        seconds = (until - done.began_at).total_seconds()
        x = (done.began_at - drill.started_at).total_seconds() / whole * WIDTH
        wide = max(seconds / whole * WIDTH, LEAST)
        state = "done" if done.ended_at else "now" if drill.status is DrillStatus.RUNNING else "broken"
        x = max(0.0, min(x, WIDTH - wide))
        shown.append(StepBar(step.words, done.words, in_seconds(seconds), state, round(x, 1), round(wide, 1)))
    return shown


def marks(drill: DrillView) -> list[Mark]:
    """Requested, fenced and quiesced."""
    figures = drill.figures
    found: Mapping[str, tuple[datetime | None, str]] = {
        "Requested": (figures.requested_at, ""),
        "Fenced": (figures.fenced_at, _told(figures.fence_seconds)),
        "Quiesced": (figures.quiesced_at, _told(figures.quiesce_seconds)),
    }
    shown, open_before = [], drill.status is DrillStatus.RUNNING
    for word, (at, took) in found.items():
        state = "done" if at else "now" if open_before else "next"
        open_before = open_before and at is not None
        shown.append(Mark(word, at, took, state))
    return shown


def figures_of(drill: DrillView) -> list[tuple[str, str, str]]:
    """The figures people look at first: name, value, and what the card allows."""
    figures, terms = drill.figures, drill.terms
    return [
        ("Fenced after", _told(figures.fence_seconds) or "–", f"{terms.fenced_within.total_seconds():g} s allowed"),
        (
            "Quiet after",
            _told(figures.quiesce_seconds) or "–",
            f"{terms.quiesced_within.total_seconds():g} s allowed",
        ),
        ("Got past the fence", _number(figures.slipped), _of(figures.tries, "tried")),
        ("Undone", _number(figures.undone), _left(figures)),
        ("Records not as before", _number(figures.differing), _of(figures.records, "compared")),
        ("Runs went on", _number(figures.went_on), _of(figures.held, "held")),
    ]


def in_seconds(seconds: float) -> str:
    """A short length of time: three decimals below ten seconds, none above a minute."""
    return f"{seconds:.3f} s" if seconds < 10 else f"{seconds:.1f} s" if seconds < 60 else f"{seconds:,.0f} s"


def _told(seconds: float | None) -> str:
    return "" if seconds is None else in_seconds(seconds)


def _number(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def _of(number: int | None, word: str) -> str:
    return "" if number is None else f"of {number:,} {word}"


def _left(figures: DrillFigures) -> str:
    return "" if figures.left is None else f"{figures.left:,} left, in {_told(figures.rollback_seconds)}"

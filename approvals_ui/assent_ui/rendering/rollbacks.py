"""Rollbacks as pictures and sentences: how much of which kind, how fast, and what is different from before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assent.domain.rollbacks import RollbackTotals
from assent.domain.undo_steps import StepOutcome, Undoable, UndoStep
from assent.domain.words import counted, lasting, money
from assent_ui.rendering.faces import OUTCOME, UNDOABLE, Face

WIDTH = 400.0
"""Units of a bar; it scales with its place."""

LEAST = 6.0
"""Units of the smallest part of a bar, so that one of a thousand can be seen."""

DIFFERENCES_TOLD = 10
"""Differences of two previews that are told one by one."""

_VERDICTS = (
    Undoable.YES,
    Undoable.CONFLICT,
    Undoable.NO,
    Undoable.TOO_LATE,
    Undoable.UNKNOWN,
    Undoable.ALREADY,
    Undoable.NOTHING,
)
_OUTCOMES = (StepOutcome.UNDONE, StepOutcome.SETTLED, StepOutcome.LEFT, StepOutcome.SKIPPED, StepOutcome.OPEN)


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar.

    Attributes:
        key: What it shows, as filters name it.
        face: Its word, shape and tone.
        count: How many.
        x: Its left edge.
        width: Its width.
    """

    key: str
    face: Face
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A bar with its parts from left to right, and the whole in a sentence."""

    segments: tuple[Segment, ...]
    total: int
    words: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a rollback goes.

    Attributes:
        each_second: Effects a second.
        left: How long the rest takes at that pace.
    """

    each_second: float
    left: timedelta

    @property
    def words(self) -> str:
        """It in words."""
        figure = f"{self.each_second:,.0f}" if self.each_second >= 10 else f"{self.each_second:.1f}"
        return f"{figure} a second, about {lasting(self.left)} to go"


def of_verdicts(totals: RollbackTotals) -> Picture:
    """What a preview says, kind by kind."""
    return _picture([(each.value, UNDOABLE[each], totals.by_verdict.get(each, 0)) for each in _VERDICTS])


def of_outcomes(outcomes: Mapping[StepOutcome, int]) -> Picture:
    """How far a rollback is."""
    return _picture([(each.value, OUTCOME[each], outcomes.get(each, 0)) for each in _OUTCOMES])


def pace(finished: Sequence[datetime], left: int) -> Pace | None:
    """How fast steps were finished lately; ``None`` as long as that cannot be said."""
    if len(finished) < 2 or not left:
        return None
    seconds = (max(finished) - min(finished)).total_seconds()
    if seconds <= 0:
        return None
    each_second = (len(finished) - 1) / seconds
    return Pace(each_second, timedelta(seconds=left / each_second))


def sums(figures: Mapping[str, float]) -> str:
    """Money by currency, ``EUR 12.00 and USD 3.50``."""
    return " and ".join(f"{currency} {money(sum)}".strip() for currency, sum in sorted(figures.items()))


def what_changed(before: Sequence[UndoStep], now: Sequence[UndoStep]) -> list[str]:
    """What is different between two previews of the same scope, in sentences; the new one's order first."""
    known = {step.action_id: step for step in before}
    told = [words for step in now if (words := _difference(known.get(step.action_id), step))]
    there = {step.action_id for step in now}
    told += [f"“{_short(step)}” is no longer in it." for step in before if step.action_id not in there]
    more = len(told) - DIFFERENCES_TOLD
    return [*told[:DIFFERENCES_TOLD], *([f"{counted(more, 'more difference')}."] if more > 0 else [])]


def _difference(before: UndoStep | None, now: UndoStep) -> str:
    if before is None:
        return f"“{_short(now)}” was not in it: {UNDOABLE[now.verdict].word.lower()}."
    if before.verdict is not now.verdict:
        was, is_now = UNDOABLE[before.verdict].word.lower(), UNDOABLE[now.verdict].word.lower()
        return f"“{_short(now)}”: was “{was}”, now is “{is_now}”{_because(now)}"
    if before.why != now.why:
        return f"“{_short(now)}”{_because(now)}"
    return f"“{_short(now)}” changes something else than before." if before.changes != now.changes else ""


def _because(step: UndoStep) -> str:
    return f": {step.why}" if step.why else "."


def _short(step: UndoStep) -> str:
    sentence = step.sentence.rstrip(".")
    return sentence if len(sentence) <= 160 else f"{sentence[:160].rstrip()} …"


def _picture(parts: Sequence[tuple[str, Face, int]]) -> Picture:
    there = [part for part in parts if part[2]]
    total = sum(count for _, _, count in there)
    free = WIDTH - LEAST * len(there)
    segments, x = [], 0.0
    for key, face, count in there:
        width = LEAST + free * count / total
        segments.append(Segment(key, face, count, round(x, 2), round(width, 2)))
        x += width
    words = ", ".join(f"{face.word.lower()}: {count:,}" for _, face, count in there)
    return Picture(tuple(segments), total, f"{words}.".capitalize() if words else "Nothing.")

"""Breakers as pages lay them out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from assent.domain.breakers import BreakerRule
from assent.domain.breaking import allowed, ending, shown
from assent.domain.words import lasting
from assent.gateway.breakers import BreakerView
from assent.store.queries.trips import TripView
from assent_ui.rendering.trends import Trend, trend_of

MEASURES = {
    "errors": "Failed actions",
    "refusals": "Refused actions",
    "unknown": "Unknown effects",
    "cost": "Money moved",
    "rate": "Effects a minute",
    "probe": "Health of a connector",
    "drift": "Drift of an argument",
}
"""What each measure is called."""

_STATES = {
    "holding": ("fired, and holds", "red", "stop"),
    "releasing": ("lets runs go", "amber", "hourglass"),
    "over": ("over its threshold", "red", "stop"),
    "well": ("well", "green", "check"),
    "quiet": ("too few cases", "slate", "minus"),
}


@dataclass(frozen=True, slots=True)
class BreakerRow:
    """A breaker on a page.

    Attributes:
        view: It.
        measure: What it measures, in words.
        allowed: What it lets pass.
        face: How it stands: a word, a tone and a shape.
        trend: Its picture; ``None`` where nothing was measured yet.
        facts: Further lines about it.
    """

    view: BreakerView
    measure: str
    allowed: str
    face: tuple[str, str, str]
    trend: Trend | None
    facts: tuple[tuple[str, str], ...]

    @property
    def rule(self) -> BreakerRule:
        """What it says."""
        return self.view.rule


def row_of(view: BreakerView, now: datetime) -> BreakerRow:
    """A breaker as pages show it."""
    rule = view.rule
    return BreakerRow(
        view=view,
        measure=MEASURES[rule.measure.value],
        allowed=allowed(rule),
        face=_STATES[view.state],
        trend=trend_of(rule, view.samples, now),
        facts=facts_of(rule),
    )


def facts_of(rule: BreakerRule) -> tuple[tuple[str, str], ...]:
    """A rule line by line."""
    whole = rule.of or "everything the agent does"
    lines = [
        ("What it is for", rule.because),
        (
            "Measures",
            f"{MEASURES[rule.measure.value]}: {whole}{f', argument {rule.argument}' if rule.argument else ''}",
        ),
        ("May be", allowed(rule)),
        ("Looks back", lasting(rule.within)),
        ("Quiet under", f"{rule.least:,} cases" if rule.least > 1 else ""),
        ("Pauses", f"the {rule.pause.value}" if rule.pause.value != "everything" else "everything"),
        ("What becomes of the work", rule.disposition.value),
        ("What ends it", ending(rule)),
        ("Wakes", ", ".join(rule.wake)),
    ]
    return tuple((name, value) for name, value in lines if value)


def figures_of(trip: TripView) -> tuple[tuple[str, str], ...]:
    """The figures of a trip line by line."""
    lines = [
        ("Measured", shown(trip.rule, trip.measured)),
        ("Fires above", shown(trip.rule, trip.threshold)),
        ("Cases", f"{trip.cases:,}"),
        ("Counted against it", f"{trip.counted:,}" if trip.rule.measure.counts else ""),
    ]
    return tuple((name, value) for name, value in lines if value)

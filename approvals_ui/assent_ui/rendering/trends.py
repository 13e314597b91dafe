"""A breaker's measure over time against its threshold, as figures for a template to draw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from assent.domain.breakers import BreakerRule
from assent.domain.breaking import shown
from assent.store.samples import Sample

WIDTH, HEIGHT = 360.0, 48.0
"""Units of a picture; it scales with its place."""

_HEADROOM = 1.15


@dataclass(frozen=True, slots=True)
class Trend:
    """The picture.

    Attributes:
        line: Points of the measure, as an SVG path draws them: a value holds until the next one.
        area: The same closed downwards.
        limit: Height of the line of the threshold.
        over: Where the measure was above the threshold, as left edges and widths.
        first: The oldest sample.
        last: The newest.
        top: The highest value, with its unit.
        words: All of it in a sentence.
    """

    line: str
    area: str
    limit: float
    over: tuple[tuple[float, float], ...]
    first: datetime
    last: datetime
    top: str
    words: str


def trend_of(rule: BreakerRule, samples: tuple[Sample, ...], now: datetime) -> Trend | None:
    """The picture of what was measured; ``None`` without any sample."""
    if not samples:
        return None
    first = samples[0].at
    span = max((now - first).total_seconds(), 1.0)
    top = max(max(sample.value for sample in samples), rule.threshold) * _HEADROOM or 1.0

    def across(at: datetime) -> float:
        return round(min(max((at - first).total_seconds() / span, 0.0), 1.0) * WIDTH, 1)

    def up(value: float) -> float:
        return round(HEIGHT - max(value, 0.0) / top * (HEIGHT - 2) - 1, 1)

    ends = [*(sample.at for sample in samples[1:]), now]
    steps = [(across(sample.at), across(end), up(sample.value)) for sample, end in zip(samples, ends, strict=True)]
    line = "M" + "L".join(f"{left} {height}L{right} {height}" for left, right, height in steps)
    over = tuple(
        (left, max(round(right - left, 1), 1.0))
        for sample, (left, right, _) in zip(samples, steps, strict=True)
        if sample.value > rule.threshold
    )
    highest, newest = max(sample.value for sample in samples), samples[-1].value
    words = (
        f"Measured since {first:%H:%M}: {shown(rule, newest)} at last, {shown(rule, highest)} at most; "
        f"it fires above {shown(rule, rule.threshold)}."
    )
    area = f"{line}L{steps[-1][1]} {HEIGHT}L{steps[0][0]} {HEIGHT}Z"
    return Trend(line, area, up(rule.threshold), over, first, samples[-1].at, shown(rule, highest), words)

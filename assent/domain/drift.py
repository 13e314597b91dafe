"""How far values have drifted: the population stability index.

The index compares how values spread over bins now (p) with how they spread before (q): the sum over all bins of
``(p - q) * ln(p / q)``, the symmetric form of Kullback and Leibler's divergence. It is what scorecards of banks are
watched with; source: N. Siddiqi, *Credit Risk Scorecards* (Wiley, 2006), whose rule of thumb reads under 0.1 as
stable, 0.1 to 0.25 as worth a look, and over 0.25 as a shift. Bins: numbers fall between the deciles of the values
before, everything else counts by value, the rarer ones together. Each bin is given half a case more on both sides, so
that an empty one does not make the index infinite. The same values always give the same index.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Sequence

from assent.domain.canonical import Json, stable_text

QUANTILES = 10
"""Bins of numbers."""

VALUES = 10
"""Values that have a bin of their own."""

_HALF = 0.5
_OTHERS, _MISSING = ("others",), ("missing",)


def stability_index(before: Sequence[Json], now: Sequence[Json]) -> float:
    """The index between two samples; 0 where one of them is empty.

    Args:
        before: Values of the time it is compared with.
        now: Values of the time that is judged; ``None`` is a value that is missing.
    """
    if not before or not now:
        return 0.0
    edges = _edges(before)
    kept = _kept(before)
    old = Counter(_bin(value, edges, kept) for value in before)
    new = Counter(_bin(value, edges, kept) for value in now)
    bins = sorted(old.keys() | new.keys(), key=repr)
    whole_old, whole_new = len(before) + _HALF * len(bins), len(now) + _HALF * len(bins)
    index = 0.0
    for each in bins:
        q, p = (old[each] + _HALF) / whole_old, (new[each] + _HALF) / whole_new
        index += (p - q) * math.log(p / q)
    return round(index, 4)


def expected_by_chance(before: int, now: int) -> float:
    """About what the index is without any drift: it grows as samples get smaller."""
    return (QUANTILES - 1) * (1 / before + 1 / now) if before and now else 0.0


def _edges(before: Sequence[Json]) -> list[float]:
    """Inner deciles of the numbers, each once."""
    numbers = sorted(float(value) for value in before if _is_number(value))
    if not numbers:
        return []
    return sorted({numbers[min(len(numbers) - 1, len(numbers) * step // QUANTILES)] for step in range(1, QUANTILES)})


def _kept(before: Sequence[Json]) -> frozenset[str]:
    """The commonest values that are no numbers; of equally common ones, the first by their text."""
    texts = Counter(stable_text(value) for value in before if value is not None and not _is_number(value))
    ranked = sorted(texts.items(), key=lambda item: (-item[1], item[0]))
    return frozenset(text for text, _ in ranked[:VALUES])


def _bin(value: Json, edges: Sequence[float], kept: frozenset[str]) -> Hashable:
    if value is None:
        return _MISSING
    if _is_number(value):
        return ("number", bisect_right(edges, float(value)))
    text = stable_text(value)
    return ("value", text) if text in kept else _OTHERS


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

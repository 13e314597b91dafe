"""Giving places to those who fit them, as many as can be given: bipartite matching by augmenting paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def assigned(fits: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Who gets which place.

    Args:
        fits: The places that each one fits.

    Returns:
        Each place that is given, with who has it; nobody has two. No other choice gives more places.
    """
    taken: dict[int, int] = {}
    for one in fits:
        _augment(one, fits, taken, set())
    return taken


def _augment(one: int, fits: Mapping[int, Sequence[int]], taken: dict[int, int], tried: set[int]) -> bool:
    """Find a place for one more, by moving those who have one if need be."""
    for place in fits[one]:
        if place in tried:
            continue
        tried.add(place)
        if place not in taken or _augment(taken[place], fits, taken, tried):
            taken[place] = one
            return True
    return False

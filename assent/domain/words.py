"""Figures in words, the same in every place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def counted(number: int, one: str, many: str = "") -> str:
    """A number and its noun, ``1 effect``, ``3 effects``, ``1,200 people``.

    Args:
        number: How many.
        one: The noun for one.
        many: The noun for any other number; ``one`` with an s if left out.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def reached(figures: Mapping[str, float]) -> str:
    """What is reached by unit, ``rows: 1, 3 recipients``: only the noun for many is known here, so one has it first."""
    nouns = ((unit.replace("_", " "), count) for unit, count in sorted(figures.items()))
    return ", ".join(f"{noun}: 1" if count == 1 else f"{count:,g} {noun}" for noun, count in nouns)


def lasting(time: timedelta) -> str:
    """A length of time in its two greatest units, ``2 h 5 min``, ``3 d``; a negative one counts as none."""
    seconds = max(0, int(time.total_seconds()))
    for place, (unit, size) in enumerate(_UNITS):
        if seconds < size:
            continue
        whole, rest = divmod(seconds, size)
        if place + 1 < len(_UNITS):
            finer, step = _UNITS[place + 1]
            if rest // step and whole < 10:
                return f"{whole} {unit} {rest // step} {finer}"
        return f"{whole} {unit}"
    return "0 s"


def money(amount: float) -> str:
    """An amount with two decimals and grouped thousands, ``1,250.00``; its currency is the action type's."""
    return f"{amount:,.2f}"

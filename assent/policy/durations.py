"""Durations as people write them in cards: ``90s``, ``10m``, ``24h``, ``7d``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from assent.domain.durations import parse_duration

__all__ = ["Duration", "parse_duration", "whole_seconds", "write_duration"]


def whole_seconds(value: timedelta) -> timedelta:
    """Refuse a part of a second, which would be lost where it is written."""
    if value.microseconds:
        raise ValueError("a duration has whole seconds")
    return value


def write_duration(value: timedelta) -> str:
    """Write a time span with the largest unit that divides it."""
    seconds = int(value.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(whole_seconds),
    PlainSerializer(write_duration, when_used="json"),
]
"""A time span, written as a whole number and a unit."""

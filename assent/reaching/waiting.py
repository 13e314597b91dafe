"""Pauses between attempts."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

_MOST_DOUBLINGS = 16


def back_off(attempt: int, first: timedelta, longest: timedelta) -> timedelta:
    """The pause after an attempt: twice as long each time, and a little more, so that several do not go in step.

    Args:
        attempt: Which one failed, 1 for the first.
        first: The pause after it.
        longest: The longest pause, but for the little more, a quarter at most.
    """
    doubled = first * (1 << min(max(attempt - 1, 0), _MOST_DOUBLINGS))
    return min(doubled, longest) * (1 + random.random() / 4)


async def pause(stop: asyncio.Event, time: timedelta) -> None:
    """Wait for a while, or until told to stop."""
    try:
        await asyncio.wait_for(stop.wait(), time.total_seconds())
    except TimeoutError:
        return

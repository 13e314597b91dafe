"""When Slack may be asked again: limits by workspace and method, outages by workspace, trouble by place."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from assent.domain.clock import Clock

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=1)
"""Pauses after failures double from the first to the longest; there is no last attempt."""

LONGEST_WAIT = timedelta(hours=1)
"""The longest wait that Slack can ask for."""

SPACING = timedelta(seconds=1)
"""How far apart calls come that waited for the same limit: Slack takes about one message a second and channel."""

Key = tuple[str, str]
"""Workspace, and a method, a place or :data:`EVERYTHING` in it."""

EVERYTHING = "*"


class Held(Exception):
    """A call was not made, or not taken, because its time has not come.

    Attributes:
        until: When to try again.
        why: What holds it, for the queue.
    """

    def __init__(self, until: datetime, why: str) -> None:
        super().__init__(f"{why}; again at {until:%H:%M:%S}")
        self.until = until
        self.why = why


@dataclass
class _Hold:
    until: datetime
    why: str
    failures: int = 0
    next_slot: datetime | None = None


class Pacer:
    """Remembers what Slack asked for, so that nobody asks before.

    Args:
        clock: The time.
        jitter: Gives a number from 0 to 1, so that several processes do not try again in step.
    """

    def __init__(self, clock: Clock, jitter: Callable[[], float] = random.random) -> None:
        self._clock = clock
        self._jitter = jitter
        self._holds: dict[Key, _Hold] = {}

    def check(self, *keys: Key) -> None:
        """Refuse a call whose time has not come.

        Raises:
            Held: One of the keys is held.
        """
        now = self._clock()
        for key in keys:
            hold = self._holds.get(key)
            if hold is not None and now < hold.until:
                raise Held(self._slot(hold), hold.why)

    def is_held(self, key: Key) -> bool:
        """Whether calls have to wait."""
        hold = self._holds.get(key)
        return hold is not None and self._clock() < hold.until

    def limited(self, key: Key, asked: str) -> Held:
        """Slack asked to wait, in its ``Retry-After``."""
        pause = min(timedelta(seconds=int(asked)), LONGEST_WAIT) if asked.isdigit() else FIRST_PAUSE
        hold = _Hold(self._clock() + max(pause, FIRST_PAUSE), f"Slack asks to wait with {key[1]}")
        self._holds[key] = hold
        return Held(self._slot(hold), hold.why)

    def failed(self, key: Key, why: str) -> Held:
        """A call failed; the next pause is twice as long as the last."""
        failures = self._holds[key].failures if key in self._holds else 0
        doubled = FIRST_PAUSE * (1 << min(failures, 16))
        pause = min(doubled, LONGEST_PAUSE) * (1 + self._jitter() / 4)
        self._holds[key] = _Hold(self._clock() + pause, why, failures + 1)
        return Held(self._holds[key].until, why)

    def worked(self, *keys: Key) -> None:
        """A call went through."""
        for key in keys:
            self._holds.pop(key, None)

    def _slot(self, hold: _Hold) -> datetime:
        """A time of one's own after the hold, so that those who wait come one by one and not all at once."""
        if hold.failures:
            return hold.until
        slot = max(hold.next_slot or hold.until, hold.until)
        hold.next_slot = slot + SPACING
        return slot

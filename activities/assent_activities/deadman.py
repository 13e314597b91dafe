"""The dead man's switch: without a clock that was lately found right, a worker claims nothing.

Leases, deadlines and limits by the hour are all judged by a worker's clock, so one that is off could take over a claim
that another worker still works on. The switch is looked at in memory; who watches the clock is the runtime's business.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from assent_activities.retrying import try_again

AGAIN = timedelta(seconds=2)
"""When a claim that was refused is tried again."""


class ClaimSwitch:
    """Whether this worker may claim.

    Args:
        stale_seconds: A clock that was found right longer ago than this counts as unknown; ``None`` for one that
            nobody watches.
    """

    def __init__(self, *, stale_seconds: float | None = None) -> None:
        self._stale = stale_seconds
        self._fault = "" if stale_seconds is None else "its clock was not compared with any other yet"
        self._good_at: float | None = None
        self._lock = threading.Lock()

    def allow(self) -> None:
        """The clock was found right just now."""
        with self._lock:
            self._fault, self._good_at = "", time.monotonic()

    def refuse(self, why: str) -> None:
        """The clock is off.

        Args:
            why: Half a sentence, ``its clock is 40 s ahead of the database's``.
        """
        with self._lock:
            self._fault = why

    @property
    def fault(self) -> str:
        """Why nothing may be claimed, half a sentence; empty if it may."""
        with self._lock:
            if self._fault or self._stale is None or self._good_at is None:
                return self._fault
            ago = time.monotonic() - self._good_at
            return f"its clock could not be compared for {ago:.0f} s" if ago > self._stale else ""

    def check(self) -> None:
        """Call before every claim.

        Raises:
            temporalio.exceptions.ApplicationError: Nothing may be claimed; to be tried again.
        """
        if fault := self.fault:
            raise try_again(f"This worker claims nothing: {fault}.", after=AGAIN)

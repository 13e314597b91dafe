"""Tell the person at the terminal what is going on whenever it takes more than a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

EVERY_SECONDS = 3.0
"""How often a long step says that it still goes on; the first time after this long."""


class Progress:
    """Writes lines to standard error: what began, that it goes on (with the time it took so far), what came of it.

    Args:
        stream: Where to write instead.
        check: Called at every tick; raises if the person wants the work to end.
    """

    def __init__(self, stream: TextIO | None = None, check: Callable[[], None] = lambda: None) -> None:
        self._stream = stream or sys.stderr
        self._check = check
        self._phase = ""
        self._began = time.monotonic()
        self._told = self._began

    def say(self, text: str) -> None:
        """Write one line now."""
        print(f"  {text}", file=self._stream, flush=True)

    def phase(self, text: str) -> None:
        """Begin a step that may take long; it is named at once and timed from now on."""
        self._phase = text
        self._began = self._told = time.monotonic()
        self.say(f"{text} …")

    def tick(self, detail: str = "") -> None:
        """Say, at most every ``EVERY_SECONDS``, that the current step goes on. Call it as often as you like.

        Raises whatever ``check`` raises, so that every step that shows progress can also be broken off.
        """
        self._check()
        now = time.monotonic()
        if now - self._told < EVERY_SECONDS:
            return
        self._told = now
        self.say(f"{self._phase} … {clock(now - self._began)}{f', {detail}' if detail else ''}")

    @property
    def elapsed(self) -> str:
        """Time since the current step began, for its closing line."""
        return clock(time.monotonic() - self._began)


def clock(seconds: float) -> str:
    """Write a duration the way a person says it: ``8 s``, ``3 min 20 s``."""
    whole = int(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"

"""Ctrl-C and its kin: asked once, end in order; asked again, end at once."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Self

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """A person or the system asked this process to end."""


class Stopping:
    """While entered, signals that ask for an end are counted instead of ending the process."""

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in _NUMBERS:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def check(self) -> None:
        """Raise if an end was asked for.

        Raises:
            Stopped: It was.
        """
        if self.count:
            raise Stopped

    def hurry(self) -> bool:
        """Whether an end was asked for twice or more."""
        return self.count > 1

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

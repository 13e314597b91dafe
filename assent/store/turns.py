"""Turns of processes that write the same SQLite file.

SQLite lets a process that finds the file locked look again now and then, at longer and longer intervals. Beside one
that writes all the time it would wait for seconds. Here processes queue: whoever waits holds a lock on being next, so
the one that writes now cannot come again before it. This is courtesy alone; what keeps writers apart is SQLite's lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE_SECONDS = 2.0
"""After so long a process no longer waits for its turn, and leaves the rest to SQLite: another one may have stopped."""

_LOOK_AGAIN_SECONDS = 0.0003


class Turns:
    """This process's place in the queue of a SQLite file; threads of one process must take turns before.

    Args:
        database: The file; two empty files beside it, ``…-next`` and ``…-turn``, carry the locks. ``None`` for a
            database that no other process can have.
    """

    def __init__(self, database: Path | None) -> None:
        names = (database.with_name(f"{database.name}-{name}") for name in ("next", "turn")) if database else ()
        self._paths = list(names)
        self._files: list[int] = []

    def take(self) -> None:
        """Wait for this process's turn, for :data:`PATIENCE_SECONDS` at most."""
        if not self._paths:
            return
        try:
            next, turn = self._files or self._open()
        except OSError:
            # A folder that cannot be written to is told by the database itself.
            return
        until = time.monotonic() + PATIENCE_SECONDS
        try:
            _lock(next, until)
            _lock(turn, until)
        except BaseException:
            self.give()
            raise
        finally:
            fcntl.flock(next, fcntl.LOCK_UN)

    def give(self) -> None:
        """Let the next process write; without a turn it does nothing."""
        for file in self._files:
            fcntl.flock(file, fcntl.LOCK_UN)

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Have a turn for the length of the block."""
        self.take()
        try:
            yield
        finally:
            self.give()

    def close(self) -> None:
        """Leave the queue."""
        while self._files:
            os.close(self._files.pop())

    def _open(self) -> list[int]:
        self.close()
        for path in self._paths:
            self._files.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return self._files


def _lock(file: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return
            time.sleep(_LOOK_AGAIN_SECONDS)
        except OSError:
            # A file system without such locks: SQLite's own remain.
            return
        else:
            return

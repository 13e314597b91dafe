"""Keep child processes running: start them, start again with back-off what dies, end them all in order."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from assent.domain.errors import Unavailable
from assent.runtime import processes
from assent.runtime.logs import open_log, tail
from assent.runtime.progress import Progress

FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0
STEADY_SECONDS = 30.0
"""A child that ran this long is healthy again: its next death starts the back-off from the beginning."""

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Program:
    """A process to keep running.

    Attributes:
        name: What people call it.
        command: Program and arguments.
        log: File that its output is appended to.
        changes: Changes to the environment it gets; None takes a variable away.
        last_to_end: Ended only after all others have: they need it to end well.
        may_finish: An end with exit code 0 is its work done and no death.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    changes: dict[str, str | None] = field(default_factory=dict)
    last_to_end: bool = False
    may_finish: bool = False


class Child:
    """One program and the process that runs it at the moment."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths = 0
        """Deaths since it last ran steadily."""
        self.finished = False
        self._started = 0.0
        self._next_start = 0.0

    @property
    def alive(self) -> bool:
        """Whether its process runs now."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process.

        Raises:
            Unavailable: The program cannot be started at all.
        """
        try:
            with open_log(self.program.log) as output:
                self.process = processes.start(self.program.command, output=output, changes=self.program.changes)
        except OSError as error:
            raise Unavailable(
                f"{self.program.name} cannot be started: {error.strerror}.", where=str(error.filename or "")
            ) from error
        self._started = time.monotonic()

    def tend(self, progress: Progress) -> bool:
        """Notice a death, start again when its time has come; return whether anything changed."""
        now = time.monotonic()
        if self.finished or self.alive:
            return False
        if self.process is not None:
            self._mourn(self.process, now, progress)
            return True
        if now < self._next_start:
            return False
        self.start()
        return True

    def _mourn(self, process: subprocess.Popen[bytes], now: float, progress: Progress) -> None:
        # What it had started must not live on beside its successor.
        processes.stop(process, patience=0)
        self.process = None
        if self.program.may_finish and process.returncode == 0:
            self.finished = True
            progress.say(f"{self.program.name} is done.")
            return
        self.deaths = 1 if now - self._started >= STEADY_SECONDS else self.deaths + 1
        wait = min(FIRST_BACKOFF_SECONDS * 2 ** (self.deaths - 1), LONGEST_BACKOFF_SECONDS)
        self._next_start = now + wait
        progress.say(
            f"{self.program.name} ended ({how(process.returncode)}); starting it again in {wait:g} s. "
            f"Its last words ({self.program.log}):\n{tail(self.program.log, 3)}"
        )


class Supervisor:
    """Looks after children; call :meth:`tend` often.

    Args:
        progress: Told in one line when a child dies.
        changed: Called after children started or died, with their process ids by name.
    """

    def __init__(self, progress: Progress, changed: Callable[[dict[str, int]], None] = lambda pids: None) -> None:
        self._progress = progress
        self._changed = changed
        self.children: list[Child] = []

    def add(self, program: Program) -> Child:
        """Start a program and look after it from now on."""
        child = Child(program)
        self.children.append(child)
        child.start()
        self._changed(self.pids())
        return child

    def tend(self) -> None:
        """Notice what died, start what is due."""
        # Every child gets its turn, also after one that changed.
        changes = [child.tend(self._progress) for child in self.children]
        if any(changes):
            self._changed(self.pids())

    def pids(self) -> dict[str, int]:
        """Return the process id of each child that runs."""
        return {child.program.name: child.process.pid for child in self.children if child.process and child.alive}

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """End every child and everything it started; those that are ``last_to_end`` after the rest.

        Args:
            hurry: Asked all the time; once true, children are killed instead of waited for.
        """
        for last in (False, True):
            self._stop([child for child in self.children if child.program.last_to_end is last and child.alive], hurry)
        for child in self.children:
            if child.process is not None:
                processes.stop(child.process, patience=0)
                child.process = None

    def _stop(self, children: list[Child], hurry: Callable[[], bool]) -> None:
        for child in children:
            if child.process is not None:
                processes.signal_group(child.process, signal.SIGTERM)
        deadline = time.monotonic() + processes.STOP_SECONDS
        while (left := [child for child in children if child.alive]) and time.monotonic() < deadline and not hurry():
            self._progress.tick(f"waiting for {', '.join(child.program.name for child in left)}")
            time.sleep(POLL_SECONDS)


def how(returncode: int) -> str:
    """Say in words how a process ended."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"killed by signal {-returncode}"

"""Run one long command with progress, and turn its failure into a message that quotes its last lines."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from assent.domain.errors import Unavailable
from assent.runtime import processes
from assent.runtime.progress import Progress

TAIL_LINES = 12
POLL_SECONDS = 0.5


def run_step(
    command: Sequence[str],
    *,
    progress: Progress,
    failure: str,
    todo: str,
    changes: Mapping[str, str | None] | None = None,
    cwd: Path | None = None,
    detail: Callable[[str], str] = lambda line: "",
) -> list[str]:
    """Run ``command`` to its end and return its output, line by line.

    Args:
        command: Program and arguments.
        progress: Told every few seconds that the step goes on.
        failure: Sentence for the case that it fails.
        todo: What the reader can do then.
        changes: Changes to the environment; None takes a variable away.
        cwd: Folder to run in.
        detail: Turns an output line into the detail of the progress lines that follow it.

    Raises:
        Unavailable: It could not be started or ended with another code than 0.
    """
    lines: list[str] = []
    try:
        process = processes.start(command, output=subprocess.PIPE, changes=changes, cwd=cwd)
    except OSError as error:
        raise Unavailable(failure, where=f"{command[0]}: {error.strerror}", todo=todo) from error
    try:
        _follow(process, lines, progress, detail)
        process.wait()
    finally:
        processes.stop(process, patience=0)
    if process.returncode != 0:
        tail = "\n".join(f"    {line}" for line in deque(lines, TAIL_LINES))
        raise Unavailable(f"{failure} Its last words:\n{tail}\n", todo=todo)
    return lines


def _follow(
    process: subprocess.Popen[bytes], lines: list[str], progress: Progress, detail: Callable[[str], str]
) -> None:
    output = process.stdout
    assert output is not None
    shown = ""
    pending = b""
    with output, selectors.DefaultSelector() as ready:
        ready.register(output, selectors.EVENT_READ)
        while True:
            if ready.select(POLL_SECONDS):
                # Past the buffered reader, which would hide lines from the selector.
                chunk = os.read(output.fileno(), 65536)
                if not chunk:
                    break
                *whole, pending = (pending + chunk).split(b"\n")
                for line in whole:
                    lines.append(line.decode("utf-8", "replace"))
                    shown = detail(lines[-1]) or shown
            progress.tick(shown)
    if pending:
        lines.append(pending.decode("utf-8", "replace"))

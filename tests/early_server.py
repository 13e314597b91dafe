"""A Temporal server that suggests continuing as new after a few events, so that long runs need not be long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assent.runtime import processes
from assent.runtime.progress import Progress
from assent.runtime.temporal import devserver

SUGGESTED_AFTER = 150
"""Events of a history after which continuing as new is suggested; 4,096 is the server's own."""


@contextmanager
def early_server(executable: Path, folder: Path, *, after: int = SUGGESTED_AFTER) -> Iterator[str]:
    """Run it while the block runs; gives its address.

    Args:
        executable: A Temporal CLI.
        folder: For its log.
        after: Events of a history after which continuing as new is suggested.
    """
    server = devserver.DevServer(executable, port=processes.free_port())
    command = [
        *server.command(),
        "--dynamic-config-value",
        f"limit.historyCount.suggestContinueAsNew={after}",
    ]
    log = folder / "early-temporal.log"
    with log.open("wb") as output:
        child = processes.start(command, output=output, changes={})
        try:
            server.wait_ready(lambda: child.poll() is None, log, Progress())
            yield server.address
        finally:
            processes.stop(child)

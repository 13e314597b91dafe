"""The Temporal dev server: its command line, tuned for waiting people, and how to tell that it is ready."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assent.domain.errors import Unavailable
from assent.runtime import processes
from assent.runtime.logs import tail
from assent.runtime.progress import Progress

HOST: Final = "127.0.0.1"
READY_TIMEOUT_SECONDS = 120.0
"""The server is ready within a second; this allows for a very busy machine."""

POLL_SECONDS = 0.1
ASK_TIMEOUT_SECONDS = 30.0

# The defaults poll for transfer tasks so seldom that a parked run needs 90 ms from a person's click to its next step.
_DYNAMIC_CONFIG: Final = {
    "history.transferProcessorMaxPollRPS": "1000",
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "frontend.rps": "100000",
    "frontend.namespaceRPS": "100000",
    "frontend.namespaceCount": "10000",
    "frontend.enableServerVersionCheck": "false",
}

# NORMAL survives a killed process but may lose the last moments in a power cut; docs/settings.md says so.
_PRAGMAS: Final = ("journal_mode=wal", "synchronous=NORMAL")


@dataclass(frozen=True, slots=True)
class DevServer:
    """A dev server to start.

    Attributes:
        executable: A Temporal CLI.
        port: Port for clients.
        ui_port: Port of Temporal's own web page; None leaves it out.
        database: File that keeps the state; None keeps it in memory.
        namespace: Namespace to create besides ``default``.
    """

    executable: Path
    port: int
    ui_port: int | None = None
    database: Path | None = None
    namespace: str = "default"

    @property
    def address(self) -> str:
        """``host:port`` for clients."""
        return f"{HOST}:{self.port}"

    @property
    def ui_url(self) -> str | None:
        """Address of Temporal's own web page."""
        return f"http://{HOST}:{self.ui_port}" if self.ui_port else None

    def command(self) -> list[str]:
        """Return the command line that runs it in the foreground."""
        command = [str(self.executable), "server", "start-dev", "--ip", HOST, "--port", str(self.port)]
        command += ["--log-level", "warn", "--namespace", self.namespace]
        command += ["--ui-port", str(self.ui_port)] if self.ui_port else ["--headless"]
        if self.database:
            command += ["--db-filename", str(self.database)]
            command += [part for pragma in _PRAGMAS for part in ("--sqlite-pragma", pragma)]
        command += [part for item in _DYNAMIC_CONFIG.items() for part in ("--dynamic-config-value", "=".join(item))]
        return command

    def answers(self) -> bool:
        """Whether the server serves its namespace now. Asks through the executable, so no client is left behind."""
        try:
            asked = subprocess.run(
                [self.executable, "operator", "namespace", "describe", "--address", self.address, "-n", self.namespace],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=processes.environment({"TEMPORAL_API_KEY": None, "TEMPORAL_TLS": None, "TEMPORAL_PROFILE": None}),
                timeout=ASK_TIMEOUT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return asked.returncode == 0

    def wait_ready(self, alive: Callable[[], bool], log: Path, progress: Progress) -> None:
        """Wait until the server serves its namespace.

        Args:
            alive: Tells whether its process still runs.
            log: Its log file, quoted when it dies.
            progress: Told every few seconds that the wait goes on.

        Raises:
            Unavailable: It died, or is not ready after two minutes.
        """
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while not self.answers():
            progress.tick()
            if not alive():
                raise Unavailable(f"The Temporal server ended at start:\n{tail(log)}\n", where=str(log))
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The Temporal server is not ready after {READY_TIMEOUT_SECONDS:.0f} seconds.", where=str(log)
                )
            time.sleep(POLL_SECONDS)


@contextmanager
def running(server: DevServer, log: Path, progress: Progress) -> Iterator[DevServer]:
    """Run the server for the length of a block, as tests and benchmarks want it.

    Raises:
        Unavailable: It cannot be started or does not become ready.
    """
    with log.open("ab") as output:
        process = processes.start(server.command(), output=output)
    try:
        progress.phase("Starting the Temporal server")
        server.wait_ready(lambda: process.poll() is None, log, progress)
        yield server
    finally:
        processes.stop(process)

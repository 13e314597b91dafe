"""Let the Temporal SDK fetch the executable that it offers for download.

The SDK can only fetch and start in one step, so a short-lived Python process does that and throws the server away.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from assent.domain.errors import Unavailable
from assent.runtime import processes
from assent.runtime.progress import Progress

TIMEOUT_SECONDS = 90.0
"""An unreachable network mostly fails within a second; this bounds one that swallows packets."""

POLL_SECONDS = 0.1

_FETCH = """
import asyncio, os, sys
from temporalio.testing import WorkflowEnvironment

async def main():
    server = await WorkflowEnvironment.start_local(download_dest_dir=sys.argv[1], dev_server_log_level="error")
    await server.shutdown()

asyncio.run(main())
# As in processes.leave: the native threads may still be busy.
os._exit(0)
"""


def downloaded(folder: Path) -> Path | None:
    """Return the executable that an earlier download left in ``folder``."""
    return next((path for path in sorted(folder.glob("temporal-sdk-*")) if path.stat().st_mode & 0o100), None)


def fetch(folder: Path, progress: Progress) -> Path:
    """Download into ``folder`` and return the executable.

    Raises:
        Unavailable: The network does not let it through, or the download broke.
    """
    folder.mkdir(parents=True, exist_ok=True)
    progress.phase("Downloading a Temporal server")
    fetcher = processes.start([sys.executable, "-c", _FETCH, str(folder)], output=subprocess.DEVNULL)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    try:
        while fetcher.poll() is None:
            if time.monotonic() > deadline:
                raise Unavailable(f"The download did not end within {TIMEOUT_SECONDS:.0f} seconds.")
            progress.tick()
            time.sleep(POLL_SECONDS)
    finally:
        processes.stop(fetcher, patience=0)
    path = downloaded(folder)
    if fetcher.returncode != 0 or path is None:
        raise Unavailable("Temporal's download site cannot be reached from here.")
    return path

"""What processes log: to standard error, and under `assent up` from there into a file each."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import IO

TURN_BYTES = 10 * 1024 * 1024
"""A longer log is set aside as ``.1`` when its process starts again; one older file is kept."""

QUOTED_BYTES = 16 * 1024

# Libraries that narrate every request at the level at which Assent tells what matters.
_CHATTY = ("httpx", "httpcore", "slack_bolt", "slack_sdk", "alembic", "aiohttp.access")


def log_to_stderr(level: str) -> None:
    """Send log lines of ``level`` and above to standard error, with time and origin."""
    logging.basicConfig(
        stream=sys.stderr, level=level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True
    )
    if level != "debug":
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending, making its folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists() and path.stat().st_size > TURN_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def tail(path: Path, lines: int = 8) -> str:
    """Return the last lines of a log, indented, for a message."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - QUOTED_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return "    (no log)"
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (it wrote nothing)"

"""Look at processes from outside, for tests about processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 120.0
"""Only a broken program waits this long; a busy machine gets there sooner."""


def is_running(pid: int) -> bool:
    """Whether the process exists and is not just waiting to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def eventually(condition: Callable[[], object], meanwhile: Callable[[], None] = lambda: None) -> bool:
    """Wait until the condition holds, calling ``meanwhile`` all the time; False if it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        meanwhile()
        time.sleep(0.05)
    return True

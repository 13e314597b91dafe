"""Waiting for what other processes and servers do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(there: Callable[[], object]) -> None:
    """Wait until something is there; pytest's own limits are the only ones."""
    while not there():  # noqa: ASYNC110
        await asyncio.sleep(0.02)

"""What the steps of a drill share: what comes of one, and waiting for something that is seen in the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from assent.domain.drills import DrillRequest
from assent.domain.people import Actor, Via
from assent.store.database import Database

LOOK_SECONDS = 0.1
"""Time between two looks."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a step.

    Attributes:
        words: One sentence.
        measured: Figures of :class:`~assent.domain.drills.DrillFigures`, by name.
    """

    words: str
    measured: Mapping[str, Any] = field(default_factory=dict)


def drill_actor(drill: DrillRequest) -> Actor:
    """In whose name a drill pauses, resumes and rolls back."""
    return Actor(id="assent", name=f"Drill {drill.drill_id}", via=Via.SYSTEM)


async def looked(database: Database, look: Callable[[Session], _T]) -> _T:
    """Look into the database, in a thread."""

    def read() -> _T:
        with database.read() as session:
            return look(session)

    return await asyncio.to_thread(read)


async def seen(
    database: Database, look: Callable[[Session], _T], holds: Callable[[_T], object], *, within: float
) -> tuple[_T, bool]:
    """Look until what is found holds, or the time is over.

    Args:
        database: Where to look.
        look: Looks.
        holds: Whether it need not be waited for any longer.
        within: Seconds.

    Returns:
        The last look, and whether it holds.
    """
    until = time.monotonic() + within
    while True:
        found = await looked(database, look)
        if holds(found):
            return found, True
        if time.monotonic() >= until:
            return found, False
        await asyncio.sleep(LOOK_SECONDS)

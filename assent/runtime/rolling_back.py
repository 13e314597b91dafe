"""Taking up rollbacks whose workflow could not be started: whoever asked died at it, or Temporal was away."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

from assent.domain.errors import AssentError
from assent.domain.rollbacks import RollbackRequest
from assent.gateway import Gateway, utc_now
from assent.store import rollback_life
from assent.store.database import Database

LOOK_EVERY = timedelta(seconds=5)
GRACE = timedelta(seconds=5)
"""How long whoever asked for a rollback has to start it."""


async def take_up_forever(database: Database, gateway: Gateway) -> None:
    """Start the workflows of rollbacks and of further rounds that none has taken up yet."""
    while True:
        with contextlib.suppress(AssentError):
            for request in await asyncio.to_thread(_untaken, database):
                await gateway.announce_rollback(request)
        await asyncio.sleep(LOOK_EVERY.total_seconds())


def _untaken(database: Database) -> list[RollbackRequest]:
    with database.read() as session:
        return rollback_life.untaken(session, before=utc_now() - GRACE)

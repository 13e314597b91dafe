"""Whether the parts that the web application needs answer."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from assent.domain.errors import AssentError
from assent.gateway import Gateway
from assent.store import clocks
from assent.store.database import Database
from assent.store.migrate import current_revision, newest_revision

PATIENCE = timedelta(seconds=2)
"""How long a part may take to answer before it counts as away."""

CLOCKS = "clocks"
"""The part that says whether workers trust their clocks. The web application needs it not: it only tells."""

REMEMBERED = timedelta(seconds=1)
"""How long an answer is given again, so that asking often costs nothing."""


class Readiness:
    """Looks at the parts, at most once in :data:`REMEMBERED`."""

    def __init__(self, gateway: Gateway, database: Database) -> None:
        self._gateway = gateway
        self._database = database
        self._seen: tuple[float, dict[str, dict[str, Any]]] | None = None
        self._looking = asyncio.Lock()

    async def look(self) -> dict[str, dict[str, Any]]:
        """Each part by name: ``ok``, and ``detail`` in words."""
        async with self._looking:
            now = time.monotonic()
            if self._seen is None or now - self._seen[0] > REMEMBERED.total_seconds():
                database, temporal, clocks = await asyncio.gather(
                    _database(self._database), _temporal(self._gateway), _clocks(self._database)
                )
                parts = {"database": database, "temporal": temporal, CLOCKS: clocks}
                self._seen = (time.monotonic(), parts)
            return self._seen[1]


async def _database(database: Database) -> dict[str, Any]:
    def look() -> dict[str, Any]:
        revision, newest = current_revision(database), newest_revision()
        if revision == newest:
            return _part(True, f"answers, at revision {revision}")
        return _part(False, f"at revision {revision or 'none'} instead of {newest}: run `assent db migrate`")

    try:
        with anyio.fail_after(PATIENCE.total_seconds()):
            return await anyio.to_thread.run_sync(look, abandon_on_cancel=True)
    except TimeoutError:
        return _part(False, "does not answer in time")
    except AssentError as error:
        return _part(False, error.what)


async def _clocks(database: Database) -> dict[str, Any]:
    """Whether every worker trusts its clock; one that does not claims nothing, and the pages work all the same."""

    def look() -> dict[str, Any]:
        with database.read() as session:
            off = clocks.off_now(session, now=datetime.now(UTC))
        if not off:
            return _part(True, "no worker holds back because of its clock")
        return _part(False, "; ".join(f"the worker {each.worker} claims nothing: {each.fault}" for each in off))

    try:
        with anyio.fail_after(PATIENCE.total_seconds()):
            return await anyio.to_thread.run_sync(look, abandon_on_cancel=True)
    except TimeoutError:
        return _part(False, "nobody knows: the database does not answer in time")
    except (AssentError, SQLAlchemyError):
        return _part(False, "nobody knows: the database does not answer")


async def _temporal(gateway: Gateway) -> dict[str, Any]:
    client = gateway.client
    if client is None:
        return _part(False, "not connected yet; trying again")
    try:
        well = await client.service_client.check_health(timeout=PATIENCE)
    except (RPCError, RuntimeError) as error:
        return _part(False, f"does not answer: {error}")
    return _part(well, "answers" if well else "says it is not serving")


def _part(ok: bool, detail: str) -> dict[str, Any]:
    return {"ok": ok, "detail": detail}

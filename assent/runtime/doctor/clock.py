"""Clocks: this machine's against the Temporal server's where the database has none, and what workers say of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.orm import Session
from temporalio.client import Client

from assent.runtime.clock_watch import compared
from assent.runtime.doctor.report import Finding
from assent.runtime.settings import Settings
from assent.runtime.temporal.server_time import server_time
from assent.store import clocks

_REMEDY = "Synchronise it with NTP: leases and deadlines depend on it. The worker goes on by itself."


def look_at_workers(connection: Connection) -> Iterator[Finding]:
    """Say which workers claim nothing because of their clocks; the tables must be current."""
    with Session(connection) as session:
        off = clocks.off_now(session, now=datetime.now(UTC))
    for each in off:
        found = f"The worker {each.worker} claims nothing: {each.fault}."
        yield Finding(part="clock", ok=False, found=found, todo=_REMEDY)


async def look_at_server_clock(client: Client, settings: Settings) -> list[Finding]:
    """Compare this machine's clock with the Temporal server's; nothing if the server does not say."""
    before = datetime.now(UTC)
    theirs = await server_time(client, settings.task_queue_prefix)
    if theirs is None:
        return []
    found = compared(before, theirs, datetime.now(UTC), "the Temporal server's")
    fault = found.fault(timedelta(seconds=settings.clock_tolerance_seconds))
    words = f"This machine's clock and the Temporal server's differ by {abs(found.off_seconds):.1f} s."
    return [Finding(part="clock", ok=not fault, found=words, todo=_REMEDY if fault else "")]

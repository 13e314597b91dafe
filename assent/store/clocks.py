"""Clocks: the database's, the ledger's, and what workers said of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.store.database import Database
from assent.store.tables import LedgerEventRow, WorkerClockRow

REPEATED = timedelta(minutes=1)
"""How often a worker says again that its clock is off."""

FORGOTTEN = timedelta(minutes=3)
"""What a worker said so long ago does not count: it ended without saying so."""


@dataclass(frozen=True, slots=True)
class WorkerClock:
    """A worker that claims nothing because of its clock.

    Attributes:
        worker: Process id and machine.
        looked_at: When it said so last, by the database's clock where it has one.
        off_seconds: How far its clock is ahead; negative if it is behind.
        against: What it was compared with.
        fault: Why it claims nothing, half a sentence.
        since: Since when.
    """

    worker: str
    looked_at: datetime
    off_seconds: float
    against: str
    fault: str
    since: datetime | None


def database_time(session: Session) -> datetime | None:
    """The time of the database's clock; ``None`` if it has none of its own (SQLite)."""
    if session.get_bind().dialect.name == "sqlite":
        return None
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return now.astimezone(UTC)


def newest_event_at(session: Session) -> datetime | None:
    """When the newest event of the ledger was; ``None`` if there is none."""
    newest = select(col(LedgerEventRow.at)).order_by(col(LedgerEventRow.id).desc()).limit(1)
    return session.execute(newest).scalar_one_or_none()


def say(
    database: Database, *, worker: str, off_seconds: float, against: str, fault: str, since: datetime, now: datetime
) -> None:
    """Write down that a worker's clock is off, for pages, health checks and the doctor."""
    with database.write() as session:
        looked_at = database_time(session) or now
        session.merge(
            WorkerClockRow(
                worker=worker, looked_at=looked_at, off_seconds=off_seconds, against=against, fault=fault, since=since
            )
        )


def take_back(database: Database, worker: str) -> None:
    """A worker's clock is right again, or the worker ends."""
    with database.write() as session:
        session.execute(delete(WorkerClockRow).where(col(WorkerClockRow.worker) == worker))


def off_now(session: Session, *, now: datetime) -> list[WorkerClock]:
    """The workers that claim nothing because of their clocks, and said so lately.

    Args:
        session: A session.
        now: The time of this machine; the database's counts where it has one.
    """
    lately = (database_time(session) or now) - FORGOTTEN
    wanted = select(WorkerClockRow).where(col(WorkerClockRow.looked_at) >= lately).order_by(col(WorkerClockRow.worker))
    return [
        WorkerClock(row.worker, row.looked_at, row.off_seconds, row.against, row.fault, row.since)
        for row in session.execute(wanted).scalars()
    ]

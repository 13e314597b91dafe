"""Periodic work that one process does for all of them: a lease in the database, kept as long as it is renewed."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from assent.store.database import Database
from assent.store.statements import rows_changed
from assent.store.tables import WatchRow

LEASE = timedelta(seconds=15)
"""How long a process that died keeps others from its work."""


def hold(database: Database, name: str, *, holder: str, at: datetime, lease: timedelta = LEASE) -> bool:
    """Take or keep a work; writes only when it is taken, or when half of its lease is over.

    Args:
        database: Where leases are.
        name: The work.
        holder: Who asks, unique for each process.
        at: Now.
        lease: For how long.

    Returns:
        Whether it is the caller's until the lease ends. What it does then must be harmless if another does it, too:
        clocks differ, and processes stall.
    """
    with database.read() as session:
        found = session.execute(select(WatchRow).where(col(WatchRow.name) == name)).scalar_one_or_none()
    if found is not None and found.until > at:
        if found.holder != holder:
            return False
        if found.until - at > lease / 2:
            return True
    try:
        with database.write() as session:
            if found is None:
                session.execute(insert(WatchRow).values(name=name, holder=holder, until=at + lease))
                return True
            free = or_(col(WatchRow.holder) == holder, col(WatchRow.until) <= at)
            taken = update(WatchRow).where(col(WatchRow.name) == name, free).values(holder=holder, until=at + lease)
            return rows_changed(session.execute(taken)) > 0
    except IntegrityError:
        return False


def let_go(database: Database, name: str, *, holder: str, at: datetime) -> None:
    """Give a work back, so that another process need not wait for the end of the lease."""
    with database.write() as session:
        mine = (col(WatchRow.name) == name, col(WatchRow.holder) == holder)
        session.execute(update(WatchRow).where(*mine).values(until=at))

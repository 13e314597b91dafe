"""How often somebody may try: counted in the database, so that every web process counts together."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Insert, case, delete
from sqlalchemy.dialects.postgresql import insert as insert_postgres
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import TooOften
from assent.store.database import Database
from assent.store.statements import table_of
from assent.store.tables import AttemptRow

WINDOW = timedelta(minutes=15)
"""How long an attempt counts, from the first one on."""

PER_ACCOUNT = 10
"""Passwords tried for one account within :data:`WINDOW`."""

PER_ADDRESS = 60
"""Proofs of any kind tried from one network address within :data:`WINDOW`."""

BEGUN_PER_ADDRESS = 300
"""Passkey challenges and trips to an OpenID provider begun from one network address within :data:`WINDOW`."""

_table = table_of(AttemptRow)


def take(database: Database, limits: Mapping[str, int], *, at: datetime) -> None:
    """Count an attempt in a transaction of its own, before anybody looks at it.

    Args:
        database: Where it is counted.
        limits: How many attempts each subject has within :data:`WINDOW`.
        at: When.

    Raises:
        TooOften: One of them had its share; ``first`` says whether this is the first refusal of its window.
    """
    refused: TooOften | None = None
    with database.write() as session:
        session.execute(delete(AttemptRow).where(col(AttemptRow.since) <= at - 2 * WINDOW))
        # Always in the same order, so that two transactions never wait for each other.
        for subject in sorted(limits):
            count, since = session.execute(_counted(subject, at, postgres=not database.sqlite)).one()
            first = count == limits[subject] + 1
            if count > limits[subject] and (refused is None or first):
                refused = _refusal(since + WINDOW - at, first=first)
    if refused is not None:
        raise refused


def forget(session: Session, subject: str) -> None:
    """Start again at none, after a success."""
    session.execute(delete(AttemptRow).where(col(AttemptRow.subject) == subject))


def account(kind: str, name: str) -> str:
    """The subject of an account that somebody named; the name itself is not kept, for it may be a mistyped secret."""
    return f"{kind}:account:{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def address(kind: str, network: str) -> str:
    """The subject of a network address; of an IPv6 one, its network of 64 bits, which one customer has."""
    try:
        found = ipaddress.ip_address(network)
    except ValueError:
        return f"{kind}:address:{hashlib.sha256(network.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if isinstance(found, ipaddress.IPv6Address):
        return f"{kind}:address:{ipaddress.ip_network((found, 64), strict=False)}"
    return f"{kind}:address:{found}"


def _counted(subject: str, at: datetime, *, postgres: bool) -> Any:
    statement: Any = (insert_postgres if postgres else insert_sqlite)(_table)
    inserted: Insert = statement.values(subject=subject, failures=1, since=at)
    old = _table.c.since <= at - WINDOW
    upsert: Any = inserted
    return upsert.on_conflict_do_update(
        index_elements=["subject"],
        set_={
            "failures": case((old, 1), else_=_table.c.failures + 1),
            "since": case((old, at), else_=_table.c.since),
        },
    ).returning(_table.c.failures, _table.c.since)


def _refusal(wait: timedelta, *, first: bool) -> TooOften:
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    return TooOften(
        "That was tried too often.",
        where="attempts",
        todo=f"Try again in {minutes} minute{'s' if minutes != 1 else ''}, or sign in another way.",
        wait=wait,
        first=first,
    )

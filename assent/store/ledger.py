"""The ledger: append events, seal them into a hash chain, check the chain.

An event is inserted by the transaction that makes it true. A *sealer* then links events into one SHA-256 chain, in
batches and in the order it finds them, so that writers never wait for each other's chain position. Events and links
are only ever inserted; triggers refuse changes. ``seal`` runs about four times a second in every worker, and before
every check, so an event is unsealed for less than a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, func, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json, stable_text
from assent.domain.people import SYSTEM, Actor
from assent.store import statements
from assent.store.database import Database
from assent.store.tables import ActionRow, LedgerEventRow, LedgerLinkRow

GENESIS = "0" * 64
"""What the first link names as its predecessor."""

SEAL_BATCH = 500
"""Events sealed in one transaction at most."""

_COMMIT_WINDOW = 2_000
"""How far ids of transactions in flight may lie behind the newest sealed event."""

_events, _links = statements.table_of(LedgerEventRow), statements.table_of(LedgerLinkRow)
_INSERT = statements.Prepared(insert(_events))
_LINK = statements.Prepared(insert(_links))
# Events without a link, oldest first. A PostgreSQL sequence can commit out of order, so they are looked for by the
# missing link, from a little before the newest sealed one.
_UNSEALED = (
    select(_events)
    .where(
        _events.c.id > select(func.coalesce(func.max(_links.c.event_id), 0)).scalar_subquery() - _COMMIT_WINDOW,
        ~exists().where(_links.c.event_id == _events.c.id),
    )
    .order_by(_events.c.id)
)
_UNSEALED_ONE, _UNSEALED_BATCH = _UNSEALED.limit(1), _UNSEALED.limit(SEAL_BATCH)
# The same without the window, for transactions that took longer to commit; it looks at every event.
_STRAGGLERS = select(_events).where(~exists().where(_links.c.event_id == _events.c.id)).order_by(_events.c.id)
_STRAGGLERS_ONE, _STRAGGLERS_BATCH = _STRAGGLERS.limit(1), _STRAGGLERS.limit(SEAL_BATCH)
_SEAL_LOCK = 0x4153_5345_4C
"""Advisory lock of sealers on PostgreSQL."""


def append(
    session: Session,
    *,
    at: datetime,
    kind: str,
    actor: Actor,
    run_id: str = "",
    action_id: str = "",
    agent: str = "",
    body: dict[str, Json] | None = None,
) -> None:
    """Write an event in the caller's transaction.

    Args:
        session: The transaction that makes the event true.
        at: When.
        kind: What happened, ``effect.done``.
        actor: Who did it.
        run_id: The run it belongs to, if any.
        action_id: The action it belongs to, if any.
        agent: The agent it concerns, if any.
        body: Details, JSON.
    """
    append_many(session, [event_row(at, kind, actor, run_id, action_id, agent, body)])


def append_of(
    session: Session,
    action: ActionRow,
    kind: str,
    body: Mapping[str, Json],
    *,
    at: datetime,
    actor: Actor = SYSTEM,
) -> None:
    """Write an event of an action in the caller's transaction."""
    append_many(session, [event_row(at, kind, actor, action.run_id, action.action_id, action.agent, dict(body))])


def event_row(
    at: datetime,
    kind: str,
    actor: Actor,
    run_id: str = "",
    action_id: str = "",
    agent: str = "",
    body: dict[str, Json] | None = None,
) -> dict[str, Any]:
    """An event as :func:`append_many` takes it."""
    return {
        "at": at,
        "kind": kind,
        "run_id": run_id,
        "action_id": action_id,
        "agent": agent,
        "actor": stable_text({"id": actor.id, "name": actor.name, "via": actor.via.value}),
        "body": stable_text(body or {}),
    }


def append_many(session: Session, rows: list[dict[str, Any]]) -> None:
    """Write several events with one statement, in this order."""
    _INSERT.run(session, *rows)


def count(session: Session, *, action_id: str, kind: str) -> int:
    """How often something happened to an action."""
    statement = select(func.count()).select_from(LedgerEventRow)
    where = (col(LedgerEventRow.action_id) == action_id, col(LedgerEventRow.kind) == kind)
    return session.execute(statement.where(*where)).scalar_one()


def link_hash(seq: int, previous: str, event: LedgerEventRow | Row[Any]) -> str:
    """The hash of a link: SHA-256 over its position, its predecessor's hash and the whole event."""
    content = {
        "seq": seq,
        "previous": previous,
        "event": event.id,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "run": event.run_id,
        "action": event.action_id,
        "agent": event.agent,
        "actor": event.actor,
        "body": event.body,
    }
    # Of texts and whole numbers, as here, it is the canonical JSON (RFC 8785), which takes ten times as long.
    return hashlib.sha256(stable_text(content).encode()).hexdigest()


def seal(database: Database, *, stragglers: bool = False) -> int:
    """Link events that are not yet in the chain.

    Args:
        database: Assent's database.
        stragglers: Look at every event, for those whose transaction took very long to commit.

    Returns:
        How many were linked; call again while it is :data:`SEAL_BATCH`.
    """
    with database.read() as session:
        if statements.run(session, _STRAGGLERS_ONE if stragglers else _UNSEALED_ONE, {}).first() is None:
            return 0
    with database.write() as session:
        database.lock_alone(session, _SEAL_LOCK)
        last = session.execute(
            select(LedgerLinkRow).order_by(col(LedgerLinkRow.seq).desc()).limit(1)
        ).scalar_one_or_none()
        seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
        links = []
        for event in statements.run(session, _STRAGGLERS_BATCH if stragglers else _UNSEALED_BATCH, {}).all():
            seq += 1
            digest = link_hash(seq, previous, event)
            links.append({"seq": seq, "event_id": event.id, "previous": previous, "hash": digest})
            previous = digest
        if links:
            _LINK.run(session, *links)
        return len(links)


def seal_all(database: Database) -> int:
    """Link every event that was committed before the call."""
    total = 0
    while count := seal(database, stragglers=True):
        total += count
    return total


def head(database: Database) -> str:
    """The hash of the newest link. Noted elsewhere, it lets a ledger be noticed that was cut off at its end."""
    with database.read() as session:
        newest = select(col(LedgerLinkRow.hash)).order_by(col(LedgerLinkRow.seq).desc()).limit(1)
        return session.execute(newest).scalar_one_or_none() or GENESIS


@dataclass(frozen=True, slots=True)
class ChainFault:
    """One place where the ledger is not what it was."""

    seq: int
    event_id: int
    what: str


def check_chain(database: Database, *, batch: int = 2_000) -> tuple[int, list[ChainFault]]:
    """Seal what is unsealed, then recompute the whole chain; work may go on meanwhile.

    Returns:
        How many links were checked, and every fault found.
    """
    seal_all(database)
    faults: list[ChainFault] = []
    count, previous = 0, GENESIS
    with database.read() as session:
        for link, event in _linked(session, batch):
            count += 1
            if link.seq != count:
                faults.append(ChainFault(link.seq, link.event_id, f"link {count} is missing"))
                count = link.seq
            if event is None:
                faults.append(ChainFault(link.seq, link.event_id, "the event was deleted"))
            elif link.previous != previous or link.hash != link_hash(link.seq, link.previous, event):
                faults.append(ChainFault(link.seq, link.event_id, "the event or its link was changed"))
            previous = link.hash
    return count, faults


def _linked(session: Session, batch: int) -> Iterator[tuple[LedgerLinkRow, LedgerEventRow | None]]:
    after = 0
    while True:
        rows = session.execute(
            select(LedgerLinkRow, LedgerEventRow)
            .join(LedgerEventRow, col(LedgerEventRow.id) == col(LedgerLinkRow.event_id), isouter=True)
            .where(col(LedgerLinkRow.seq) > after)
            .order_by(col(LedgerLinkRow.seq))
            .limit(batch)
        ).all()
        for row in rows:
            yield row[0], row[1]
        if len(rows) < batch:
            return
        after = rows[-1][0].seq
        session.expunge_all()

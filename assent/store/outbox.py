"""The outbox: notifications that a transaction left behind, delivered at least once and in order per subject.

A row is *claimed* by moving its due time to the end of a lease. Only the oldest undelivered row of a subject and
recipient can be claimed, so that several deliverers never overtake each other there; on different subjects, and to
different recipients, they work side by side. A deliverer that dies loses its lease and the row is due again: nothing is
ever lost, and what was delivered twice by that is the business of whoever delivers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, false, insert, select, update
from sqlalchemy.orm import Session, aliased
from sqlmodel import col

from assent.store.database import Database
from assent.store.queries.paging import FIRST, Order, Page, PageRequest, count_up_to
from assent.store.statements import rows_changed
from assent.store.tables import OutboxRow

ERROR_LENGTH = 500
"""Characters kept of the reason why a delivery failed."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification that has to be delivered.

    Attributes:
        id: Its place in the outbox.
        channel: The way it goes, such as ``slack``.
        kind: What it tells, such as ``approval.requested``.
        subject: Id of what it is about.
        created_at: When it was written.
        due_at: When it is to be delivered; of a claimed one, when its lease ends.
        attempts: How often it was claimed, this time included.
        error: Why the last attempt failed.
        recipient: The one person or address it is for; empty for whoever has to do with the subject.
        revision: The request's revision that it tells a recipient of; 0 without one.
    """

    id: int
    channel: str
    kind: str
    subject: str
    created_at: datetime
    due_at: datetime
    attempts: int
    error: str
    recipient: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Addressed:
    """A notification for one recipient, and what became of it.

    Attributes:
        notification: It.
        waits: It is still to be delivered.
        delivered: It was; one that neither waits nor was delivered was let go.
    """

    notification: Notification
    waits: bool
    delivered: bool


@dataclass(frozen=True, slots=True)
class Backlog:
    """What has not been delivered yet.

    Attributes:
        waiting: How many, counted no further than :data:`~assent.store.queries.paging.COUNT_CAP`.
        failing: How many of them failed at least once, counted likewise.
        oldest: When the oldest was written; ``None`` if there is none.
        error: Why the last one that failed did; empty if none did.
    """

    waiting: int
    failing: int
    oldest: datetime | None
    error: str


_QUEUE = Order("outbox", [col(OutboxRow.due_at), col(OutboxRow.id)], descending=False)


def enqueue(session: Session, channel: str, kind: str, subject: str, at: datetime) -> None:
    """Write a notification in the transaction that makes it true."""
    session.execute(
        insert(OutboxRow).values(
            channel=channel, kind=kind, subject=subject, created_at=at, due_at=at, attempts=0, sent=False, error=""
        )
    )


def address(
    session: Session,
    written: Notification,
    recipient: str,
    *,
    kind: str,
    revision: int,
    at: datetime,
    due_at: datetime,
) -> None:
    """Write a notification for one recipient, in the transaction that takes the one it comes of off the queue."""
    values = {"channel": written.channel, "kind": kind, "subject": written.subject, "created_at": at, "due_at": due_at}
    values |= {"attempts": 0, "sent": False, "error": "", "recipient": recipient, "revision": revision}
    session.execute(insert(OutboxRow).values(**values))


def addressed(session: Session, channel: str, subject: str) -> Sequence[Addressed]:
    """Every notification about a subject that is for one recipient, oldest first."""
    rows = session.execute(
        select(OutboxRow)
        .where(col(OutboxRow.subject) == subject, col(OutboxRow.channel) == channel, col(OutboxRow.recipient) != "")
        .order_by(col(OutboxRow.id))
    ).scalars()
    return [Addressed(_notification(row), waits=not row.sent, delivered=row.sent_at is not None) for row in rows]


def let_go(session: Session, waiting: Notification) -> None:
    """Take a notification off the queue that nobody needs any more; it does not count as delivered."""
    session.execute(
        update(OutboxRow).where(col(OutboxRow.id) == waiting.id, col(OutboxRow.sent) == false()).values(sent=True)
    )


def postpone(session: Session, claimed: Notification, *, until: datetime) -> bool:
    """Put a notification back whose time has not come; false if the lease was lost and somebody else has it."""
    return _update(session, claimed, due_at=until)


def claim_due(
    database: Database, channel: str, *, at: datetime, lease: timedelta, limit: int = 1
) -> Sequence[Notification]:
    """Take notifications that are due, longest due first, at most one of a subject.

    Args:
        database: Where the outbox is.
        channel: The way that the caller delivers.
        at: Now.
        lease: How long the caller has; after that they are due again for anybody.
        limit: How many at most.
    """
    with database.read() as session:
        if session.execute(_due(channel, at).limit(1)).first() is None:
            return ()
    with database.write() as session:
        rows = (
            session.execute(_due(channel, at).limit(limit).with_for_update(of=OutboxRow, skip_locked=True))
            .scalars()
            .all()
        )
        for row in rows:
            row.due_at = at + lease
            row.attempts += 1
        return [_notification(row) for row in rows]


def mark_sent(session: Session, claimed: Notification, *, at: datetime) -> bool:
    """Take a delivered notification off the queue; false if the lease was lost and somebody else has it."""
    return _update(session, claimed, sent=True, sent_at=at, error="")


def mark_failed(session: Session, claimed: Notification, *, retry_at: datetime, error: str) -> bool:
    """Put a notification back; false if the lease was lost and somebody else has it."""
    return _update(session, claimed, due_at=retry_at, error=error[:ERROR_LENGTH])


def waiting(session: Session, subject: str) -> Sequence[Notification]:
    """What has not been delivered yet about a subject, oldest first."""
    rows = session.execute(
        select(OutboxRow)
        .where(col(OutboxRow.subject) == subject, col(OutboxRow.sent) == false())
        .order_by(col(OutboxRow.id))
    ).scalars()
    return [_notification(row) for row in rows]


def ways(session: Session, subject: str) -> list[str]:
    """The channels by which anybody was, or is to be, told about a subject."""
    told = select(col(OutboxRow.channel)).where(col(OutboxRow.subject) == subject)
    return sorted(set(session.execute(told).scalars()))


def queue(session: Session, channel: str, *, request: PageRequest = FIRST) -> Page[Notification]:
    """Everything that has not been delivered yet, soonest due first."""
    rows = session.execute(_QUEUE.window(_undelivered(channel), request)).scalars().all()
    return _QUEUE.page(rows, request, _notification)


def backlog(session: Session, channel: str) -> Backlog:
    """How much of a way has not been delivered yet."""
    undelivered = _undelivered(channel)
    failing = undelivered.where(col(OutboxRow.error) != "")
    oldest = session.execute(undelivered.order_by(col(OutboxRow.id)).limit(1)).scalar_one_or_none()
    last = session.execute(failing.order_by(col(OutboxRow.due_at).desc()).limit(1)).scalar_one_or_none()
    return Backlog(
        waiting=count_up_to(session, undelivered),
        failing=count_up_to(session, failing),
        oldest=oldest.created_at if oldest else None,
        error=last.error if last else "",
    )


def hurry(session: Session, channel: str, *, at: datetime) -> int:
    """Make failed notifications due at once, for a person who has mended what was wrong; returns how many."""
    done = session.execute(
        update(OutboxRow)
        .where(
            col(OutboxRow.channel) == channel,
            col(OutboxRow.sent) == false(),
            col(OutboxRow.due_at) > at,
            col(OutboxRow.error) != "",
        )
        .values(due_at=at)
    )
    return rows_changed(done)


def _due(channel: str, at: datetime) -> Select[OutboxRow]:
    earlier = aliased(OutboxRow)
    overtakes = exists().where(
        col(earlier.subject) == col(OutboxRow.subject),
        col(earlier.id) < col(OutboxRow.id),
        col(earlier.channel) == channel,
        col(earlier.recipient) == col(OutboxRow.recipient),
        col(earlier.sent) == false(),
    )
    return (
        _undelivered(channel)
        .where(col(OutboxRow.due_at) <= at, ~overtakes)
        .order_by(col(OutboxRow.due_at), col(OutboxRow.id))
    )


def _undelivered(channel: str) -> Select[OutboxRow]:
    return select(OutboxRow).where(col(OutboxRow.channel) == channel, col(OutboxRow.sent) == false())


def _update(session: Session, claimed: Notification, **values: object) -> bool:
    # The number of attempts tells this claim from every other one of the row.
    mine = (col(OutboxRow.id) == claimed.id, col(OutboxRow.attempts) == claimed.attempts)
    done = session.execute(update(OutboxRow).where(*mine, col(OutboxRow.sent) == false()).values(**values))
    return rows_changed(done) > 0


def _notification(row: OutboxRow) -> Notification:
    assert row.id is not None
    return Notification(
        id=row.id,
        channel=row.channel,
        kind=row.kind,
        subject=row.subject,
        created_at=row.created_at,
        due_at=row.due_at,
        attempts=row.attempts,
        error=row.error,
        recipient=row.recipient,
        revision=row.revision,
    )

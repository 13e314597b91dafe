"""Direct messages have room for so many requests an hour; one message, kept true, tells of the rest.

Nothing is lost by it: a request that was kept back waits in the inbox, its copies elsewhere are kept true, and it gets
its direct message when it is told of again and there is room. What counts is when a copy was first to be posted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import false, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.store import copies
from assent.store.copies import Copy
from assent.store.tables import MessageRow, OutboxRow, SlackUserRow

SLACK = "slack"
"""The outbox channel of Slack, and the way of copies there."""

DIGESTS = "slack-digest"
"""The way of digests in ``messages``."""

DIGEST = "digest"
"""The outbox kind of a digest that is to be posted or brought up to date; its recipient is the place."""

WITHIN = timedelta(hours=1)
"""The time within which direct messages are counted, and how often somebody gets a new digest at most."""

KEPT_TRUE = timedelta(days=1)
"""How long a digest is kept up to date, unless a newer one takes its place."""

REFRESHED = timedelta(minutes=1)
"""How long changes are gathered before a digest is brought up to date."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A message that tells somebody how many requests wait for them.

    Attributes:
        id: Its id.
        place: The direct messages it is in, ``T123/D123``.
    """

    id: str
    place: str


def intend(session: Session, approval_id: str, *, place: str, most: int, at: datetime) -> tuple[Copy, bool]:
    """Write down that a direct message is about to be posted, or keep it back and tell of it in the digest.

    Args:
        session: The transaction.
        approval_id: The request.
        place: The direct messages, ``T123/D123``.
        most: New direct messages an hour at most.
        at: Now.

    Returns:
        The copy, and whether the row is new; one that was kept back says so.
    """
    # Whoever posts to the same person at the same moment waits here, so that both count what the other does.
    conversation = place.rpartition("/")[2]
    session.execute(
        select(col(SlackUserRow.user_id)).where(col(SlackUserRow.conversation) == conversation).with_for_update()
    )
    known = copies.one(session, approval_id, channel=SLACK, place=place)
    if known is not None and known.shown_status != copies.KEPT_BACK:
        return known, False
    if len(recent(session, place, at, most=most)) < most:
        return copies.intend(session, approval_id, channel=SLACK, place=place, at=at)
    copy = copies.keep_back(session, approval_id, channel=SLACK, place=place, at=at)
    _gather(session, place, at)
    return copy, False


def recent(session: Session, place: str, at: datetime, *, most: int) -> Sequence[str]:
    """Requests that were brought to a place within the last hour, ``most`` at most."""
    posted = select(col(MessageRow.approval_id)).where(
        col(MessageRow.channel) == SLACK,
        col(MessageRow.place) == place,
        col(MessageRow.posted_at) > at - WITHIN,
        col(MessageRow.shown_status) != copies.KEPT_BACK,
    )
    return session.execute(posted.order_by(col(MessageRow.posted_at)).limit(most)).scalars().all()


def living(session: Session, places: Iterable[str], at: datetime) -> Sequence[Digest]:
    """The digests in some places that are to be kept up to date: the newest of each, where it was posted."""
    posted = _newest(session, places, since=at - KEPT_TRUE, posted=True)
    return [Digest(row.approval_id, row.place) for row in posted if row.shown_status != copies.GONE]


def refresh(session: Session, digest: Digest, at: datetime) -> None:
    """Bring a digest up to date soon; what changes until then counts for it."""
    _write(session, digest, at, due_at=at + REFRESHED)


def _gather(session: Session, place: str, at: datetime) -> None:
    """Tell of a request that was kept back, by the digest of this hour or one that still waits to be posted."""
    for row in _newest(session, [place], since=at - KEPT_TRUE):
        digest = Digest(row.approval_id, place)
        if not row.shown_status or row.shown_status == copies.KEPT_BACK:
            _write(session, digest, at, due_at=at)
            return
        if row.posted_at > at - WITHIN:
            refresh(session, digest, at)
            return
    digest = Digest(f"digest-{place.replace('/', '-')}-{at:%Y%m%d%H%M%S}", place)
    copies.keep_back(session, digest.id, channel=DIGESTS, place=place, at=at)
    _write(session, digest, at, due_at=at)


def _newest(session: Session, places: Iterable[str], *, since: datetime, posted: bool = False) -> Sequence[MessageRow]:
    """The newest digest of each place that has one since then, or has one that was posted; few, for they are hourly."""
    wanted = select(MessageRow).where(
        col(MessageRow.channel) == DIGESTS, col(MessageRow.place).in_(list(places)), col(MessageRow.posted_at) > since
    )
    if posted:
        wanted = wanted.where(col(MessageRow.reference) != "")
    found: dict[str, MessageRow] = {}
    for row in session.execute(wanted.execution_options(populate_existing=True)).scalars():
        known = found.get(row.place)
        if known is None or known.posted_at < row.posted_at:
            found[row.place] = row
    return list(found.values())


def _write(session: Session, digest: Digest, at: datetime, *, due_at: datetime) -> None:
    # One that nobody has claimed yet reads how things stand after this transaction; locked, so that nobody does before.
    unclaimed = (
        select(col(OutboxRow.id))
        .where(col(OutboxRow.subject) == digest.id, col(OutboxRow.sent) == false(), col(OutboxRow.attempts) == 0)
        .order_by(col(OutboxRow.id))
        .limit(1)
        .with_for_update()
    )
    if session.execute(unclaimed).first() is not None:
        return
    values = {"channel": SLACK, "kind": DIGEST, "subject": digest.id, "created_at": at, "due_at": due_at}
    values |= {"attempts": 0, "sent": False, "error": "", "recipient": digest.place}
    session.execute(insert(OutboxRow).values(**values))

"""Notices: what somebody is told who need not have an account, such as the escalation contact of a card.

The notice and the rows of the outbox that carry it are written by the transaction that makes it true; by mail it goes
to an address, in Slack to a channel. Writing one with the id of another changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert
from sqlalchemy.orm import Session

from assent.store.tables import NoticeRow, OutboxRow

NOTICE = "notice"
"""The outbox kind of every notice; its subject is the notice's id."""

MAIL, SLACK = "mail", "slack"


class NoticeKind(StrEnum):
    """Who is told and how it reads."""

    ALERT = "alert"
    """Something needs a person: to a contact of a card, with a link to a page."""
    ASKED = "asked"
    """Somebody's word is asked for: to whoever can give it, with a link to the page where they do."""
    DIGEST = "digest"
    """Several requests wait: to one person, by mail alone; how many is said when it is sent."""
    COUNTER = "counter"
    """A counter-message: to whom an earlier message went; its words are the connector's alone."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told.

    Attributes:
        id: Unique; writing it twice tells once.
        kind: Who is told and how it reads.
        subject: What it is about, such as an action's id.
        name: Whom it is for, as people call them.
        email: Their address; empty if they get no mail.
        slack: A channel, ``#shop-support``; empty for the channel of each workspace.
        headline: One line.
        text: A few sentences; may repeat what an agent wrote.
        path: The page that helps, ``/effects/…``; empty for none.
        at: When it became true.
    """

    id: str
    kind: NoticeKind
    subject: str
    name: str
    email: str
    slack: str
    headline: str
    text: str
    path: str
    at: datetime


def tell(session: Session, notice: Notice, channels: Sequence[str], *, due_at: datetime | None = None) -> bool:
    """Write a notice, and one row of the outbox for each way it goes.

    Args:
        session: The transaction that makes it true.
        notice: What is told.
        channels: The ways of this installation; a notice goes by mail and Slack, a counter-message by mail alone.
        due_at: When it may be sent; at once unless somebody's quiet hours are to be kept.

    Returns:
        Whether it is new; false if it was written before.
    """
    if session.get(NoticeRow, notice.id) is not None:
        return False
    session.execute(
        insert(NoticeRow).values(
            id=notice.id,
            kind=notice.kind.value,
            subject=notice.subject,
            name=notice.name,
            email=notice.email,
            slack=notice.slack,
            headline=notice.headline,
            text=notice.text,
            path=notice.path,
            at=notice.at,
        )
    )
    for channel, recipient in _ways(notice, channels):
        values = {"channel": channel, "kind": NOTICE, "subject": notice.id, "created_at": notice.at}
        values |= {"due_at": due_at or notice.at, "attempts": 0, "sent": False, "error": "", "recipient": recipient}
        session.execute(insert(OutboxRow).values(**values))
    return True


def one(session: Session, notice_id: str) -> Notice | None:
    """A notice, if there is one of this id."""
    row = session.get(NoticeRow, notice_id)
    if row is None:
        return None
    kind = NoticeKind(row.kind)
    return Notice(row.id, kind, row.subject, row.name, row.email, row.slack, row.headline, row.text, row.path, row.at)


def _ways(notice: Notice, channels: Sequence[str]) -> list[tuple[str, str]]:
    ways = [(MAIL, notice.email)] if notice.email and MAIL in channels else []
    if notice.kind is not NoticeKind.COUNTER and SLACK in channels:
        ways.append((SLACK, notice.slack or "channel"))
    return ways

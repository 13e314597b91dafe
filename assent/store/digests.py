"""Digests: when more requests come within an hour than anybody reads one by one, one mail tells of the rest.

Nothing is lost by it: what is not mailed one by one waits in the inbox, and the card's reminders come as always.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.words import counted
from assent.store import checks, electorate, notices, outbox, people, reaching
from assent.store.letters import Letter, LetterKind
from assent.store.notices import MAIL, Notice, NoticeKind
from assent.store.queries import inbox
from assent.store.queries.inbox import Wanted
from assent.store.queries.paging import COUNT_CAP
from assent.store.tables import MailLinkRow

WITHIN = timedelta(hours=1)
"""The time within which mails are counted, and how often a digest comes at most."""


def too_many(session: Session, letter: Letter, at: datetime, *, most: int) -> bool:
    """Whether a letter's person had as many mails within the last hour as they get one by one.

    Args:
        session: For the links of their mails; each mail about a request that asks something has one.
        letter: What would be sent; a mail about the end of a request is never too many.
        at: Now.
        most: Mails an hour at most; 0 for any number.
    """
    if not most or letter.kind is LetterKind.DECIDED:
        return False
    recent = select(col(MailLinkRow.token_hash)).where(
        col(MailLinkRow.person_id) == letter.person.id,
        col(MailLinkRow.created_at) > at - WITHIN,
        col(MailLinkRow.path) == "",
    )
    return len(session.execute(recent.limit(most)).all()) >= most


def gather(session: Session, letter: Letter, at: datetime) -> None:
    """Let a letter go, and tell its person of what waits at the end of the hour, after their quiet hours, once."""
    outbox.let_go(session, letter.notification)
    ends = at.replace(minute=0, second=0, microsecond=0) + WITHIN
    person = letter.person
    notice = Notice(
        id=f"digest-{person.id}-{ends:%Y%m%d%H}",
        kind=NoticeKind.DIGEST,
        subject=person.id,
        name=person.name,
        email=person.email,
        slack="",
        headline="Requests wait for you",
        text="",
        path="/",
        at=at,
    )
    notices.tell(session, notice, (MAIL,), due_at=reaching.of_person(session, person.id).due(ends))


def as_it_stands(session: Session, digest: Notice, at: datetime) -> Notice | datetime | None:
    """A digest with how many requests wait for its person now.

    Returns:
        The digest; the end of their quiet hours if those began meanwhile; ``None`` if nothing waits for them any more,
        or they want no mails.
    """
    person, wishes = people.one(session, digest.subject), reaching.of_person(session, digest.subject)
    if person is None or person.disabled or not wishes.mail:
        return None
    if (due := wishes.due(at)) > at:
        return due
    waiting = how_many_wait(session, person.id, at)
    if not waiting:
        return None
    said = how_many_in_words(waiting)
    text = f"{said}, soonest due first in the inbox. More came within an hour than you are mailed one by one."
    return replace(digest, headline=said, text=text, email=person.email)


def how_many_wait(session: Session, person_id: str, at: datetime) -> int:
    """How many requests their inbox shows, counted no further than :data:`~assent.store.queries.paging.COUNT_CAP`."""
    tokens = electorate.tokens_of(session, person_id, at)
    asked = inbox.count(session, Wanted(tokens=inbox.asked_now(session, tokens)), cap=COUNT_CAP) if tokens else 0
    return asked + checks.count_waiting(session, person_id, at)


def how_many_in_words(waiting: int) -> str:
    """The same as a headline."""
    if not waiting:
        return "Nothing waits for you any more"
    if waiting >= COUNT_CAP:
        return f"{waiting:,} or more requests wait for you"
    return f"{counted(waiting, 'request')} {'waits' if waiting == 1 else 'wait'} for you"

"""Seeded checks in the database: announced first, shown then. None of it touches a request.

A check has a table of its own. Decisions, edits, grants and plans are looked up among requests and are refused there
as unknown; no workflow is started and none is signalled; the claim of an effect needs an action's row, and a check has
none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.checks import Check, CheckStatus
from assent.domain.errors import Conflict
from assent.domain.people import SYSTEM, Actor
from assent.store import ledger
from assent.store.approvals import REQUESTED, notify
from assent.store.check_answers import check_of, close
from assent.store.tables import CheckAnnouncementRow, CheckNoticeRow, CheckRow

MOST_WAITING = 5
"""Checks of one person that wait at most."""

MOST_AGENTS = 200
"""Announcements that are read at once."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """That an agent's approvers may be shown checks.

    Attributes:
        agent: The agent.
        announced_at: Since when it stands announced.
        one_in: One check for so many requests at most.
        a_day: Checks a person and day at most.
        read_at: When the person in question read it; ``None`` if they have not.
    """

    agent: str
    announced_at: datetime
    one_in: int
    a_day: int
    read_at: datetime | None = None


def announce(session: Session, agent: str, *, one_in: int, a_day: int, at: datetime, by: Actor) -> None:
    """Announce an agent's checks as a card says; other numbers are announced anew, and must be read anew."""
    row = session.get(CheckAnnouncementRow, agent)
    if row is not None and row.ended_at is None and (row.one_in, row.a_day) == (one_in, a_day):
        return
    session.merge(CheckAnnouncementRow(agent=agent, announced_at=at, one_in=one_in, a_day=a_day, ended_at=None))
    body = {"one_in": one_in, "a_day": a_day}
    ledger.append(session, at=at, kind="check.announced", actor=by, agent=agent, body=body)


def end(session: Session, agent: str, *, at: datetime, by: Actor) -> None:
    """The card in force has no checks any more; those that are shown are shown no longer."""
    row = session.get(CheckAnnouncementRow, agent)
    if row is None or row.ended_at is not None:
        return
    row.ended_at = at
    ledger.append(session, at=at, kind="check.ended", actor=by, agent=agent)
    shown = select(CheckRow).where(col(CheckRow.ended_at).is_(None), col(CheckRow.agent) == agent)
    for check in session.execute(shown).scalars().all():
        close(session, check, CheckStatus.UNANSWERED, at=at, by=SYSTEM)


def in_force(session: Session) -> dict[str, datetime]:
    """Agents that have checks, and since when that stands announced."""
    rows = session.execute(select(CheckAnnouncementRow).limit(MOST_AGENTS)).scalars()
    return {row.agent: row.announced_at for row in rows if row.ended_at is None}


def late(session: Session, at: datetime) -> bool:
    """Whether a check waits that nobody answered in time."""
    wanted = select(col(CheckRow.id)).where(col(CheckRow.ended_at).is_(None), col(CheckRow.expires_at) <= at)
    return session.execute(wanted.limit(1)).first() is not None


def announced(session: Session, person_id: str) -> list[Announcement]:
    """What is announced now, with when somebody read it; a row an agent that has checks."""
    rows = session.execute(
        select(CheckAnnouncementRow).order_by(col(CheckAnnouncementRow.agent)).limit(MOST_AGENTS)
    ).scalars()
    return [_announcement(session, row, person_id) for row in rows if row.ended_at is None]


def unread(session: Session, person_id: str) -> list[Announcement]:
    """What is announced and somebody has not read."""
    return [each for each in announced(session, person_id) if each.read_at is None]


def read(session: Session, person: Actor, *, until: datetime, at: datetime) -> int:
    """Somebody read what was announced up to a time; only now may they be shown checks. Gives how many were new."""
    new = [each for each in unread(session, person.id) if each.announced_at <= until]
    for each in new:
        session.merge(CheckNoticeRow(agent=each.agent, person_id=person.id, read_at=at))
        ledger.append(session, at=at, kind="check.read", actor=person, agent=each.agent)
    return len(new)


def readers(session: Session, agent: str) -> list[str]:
    """Whoever read what stands announced for an agent, by id; nobody else can be shown a check of it."""
    row = session.get(CheckAnnouncementRow, agent)
    if row is None or row.ended_at is not None:
        return []
    since = (col(CheckNoticeRow.agent) == agent, col(CheckNoticeRow.read_at) >= row.announced_at)
    return list(session.execute(select(col(CheckNoticeRow.person_id)).where(*since)).scalars())


def may_be_shown(session: Session, agent: str, person_ids: Sequence[str], at: datetime) -> list[str]:
    """Those of some people for whom an agent's checks stand announced and who had not their share of the day."""
    row = session.get(CheckAnnouncementRow, agent)
    if row is None or row.ended_at is not None:
        return []
    return [
        person_id
        for person_id in person_ids
        if _announcement(session, row, person_id).read_at is not None
        and _shown_since(session, person_id, at - timedelta(days=1)) < row.a_day
    ]


def show(session: Session, check: Check, *, channels: Sequence[str] = ()) -> None:
    """Show a check to its person from now on, and tell them by these ways of the outbox as of a request."""
    if not may_be_shown(session, check.agent, [check.person_id], check.created_at):
        raise Conflict("It does not stand announced for them, or they had their share of the day.", where="check")
    session.execute(
        insert(CheckRow).values(
            id=check.id,
            person_id=check.person_id,
            agent=check.agent,
            type=check.type,
            source_id=check.source_id,
            digest=check.digest,
            headline=check.card.headline,
            why=check.why,
            amount=check.card.amount,
            card=check.card.model_dump(mode="json"),
            rules=check.rules.model_dump(mode="json"),
            because=check.because,
            status=check.status.value,
            created_at=check.created_at,
            expires_at=check.expires_at,
            reason="",
        )
    )
    body = {"check": check.id, "type": check.type, "person": check.person_id, "source": check.source_id}
    body |= {"digest": check.digest, "because": check.because}
    ledger.append(
        session,
        at=check.created_at,
        kind="check.shown",
        actor=SYSTEM,
        agent=check.agent,
        body={**body, "shown": check.card.model_dump(mode="json")},
    )
    notify(session, channels, REQUESTED, check.id, check.created_at)


def waiting(session: Session, person_id: str, at: datetime) -> list[Check]:
    """A person's checks that wait, oldest first."""
    rows = session.execute(
        select(CheckRow)
        .where(col(CheckRow.person_id) == person_id, col(CheckRow.ended_at).is_(None))
        .order_by(col(CheckRow.created_at))
        .limit(MOST_WAITING)
    ).scalars()
    return [check_of(row) for row in rows if row.expires_at > at]


def one(session: Session, check_id: str, person_id: str) -> Check | None:
    """A person's check; ``None`` if it is none, or another's."""
    row = session.get(CheckRow, check_id)
    return check_of(row) if row is not None and row.person_id == person_id else None


def by_id(session: Session, check_id: str) -> Check | None:
    """A check, whoever is shown it: for what is delivered to them alone, and for the console."""
    row = session.get(CheckRow, check_id)
    return None if row is None else check_of(row)


def of_others(session: Session, ids: Sequence[str], person_id: str) -> set[str]:
    """Those of some ids that are checks of anybody but one person, whom they are not to know of."""
    hidden = select(col(CheckRow.id)).where(col(CheckRow.id).in_(ids), col(CheckRow.person_id) != person_id)
    return set(session.execute(hidden).scalars())


def count_waiting(session: Session, person_id: str, at: datetime) -> int:
    """How many checks wait for somebody."""
    wanted = select(col(CheckRow.expires_at)).where(
        col(CheckRow.person_id) == person_id, col(CheckRow.ended_at).is_(None)
    )
    return sum(each > at for each in session.execute(wanted.limit(MOST_WAITING)).scalars())


def expire(session: Session, at: datetime) -> int:
    """End what nobody answered in time."""
    late = (
        select(CheckRow)
        .where(col(CheckRow.ended_at).is_(None), col(CheckRow.expires_at) <= at)
        .order_by(col(CheckRow.expires_at), col(CheckRow.id))
        .limit(100)
    )
    rows = session.execute(late).scalars().all()
    for row in rows:
        close(session, row, CheckStatus.UNANSWERED, at=at, by=SYSTEM)
    return len(rows)


def _announcement(session: Session, row: CheckAnnouncementRow, person_id: str) -> Announcement:
    notice = session.get(CheckNoticeRow, (row.agent, person_id))
    read_at = notice.read_at if notice is not None and notice.read_at >= row.announced_at else None
    return Announcement(row.agent, row.announced_at, row.one_in, row.a_day, read_at)


def _shown_since(session: Session, person_id: str, since: datetime) -> int:
    """How many checks somebody was shown since a time, up to :data:`MOST_WAITING`; those that wait come first."""
    open_ones = select(col(CheckRow.id)).where(col(CheckRow.person_id) == person_id, col(CheckRow.ended_at).is_(None))
    ended = select(col(CheckRow.id)).where(
        col(CheckRow.person_id) == person_id, col(CheckRow.ended_at) >= since, col(CheckRow.created_at) >= since
    )
    found = {*session.execute(open_ones.limit(MOST_WAITING)).scalars()}
    return len(found | {*session.execute(ended.limit(MOST_WAITING)).scalars()})

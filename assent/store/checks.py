"""Seeded checks in the database: announced first, shown then, answered at last. None of it touches a request.

A check has a table of its own. Decisions, edits, grants and plans are looked up among requests and are refused there
as unknown; no workflow is started and none is signalled; the claim of an effect needs an action's row, and a check has
none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import RequestCard, Verb
from assent.domain.approving import ApprovalRules
from assent.domain.checks import Check, CheckStatus, outcome
from assent.domain.errors import Conflict, InvalidInput, NotFound
from assent.domain.people import MAX_REASON, SYSTEM, Actor
from assent.domain.quality import bounded_look
from assent.store import ledger
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
        _close(session, check, CheckStatus.UNANSWERED, at=at, by=SYSTEM)


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


def show(session: Session, check: Check) -> None:
    """Show a check to its person from now on."""
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


def waiting(session: Session, person_id: str, at: datetime) -> list[Check]:
    """A person's checks that wait, oldest first."""
    rows = session.execute(
        select(CheckRow)
        .where(col(CheckRow.person_id) == person_id, col(CheckRow.ended_at).is_(None))
        .order_by(col(CheckRow.created_at))
        .limit(MOST_WAITING)
    ).scalars()
    return [_view(row) for row in rows if row.expires_at > at]


def one(session: Session, check_id: str, person_id: str) -> Check | None:
    """A person's check; ``None`` if it is none, or another's."""
    row = session.get(CheckRow, check_id)
    return _view(row) if row is not None and row.person_id == person_id else None


def answer(
    session: Session,
    check_id: str,
    *,
    verb: Verb,
    digest: str,
    reason: str,
    by: Actor,
    at: datetime,
    seconds: float | None,
) -> Check:
    """Keep what somebody decided on a check; the first answer stays.

    Raises:
        NotFound: They have no such check.
        InvalidInput: A rejection without a reason, as for a request.
        Conflict: The answer is about something else.
    """
    row = session.get(CheckRow, check_id, with_for_update=True)
    if row is None or row.person_id != by.id:
        raise NotFound(f"There is no approval request {check_id}.", where="approval")
    if verb is Verb.REJECT and not reason.strip():
        raise InvalidInput("A rejection needs a reason.", where="reason", todo="The agent is given it.")
    if row.ended_at is None:
        if row.digest != digest:
            raise Conflict("The request no longer shows what you saw.", where="digest", todo="Open it again.")
        row.reason = reason.strip()[:MAX_REASON]
        row.seconds = None if seconds is None else bounded_look(seconds)
        late = row.expires_at <= at
        _close(session, row, CheckStatus.UNANSWERED if late else outcome(verb), at=at, by=by)
    return _view(row)


def question(session: Session, check_id: str, *, text: str, by: Actor, at: datetime) -> None:
    """Somebody asked about their check instead of deciding it: that ends it, and nobody is asked.

    Raises:
        InvalidInput: They said nothing.
    """
    if not text.strip():
        raise InvalidInput("Say something.", where="text")
    row = session.get(CheckRow, check_id, with_for_update=True)
    if row is not None and row.person_id == by.id and row.ended_at is None:
        row.reason = text.strip()[:MAX_REASON]
        _close(session, row, CheckStatus.QUESTIONED, at=at, by=by)


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
        _close(session, row, CheckStatus.UNANSWERED, at=at, by=SYSTEM)
    return len(rows)


def _close(session: Session, row: CheckRow, status: CheckStatus, *, at: datetime, by: Actor) -> None:
    values = {"status": status.value, "ended_at": at, "reason": row.reason, "seconds": row.seconds}
    session.execute(update(CheckRow).where(col(CheckRow.id) == row.id).values(**values))
    row.status, row.ended_at = status.value, at
    body = {"check": row.id, "type": row.type, "result": status.value, "digest": row.digest, "reason": row.reason}
    ledger.append(session, at=at, kind="check.answered", actor=by, agent=row.agent, body=body)


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


def _view(row: CheckRow) -> Check:
    return Check(
        id=row.id,
        person_id=row.person_id,
        agent=row.agent,
        type=row.type,
        source_id=row.source_id,
        digest=row.digest,
        why=row.why,
        card=RequestCard.model_validate(row.card),
        rules=ApprovalRules.model_validate(row.rules),
        because=row.because,
        status=CheckStatus(row.status),
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        reason=row.reason,
    )

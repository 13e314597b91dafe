"""Sessions of people: which are open, on what device and since when; ended one by one or all at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.assurance import Proof
from assent.domain.errors import NotFound
from assent.domain.people import Actor
from assent.store import ledger
from assent.store.tables import SessionRow

MOST_SHOWN = 100
"""Open sessions of a person that are listed, the newest ones."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """An open session.

    Attributes:
        id: Its id.
        how: How its person signed in.
        user_agent: What their browser said it is, at most 200 characters; it can be made up.
        address: Network address that it was opened from.
        created_at: When it was opened.
        seen_at: When it was last used, to within five minutes.
        expires_at: When it ends by itself.
        proven_at: When its person last proved who they are, other than by a link.
    """

    id: str
    how: Proof
    user_agent: str
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    proven_at: datetime | None


def of_person(session: Session, person_id: str, *, at: datetime) -> tuple[SessionView, ...]:
    """A person's open sessions, the newest first."""
    wanted = (
        select(SessionRow)
        .where(
            col(SessionRow.person_id) == person_id,
            col(SessionRow.ended_at).is_(None),
            col(SessionRow.expires_at) > at,
        )
        .order_by(col(SessionRow.created_at).desc(), col(SessionRow.id))
        .limit(MOST_SHOWN)
    )
    return tuple(_view(row) for row in session.execute(wanted).scalars())


def end(session: Session, person_id: str, session_id: str, *, at: datetime, by: Actor) -> None:
    """End one of a person's sessions; ending it again changes nothing.

    Raises:
        NotFound: They have no such session.
    """
    found = select(SessionRow).where(col(SessionRow.id) == session_id, col(SessionRow.person_id) == person_id)
    row = session.execute(found).scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no session {session_id!r}.", where="session", todo="It may have ended long ago.")
    if row.ended_at is None and row.expires_at > at:
        row.ended_at = at
        _tell(session, person_id, [session_id], at, by)


def end_all(session: Session, person_id: str, *, at: datetime, by: Actor, but: str = "") -> int:
    """End a person's open sessions, but for one of them if it is named; gives how many there were."""
    ended = (
        update(SessionRow)
        .where(
            col(SessionRow.person_id) == person_id,
            col(SessionRow.ended_at).is_(None),
            col(SessionRow.expires_at) > at,
            col(SessionRow.id) != but,
        )
        .values(ended_at=at)
        .returning(col(SessionRow.id))
    )
    ids = sorted(session.execute(ended).scalars())
    if ids:
        _tell(session, person_id, ids, at, by)
    return len(ids)


def _tell(session: Session, person_id: str, ids: list[str], at: datetime, by: Actor) -> None:
    ledger.append(session, at=at, kind="session.ended", actor=by, body={"person": person_id, "sessions": ids})


def _view(row: SessionRow) -> SessionView:
    return SessionView(
        id=row.id,
        how=Proof(row.how),
        user_agent=row.user_agent,
        address=row.address,
        created_at=row.created_at,
        seen_at=row.seen_at or row.created_at,
        expires_at=row.expires_at,
        proven_at=row.proven_at,
    )

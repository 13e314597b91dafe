"""Absences: from when to when somebody is away, and who decides in their place. Every change is a ledger event."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from assent.domain.people import Actor, Role
from assent.store import ledger, people
from assent.store.people import Person
from assent.store.queries.paging import FIRST, MAX_LIMIT, Order, Page, PageRequest
from assent.store.tables import AbsenceRow

LONGEST = timedelta(days=366)
"""The longest absence."""

_NOTE_LENGTH = 200
_ABSENCES = Order("absences", [col(AbsenceRow.ends_at), col(AbsenceRow.id)], descending=False)


@dataclass(frozen=True, slots=True)
class Absence:
    """A time in which somebody is away.

    Attributes:
        id: Its id.
        person_id: Who is away.
        delegate_id: Who decides in their place; ``None`` if nobody does.
        starts_at: From when.
        ends_at: Until when, that moment not included.
        note: Why, for colleagues.
        created_at: When it was entered.
    """

    id: str
    person_id: str
    delegate_id: str | None
    starts_at: datetime
    ends_at: datetime
    note: str
    created_at: datetime


def add(
    session: Session,
    person_id: str,
    *,
    starts_at: datetime,
    ends_at: datetime,
    delegate_id: str | None = None,
    note: str = "",
    at: datetime,
    by: Actor,
) -> Absence:
    """Enter that somebody is away; their delegate has their roles and groups for deciding until they are back.

    Args:
        session: The transaction.
        person_id: Who is away.
        starts_at: From when.
        ends_at: Until when; later than ``starts_at`` and than now, at most :data:`LONGEST` after the start.
        delegate_id: Who decides in their place. What others lent that person is not passed on.
        note: Why, at most 200 visible characters.
        at: Now.
        by: Who enters it.

    Raises:
        NotFound: There is no such person.
        InvalidInput: The times or the note make no sense, or the delegate is the person or may not decide.
        Conflict: They are away then already.
    """
    person = _person(session, person_id, "person")
    _check_times(starts_at, ends_at, at)
    said = " ".join(note.split())
    if len(said) > _NOTE_LENGTH or (said and not said.isprintable()):
        raise InvalidInput(f"A note has at most {_NOTE_LENGTH} visible characters.", where="note")
    delegate = None if delegate_id is None else _delegate(session, person, delegate_id)
    overlapping = select(col(AbsenceRow.id)).where(
        col(AbsenceRow.person_id) == person_id, col(AbsenceRow.starts_at) < ends_at, col(AbsenceRow.ends_at) > starts_at
    )
    if session.execute(overlapping.limit(1)).first() is not None:
        raise Conflict(
            f"{person.name} is away then already.", where="from", todo="End that absence first: `assent people back`."
        )
    row = AbsenceRow(
        id=f"absence-{uuid.uuid4().hex[:12]}",
        person_id=person_id,
        delegate_id=delegate_id,
        starts_at=starts_at,
        ends_at=ends_at,
        note=said,
        created_at=at,
        created_by=by.model_dump(mode="json"),
    )
    session.add(row)
    session.flush()
    body: dict[str, Json] = {
        "absence": row.id,
        "person": person.id,
        "email": person.email,
        "from": starts_at.isoformat(),
        "until": ends_at.isoformat(),
        "delegate": delegate.email if delegate else None,
    }
    ledger.append(session, at=at, kind="absence.added", actor=by, body=body)
    return _absence(row)


def end(session: Session, absence_id: str, *, at: datetime, by: Actor, of_person: str | None = None) -> Absence:
    """Let somebody be back now; an absence that has not begun is gone.

    Args:
        session: The transaction.
        absence_id: The absence.
        at: Now.
        by: Who ends it.
        of_person: Whose it must be.

    Raises:
        NotFound: There is no such absence of this person, or it is over.
    """
    row = session.get(AbsenceRow, absence_id)
    if row is None or row.ends_at <= at or of_person not in (None, row.person_id):
        raise NotFound(f"There is no absence {absence_id!r} to end.", where="absence")
    person = _person(session, row.person_id, "person")
    row.starts_at, row.ends_at = min(row.starts_at, at), at
    session.flush()
    body: dict[str, Json] = {"absence": row.id, "person": person.id, "email": person.email}
    ledger.append(session, at=at, kind="absence.ended", actor=by, body=body)
    return _absence(row)


def now_or_later(session: Session, at: datetime, *, person_id: str | None = None) -> tuple[Absence, ...]:
    """Absences that are not over, soonest over first, at most 200."""
    return page(session, at, person_id=person_id, request=PageRequest(MAX_LIMIT)).items


def page(
    session: Session, at: datetime, *, person_id: str | None = None, request: PageRequest = FIRST
) -> Page[Absence]:
    """Absences that are not over, soonest over first."""
    statement = select(AbsenceRow).where(col(AbsenceRow.ends_at) > at)
    if person_id is not None:
        statement = statement.where(col(AbsenceRow.person_id) == person_id)
    return _ABSENCES.page(session.execute(_ABSENCES.window(statement, request)).scalars().all(), request, _absence)


def current(session: Session, person_id: str, at: datetime) -> Absence | None:
    """The absence somebody is in, or the next one."""
    wanted = (
        select(AbsenceRow)
        .where(col(AbsenceRow.person_id) == person_id, col(AbsenceRow.ends_at) > at)
        .order_by(col(AbsenceRow.ends_at), col(AbsenceRow.id))
        .limit(1)
    )
    row = session.execute(wanted).scalar_one_or_none()
    return None if row is None else _absence(row)


def require_own(by: Person, person_id: str) -> None:
    """Refuse to enter or end the absence of somebody else, unless by an administrator.

    Raises:
        Forbidden: It is somebody else's.
    """
    if by.id != person_id and not by.may(Role.ADMIN):
        raise Forbidden(
            "Only they themselves or an administrator may do that.", where="person", todo="Ask an administrator."
        )


def _check_times(starts_at: datetime, ends_at: datetime, at: datetime) -> None:
    if ends_at <= starts_at:
        raise InvalidInput("It ends before it begins.", where="until", todo="Give a later end.")
    if ends_at <= at:
        raise InvalidInput("That is over already.", where="until", todo="Give an end in the future.")
    if ends_at - starts_at > LONGEST:
        raise InvalidInput(f"An absence lasts at most {LONGEST.days} days.", where="until")


def _delegate(session: Session, person: Person, delegate_id: str) -> Person:
    delegate = _person(session, delegate_id, "delegate")
    if delegate.id == person.id:
        raise InvalidInput("Nobody stands in for themselves.", where="delegate", todo="Name somebody else.")
    if delegate.disabled or not delegate.may(Role.APPROVER):
        raise InvalidInput(
            f"{delegate.name} may not decide approval requests.",
            where="delegate",
            todo="Name somebody with the role approver.",
        )
    return delegate


def _person(session: Session, person_id: str, where: str) -> Person:
    person = people.one(session, person_id)
    if person is None:
        raise NotFound(f"There is no person {person_id!r}.", where=where, todo="`assent people list` shows all.")
    return person


def _absence(row: AbsenceRow) -> Absence:
    return Absence(row.id, row.person_id, row.delegate_id, row.starts_at, row.ends_at, row.note, row.created_at)

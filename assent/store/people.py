"""People: who there is, and what they may do. Every change is a ledger event."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import Conflict, InvalidInput, NotFound
from assent.domain.people import Actor, Assurance, Role, Via, mailbox_of
from assent.store import ledger, sessions
from assent.store.queries.paging import FIRST, Order, Page, PageRequest
from assent.store.tables import PersonRow

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Person:
    """A person.

    Attributes:
        id: Their id.
        email: Their address, in lower case.
        name: Their name.
        roles: What they may do.
        slack_user: The Slack user they are.
        disabled: They may no longer sign in or act.
        created_at: When they were added.
    """

    id: str
    email: str
    name: str
    roles: tuple[Role, ...]
    slack_user: str | None
    disabled: bool
    created_at: datetime

    def may(self, role: Role) -> bool:
        """Whether they have a role; an admin has all of them."""
        return role in self.roles or Role.ADMIN in self.roles

    def acting(self, via: Via, assurance: Assurance | None = None) -> Actor:
        """They, acting somewhere; what that place is worth, unless it is said how sure it is that it is they."""
        found = assurance or (Assurance.SLACK if via is Via.SLACK else Assurance.SESSION)
        return Actor(id=self.id, name=self.name, via=via, assurance=found)


_PEOPLE = Order("people", [col(PersonRow.id)], descending=False)


def add(
    session: Session, *, email: str, name: str = "", roles: Iterable[Role] = (), at: datetime, by: Actor | None = None
) -> Person:
    """Add a person.

    Args:
        session: The transaction.
        email: Their address.
        name: Their name; the address up to the @ if empty.
        roles: What they may do.
        at: When.
        by: Who adds them; ``None`` if they add themselves, as the first one does.

    Raises:
        InvalidInput: That is no address or no name.
        Conflict: Somebody has this address, or the same one under another tag.
    """
    address = _address(email)
    if (there := by_mailbox(session, address)) is not None:
        raise Conflict(
            f"There already is a person with the address {there.email}.",
            where="email",
            todo="One mailbox is one person, whatever stands after a plus. Change them with `assent people roles`.",
        )
    row = PersonRow(
        id=f"person-{uuid.uuid4().hex[:12]}",
        email=address,
        mailbox=mailbox_of(address),
        name=_name(name or address.partition("@")[0]),
        roles=_words(roles),
        created_at=at,
    )
    session.add(row)
    session.flush()
    person = person_of(row)
    body = {"person": person.id, "email": person.email, "name": person.name, "roles": row.roles}
    ledger.append(session, at=at, kind="person.added", actor=by or person.acting(Via.CLI), body=body)
    return person


def change(
    session: Session,
    person_id: str,
    *,
    at: datetime,
    by: Actor,
    name: str | None = None,
    roles: Iterable[Role] | None = None,
    disabled: bool | None = None,
) -> Person:
    """Change a person; what is ``None`` stays as it is.

    Somebody who is switched off loses every open session.

    Raises:
        NotFound: There is no such person.
        InvalidInput: That is no name.
        Conflict: Nobody would be left to manage people; the command line may do that, and undo it.
    """
    row = session.get(PersonRow, person_id)
    if row is None:
        raise NotFound(f"There is no person {person_id!r}.", where="person", todo="`assent people list` shows all.")
    before = person_of(row)
    if name is not None:
        row.name = _name(name)
    if roles is not None:
        row.roles = _words(roles)
    if disabled is not None:
        row.disabled = disabled
    after = person_of(row)
    if _manages(before) and not _manages(after) and by.via is not Via.CLI:
        _refuse_last_admin(session, row.id)
    if after.disabled and not before.disabled:
        sessions.end_all(session, row.id, at=at, by=by)
    if after != before:
        body = {"person": row.id, "email": row.email, "before": _state(before), "after": _state(after)}
        ledger.append(session, at=at, kind="person.changed", actor=by, body=body)
    return after


def one(session: Session, person_id: str) -> Person | None:
    """A person, if there is one with this id."""
    row = session.get(PersonRow, person_id)
    return None if row is None else person_of(row)


def by_email(session: Session, email: str) -> Person | None:
    """A person, if there is one with this address."""
    wanted = select(PersonRow).where(col(PersonRow.email) == email.strip().lower())
    row = session.execute(wanted).scalar_one_or_none()
    return None if row is None else person_of(row)


def by_mailbox(session: Session, email: str) -> Person | None:
    """The person whose mailbox this address leads to, whatever its case and tag; the oldest, of several."""
    wanted = select(PersonRow).where(
        (col(PersonRow.mailbox) == mailbox_of(email)) | (col(PersonRow.email) == email.strip().lower())
    )
    row = session.execute(wanted.order_by(col(PersonRow.created_at)).limit(1)).scalar_one_or_none()
    return None if row is None else person_of(row)


def named(session: Session, email: str) -> Person:
    """The person with this address.

    Raises:
        NotFound: There is none.
    """
    person = by_email(session, email)
    if person is None:
        raise NotFound(
            f"There is no person with the address {email!r}.",
            where="email",
            todo="`assent people list` shows everybody; `assent people add` adds somebody.",
        )
    return person


def page(session: Session, *, request: PageRequest = FIRST) -> Page[Person]:
    """Everybody."""
    return _PEOPLE.page(session.execute(_PEOPLE.window(select(PersonRow), request)).scalars().all(), request, person_of)


def names(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """The names of people by their id; ids that are empty or nobody's are left out."""
    wanted = {each for each in ids if each}
    if not wanted:
        return {}
    found = session.execute(select(col(PersonRow.id), col(PersonRow.name)).where(col(PersonRow.id).in_(wanted)))
    return {row[0]: row[1] for row in found}


def nobody_yet(session: Session) -> bool:
    """Whether there are no people."""
    return session.execute(select(col(PersonRow.id)).limit(1)).first() is None


def person_of(row: PersonRow) -> Person:
    """A row as a person."""
    return Person(
        id=row.id,
        email=row.email,
        name=row.name,
        roles=tuple(Role(role) for role in row.roles),
        slack_user=row.slack_user,
        disabled=row.disabled,
        created_at=row.created_at,
    )


def _manages(person: Person) -> bool:
    return Role.ADMIN in person.roles and not person.disabled


def _refuse_last_admin(session: Session, but: str) -> None:
    others = select(PersonRow).where(col(PersonRow.disabled).is_(False), col(PersonRow.id) != but)
    if not any(Role.ADMIN in person_of(row).roles for row in session.execute(others).scalars()):
        raise Conflict(
            "Nobody would be left to manage people.", where="roles", todo="Make somebody else an admin first."
        )


def _address(email: str) -> str:
    address = email.strip().lower()
    if not _EMAIL.fullmatch(address) or not address.isprintable():
        raise InvalidInput(f"{email!r} is no mail address.", where="email", todo="It looks like anna@example.com.")
    return address


def _name(name: str) -> str:
    tidy = " ".join(name.split())
    if not 1 <= len(tidy) <= _NAME_LENGTH or not tidy.isprintable():
        raise InvalidInput(f"A name has 1 to {_NAME_LENGTH} visible characters.", where="name")
    return tidy


def _words(roles: Iterable[Role]) -> list[str]:
    wanted = set(roles)
    return [role.value for role in Role if role in wanted]


def _state(person: Person) -> dict[str, object]:
    return {"name": person.name, "roles": [role.value for role in person.roles], "disabled": person.disabled}

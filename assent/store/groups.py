"""Groups: named sets of people that cards can ask. Every change is a ledger event."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import Conflict, InvalidInput, NotFound
from assent.domain.people import Actor
from assent.store import ledger, people
from assent.store.people import Person
from assent.store.queries.paging import FIRST, Order, Page, PageRequest
from assent.store.tables import GroupMemberRow, GroupRow, PersonRow

TAKEN = frozenset(
    {"business-owner", "technical-owner", "model-steward", "escalation", "on-call", "requester", "everybody"}
)
"""Words that mean somebody else in a card."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAME_LENGTH = 60
_TITLE_LENGTH = 100
_GROUPS = Order("groups", [col(GroupRow.name)], descending=False)


@dataclass(frozen=True, slots=True)
class Group:
    """A group.

    Attributes:
        name: What cards call it.
        title: What people call it.
        created_at: When it was made.
        size: How many people are in it.
    """

    name: str
    title: str
    created_at: datetime
    size: int


def create(session: Session, name: str, *, at: datetime, by: Actor, title: str = "") -> Group:
    """Make an empty group.

    Args:
        session: The transaction.
        name: Lower-case letters, figures and single hyphens, at most 60 characters; no word of :data:`TAKEN`.
        at: When.
        by: Who makes it.
        title: What people call it, at most 100 characters; the name if empty.

    Raises:
        InvalidInput: That is no name or no title.
        Conflict: There is such a group.
    """
    if not _NAME.fullmatch(name) or len(name) > _NAME_LENGTH:
        raise InvalidInput(
            f"{name!r} is no name of a group.",
            where="group",
            todo=f"Lower-case letters, figures and hyphens, at most {_NAME_LENGTH}: finance-leads.",
        )
    if name in TAKEN:
        raise InvalidInput(f"{name!r} means somebody else in a card.", where="group", todo="Choose another name.")
    said = " ".join(title.split()) or name
    if len(said) > _TITLE_LENGTH or not said.isprintable():
        raise InvalidInput(f"A title has at most {_TITLE_LENGTH} visible characters.", where="title")
    if session.get(GroupRow, name) is not None:
        raise Conflict(
            f"There already is a group {name}.", where="group", todo="`assent group show` says who is in it."
        )
    session.execute(insert(GroupRow).values(name=name, title=said, created_at=at))
    ledger.append(session, at=at, kind="group.created", actor=by, body={"group": name, "title": said})
    return Group(name, said, at, 0)


def delete_group(session: Session, name: str, *, at: datetime, by: Actor) -> None:
    """Delete a group; cards that ask it then ask nobody.

    Raises:
        NotFound: There is no such group.
    """
    one(session, name)
    were = [person.email for person in members(session, name)]
    session.execute(delete(GroupMemberRow).where(col(GroupMemberRow.group_name) == name))
    session.execute(delete(GroupRow).where(col(GroupRow.name) == name))
    ledger.append(session, at=at, kind="group.deleted", actor=by, body={"group": name, "members": were})


def add(session: Session, name: str, person_id: str, *, at: datetime, by: Actor) -> bool:
    """Put a person into a group; tells whether that changed anything.

    Raises:
        NotFound: There is no such group or person.
    """
    one(session, name)
    person = _person(session, person_id)
    if name in groups_of(session, person_id):
        return False
    session.execute(insert(GroupMemberRow).values(group_name=name, person_id=person_id, added_at=at))
    body = {"group": name, "person": person.id, "email": person.email}
    ledger.append(session, at=at, kind="group.joined", actor=by, body=body)
    return True


def remove(session: Session, name: str, person_id: str, *, at: datetime, by: Actor) -> bool:
    """Take a person out of a group; tells whether that changed anything.

    Raises:
        NotFound: There is no such group or person.
    """
    one(session, name)
    person = _person(session, person_id)
    if name not in groups_of(session, person_id):
        return False
    session.execute(
        delete(GroupMemberRow).where(col(GroupMemberRow.group_name) == name, col(GroupMemberRow.person_id) == person_id)
    )
    body = {"group": name, "person": person.id, "email": person.email}
    ledger.append(session, at=at, kind="group.left", actor=by, body=body)
    return True


def one(session: Session, name: str) -> Group:
    """A group.

    Raises:
        NotFound: There is none of this name.
    """
    row = session.get(GroupRow, name)
    if row is None:
        raise NotFound(f"There is no group {name!r}.", where="group", todo="`assent group list` shows all.")
    count = select(func.count()).select_from(GroupMemberRow).where(col(GroupMemberRow.group_name) == name)
    return Group(row.name, row.title, row.created_at, session.execute(count).scalar_one())


def page(session: Session, *, request: PageRequest = FIRST) -> Page[Group]:
    """Groups by name."""
    rows = session.execute(_GROUPS.window(select(GroupRow), request)).scalars().all()
    counted = (
        select(col(GroupMemberRow.group_name), func.count())
        .where(col(GroupMemberRow.group_name).in_([row.name for row in rows]))
        .group_by(col(GroupMemberRow.group_name))
    )
    sizes: dict[str, int] = dict(session.execute(counted).all())
    return _GROUPS.page(rows, request, lambda row: Group(row.name, row.title, row.created_at, sizes.get(row.name, 0)))


def groups_of(session: Session, person_id: str) -> frozenset[str]:
    """Names of the groups that a person is in."""
    mine = select(col(GroupMemberRow.group_name)).where(col(GroupMemberRow.person_id) == person_id)
    return frozenset(session.execute(mine).scalars())


def members(session: Session, name: str) -> tuple[Person, ...]:
    """Who is in a group, by address; the disabled among them as well. Nobody, if there is no such group."""
    found = (
        select(PersonRow)
        .join(GroupMemberRow, col(GroupMemberRow.person_id) == col(PersonRow.id))
        .where(col(GroupMemberRow.group_name) == name)
        .order_by(col(PersonRow.email))
    )
    return tuple(people.person_of(row) for row in session.execute(found).scalars())


def _person(session: Session, person_id: str) -> Person:
    person = people.one(session, person_id)
    if person is None:
        raise NotFound(f"There is no person {person_id!r}.", where="person", todo="`assent people list` shows all.")
    return person

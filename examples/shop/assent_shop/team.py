"""The people who decide for the shop: two groups, a colleague and a lead, and whoever administers the installation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.errors import NotFound
from assent.domain.people import SYSTEM, Role
from assent.gateway import utc_now
from assent.runtime.people import first_person
from assent.store import groups, people
from assent.store.database import Database
from assent.store.people import Person
from assent.store.queries.paging import MAX_LIMIT, PageRequest

SUPPORT, LEADS = "support", "support-leads"
_TITLES = {SUPPORT: "The shop's support", LEADS: "The shop's support leads"}
_COLLEAGUES = {
    "noor.haddad@shop.example": ("Noor Haddad", SUPPORT),
    "marta.lindqvist@shop.example": ("Marta Lindqvist", LEADS),
}


def gather(database: Database) -> list[str]:
    """Make the groups of the shop's card and put people into them; a group that is there already is left alone.

    Returns:
        What was made, a sentence each.

    Raises:
        Unavailable: The database cannot be reached.
    """
    try:
        first_person(database)
    except NotFound:
        return []
    with database.write() as session:
        missing = [name for name in (SUPPORT, LEADS) if not _exists(session, name)]
        return list(_make(session, missing, utc_now()))


def _make(session: Session, missing: list[str], at: datetime) -> Iterator[str]:
    able = [each for each in people.page(session, request=PageRequest(MAX_LIMIT)).items if not each.disabled]
    for name in missing:
        groups.create(session, name, title=_TITLES[name], at=at, by=SYSTEM)
        members = [each for each in able if each.may(Role.ADMIN) or (name == SUPPORT and each.may(Role.APPROVER))]
        members += [_colleague(session, email, at) for email, (_, group) in _COLLEAGUES.items() if group == name]
        for member in {each.id: each for each in members}.values():
            groups.add(session, name, member.id, at=at, by=SYSTEM)
        yield f"the group {name} is {', '.join(sorted({each.name for each in members}))}"


def _colleague(session: Session, email: str, at: datetime) -> Person:
    """A made-up colleague, who can sign in with a link of an administrator only."""
    name = _COLLEAGUES[email][0]
    found = people.by_mailbox(session, email)
    return found or people.add(session, email=email, name=name, roles=[Role.APPROVER], at=at, by=SYSTEM)


def _exists(session: Session, name: str) -> bool:
    try:
        groups.one(session, name)
    except NotFound:
        return False
    return True

"""Letting people in from the machine where Assent runs."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from urllib.parse import quote

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from assent.domain.errors import Conflict, Forbidden, NotFound
from assent.domain.people import Role
from assent.gateway import utc_now
from assent.runtime.console import console_actor
from assent.runtime.secrets import signing_key
from assent.runtime.settings import Settings
from assent.store import people
from assent.store.database import Database
from assent.store.people import Person
from assent.store.queries.paging import MAX_LIMIT, PageRequest
from assent.store.sign_in import LINK_LIFETIME, SignIn

FIRST_EMAIL = "you@localhost"
"""Address of the person who is made when there is nobody yet."""

FIRST_LINK_LIFETIME = timedelta(hours=1)
"""How long the link works that `assent up` prints."""


def sign_in_link(settings: Settings, email: str | None = None) -> str:
    """A one-time link for a person, or for the first one, who is made with every role if there is nobody yet.

    Args:
        settings: For the database, the signing key and the address of the pages.
        email: Whose link it is; without it, the administrator's who has been here longest, and it works for an hour.

    Raises:
        NotFound: There is no such person, or no administrator.
        Forbidden: The person may no longer sign in.
        Unavailable: The database cannot be reached.
    """
    database = Database(settings.database_url)
    try:
        return make_link(settings, database, email)
    finally:
        database.close()


def first_person(database: Database) -> Person:
    """The administrator who has been here longest; made if there is nobody at all.

    Raises:
        NotFound: There are people, but no administrator.
        Unavailable: The database cannot be reached.
    """
    with database.write() as session:
        return _first(session, utc_now())


def make_link(settings: Settings, database: Database, email: str | None = None) -> str:
    """The same, with a database that is already open."""
    try:
        return _make_link(settings, database, email)
    except IntegrityError:
        # Two that start at the same moment both want to make the first person: the second finds them.
        return _make_link(settings, database, email)


def _make_link(settings: Settings, database: Database, email: str | None) -> str:
    lifetime = FIRST_LINK_LIFETIME if email is None else LINK_LIFETIME
    at = utc_now()
    with database.write() as session:
        person = people.named(session, email) if email is not None else _first(session, at)
        if person.disabled:
            raise Forbidden(
                f"{person.name} may no longer sign in.", where="email", todo="`assent people enable` lets them."
            )
        token = SignIn(signing_key(settings)).make_link(session, person, at=at, by=console_actor(), lifetime=lifetime)
    return f"{settings.public_url}/sign-in?token={quote(token)}"


def _first(session: Session, at: datetime) -> Person:
    """The administrator who has been here longest; made if there is nobody at all."""
    if people.nobody_yet(session):
        # Somebody else who starts at the same moment may have been quicker: then theirs is the first.
        with contextlib.suppress(Conflict):
            return people.add(session, email=FIRST_EMAIL, name="You", roles=tuple(Role), at=at, by=console_actor())
    everybody = people.page(session, request=PageRequest(MAX_LIMIT)).items
    able = [person for person in everybody if Role.ADMIN in person.roles and not person.disabled]
    if not able:
        raise NotFound(
            "There is no administrator who could sign in.",
            where="people",
            todo="Make one: `assent people add ADDRESS --role admin`.",
        )
    return min(able, key=lambda person: person.created_at)

"""Passwords: kept as Argon2id hashes, checked at the same cost whether or not there is such a person."""

from __future__ import annotations

import re
import threading
import unicodedata
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import InvalidInput
from assent.domain.people import Actor
from assent.store import ledger
from assent.store.people import Person
from assent.store.tables import PasswordRow

SHORTEST = 12
"""Characters that a password has at least."""

LONGEST = 1_000
"""Characters that a password has at most."""

_REST = 8
_OWN_WORD = 3
_AT_ONCE = 4
# Argon2id with the parameters that RFC 9106 recommends where memory is scarce: 3 passes over 64 MiB, 4 lanes.
_hasher = PasswordHasher()
# Each check takes 64 MiB: those who come together wait for each other.
_turns = threading.BoundedSemaphore(_AT_ONCE)
# The hash of random bytes that were thrown away: asking for an unknown person costs what asking for a known one does.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$S+iEgMItD717vqhfUQoL8A$TISdTIJXXHaVVmBM3uuVE/dXG2+NyNZ+IgfIfsHluhU"


def check_rules(password: str, person: Person) -> None:
    """Refuse a password that is too short or too long, or little more than the person's own name or address.

    Raises:
        InvalidInput: It is.
    """
    text = _normal(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise InvalidInput(
            f"A password has {SHORTEST} to {LONGEST:,} characters; this one has {len(text):,}.",
            where="password",
            todo="Any characters will do; several words are easy to remember.",
        )
    rest = text.casefold()
    words = {person.email, person.name, *re.split(r"[\W_]+", f"{person.email} {person.name}")}
    for word in sorted((each.casefold() for each in words), key=len, reverse=True):
        if len(word) >= _OWN_WORD:
            rest = rest.replace(word, "")
    if len(rest) < _REST:
        raise InvalidInput(
            "This is little more than your own name or address.", where="password", todo="Choose something else."
        )


def hashed(password: str) -> str:
    """The hash of a password that passed the rules. It takes about a tenth of a second: not within a transaction."""
    with _turns:
        return _hasher.hash(_normal(password))


def kept_hash(session: Session, person_id: str) -> str | None:
    """The hash of a person's password, if they have one."""
    return session.execute(
        select(col(PasswordRow.hash)).where(col(PasswordRow.person_id) == person_id)
    ).scalar_one_or_none()


def matches(kept: str | None, password: str) -> bool:
    """Whether a password is the one behind a hash; never where there is no hash, at the same cost.

    It takes about a tenth of a second: not within a transaction.
    """
    with _turns:
        try:
            _hasher.verify(kept or _NOBODY, _normal(password[: LONGEST + 1]))
        except (Argon2Error, InvalidHashError):
            return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a hash was made with parameters that are not today's."""
    return _hasher.check_needs_rehash(kept)


def set_at(session: Session, person_id: str) -> datetime | None:
    """When a person set their password; ``None`` if they have none."""
    return session.execute(
        select(col(PasswordRow.set_at)).where(col(PasswordRow.person_id) == person_id)
    ).scalar_one_or_none()


def anybody_has_one(session: Session) -> bool:
    """Whether there is any password."""
    return session.execute(select(col(PasswordRow.person_id)).limit(1)).first() is not None


def keep(session: Session, person: Person, made: str, *, at: datetime, by: Actor) -> None:
    """Keep the hash of a person's new password.

    Args:
        session: The transaction.
        person: Whose.
        made: What :func:`hashed` gave.
        at: When.
        by: Who sets it.
    """
    replaced = _drop(session, person.id)
    session.execute(insert(PasswordRow).values(person_id=person.id, hash=made, set_at=at))
    body = {"person": person.id, "email": person.email}
    kind = "password.changed" if replaced else "password.set"
    ledger.append(session, at=at, kind=kind, actor=by, body=body)


def refresh(session: Session, person_id: str, kept: str, made: str) -> None:
    """Put a hash with today's parameters in the place of an older one, if that is still there."""
    row = session.get(PasswordRow, person_id)
    if row is not None and row.hash == kept:
        row.hash = made


def remove(session: Session, person: Person, *, at: datetime, by: Actor) -> bool:
    """Take a person's password away; tells whether there was one."""
    had = _drop(session, person.id)
    if had:
        body = {"person": person.id, "email": person.email}
        ledger.append(session, at=at, kind="password.removed", actor=by, body=body)
    return had


def _drop(session: Session, person_id: str) -> bool:
    dropped = delete(PasswordRow).where(col(PasswordRow.person_id) == person_id).returning(col(PasswordRow.person_id))
    return session.execute(dropped).first() is not None


def _normal(password: str) -> str:
    """The same characters however a keyboard composed them (RFC 8265: NFC)."""
    return unicodedata.normalize("NFC", password)

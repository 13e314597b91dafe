"""Signing in: one-time links that become sessions. Only hashes of their tokens are kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col

from assent.domain.errors import NotSignedIn
from assent.domain.people import Actor, Via
from assent.store import ledger, people
from assent.store.people import Person
from assent.store.tables import PersonRow, SessionRow, SignInLinkRow
from assent.store.tokens import SignedTokens

LINK_LIFETIME = timedelta(minutes=15)
"""How long a sign-in link works, unless its maker says otherwise."""

SESSION_LIFETIME = timedelta(hours=12)
"""How long somebody stays signed in."""

_USER_AGENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who just signed in.

    Attributes:
        token: What their browser keeps; it is not stored here.
        person: Who.
        expires_at: Until when.
    """

    token: str
    person: Person
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A signed-in browser.

    Attributes:
        person: Who.
        csrf: What their forms and scripts must carry.
        expires_at: Until when.
    """

    person: Person
    csrf: str
    expires_at: datetime


class SignIn:
    """Makes and checks sign-in links and sessions.

    Args:
        key: The installation's secret key; with another key nobody is signed in.
    """

    def __init__(self, key: str) -> None:
        self._links = SignedTokens(key, "sign-in link")
        self._sessions = SignedTokens(key, "session")

    def make_link(
        self, session: Session, person: Person, *, at: datetime, by: Actor, lifetime: timedelta = LINK_LIFETIME
    ) -> str:
        """A token that signs a person in once."""
        token = self._links.make()
        session.execute(
            insert(SignInLinkRow).values(
                token_hash=self._links.known_hash(token), person_id=person.id, created_at=at, expires_at=at + lifetime
            )
        )
        body = {"person": person.id, "email": person.email, "minutes": lifetime.total_seconds() / 60}
        ledger.append(session, at=at, kind="session.link_made", actor=by, body=body)
        return token

    def open(self, session: Session, token: str, *, at: datetime, user_agent: str = "") -> SignedIn:
        """Use a link up and open a session.

        Raises:
            NotSignedIn: The link is unknown, used or too old, or the person may no longer sign in.
        """
        known = self._links.known_hash(token)
        person_id = None if known is None else session.execute(_use_up(known, at)).scalar_one_or_none()
        person = None if person_id is None else people.one(session, person_id)
        if person is None or person.disabled:
            raise NotSignedIn(
                "This sign-in link was used before, is too old, or was never made here.",
                where="token",
                todo="Ask for a new one: `assent people link ADDRESS`.",
            )
        made = self._sessions.make()
        session.execute(
            insert(SessionRow).values(
                token_hash=self._sessions.known_hash(made),
                person_id=person.id,
                csrf=secrets.token_urlsafe(24),
                created_at=at,
                expires_at=at + SESSION_LIFETIME,
                user_agent=user_agent[:_USER_AGENT_LENGTH],
            )
        )
        body = {"person": person.id, "email": person.email}
        ledger.append(session, at=at, kind="session.opened", actor=person.acting(Via.WEB), body=body)
        return SignedIn(made, person, at + SESSION_LIFETIME)

    def check(self, session: Session, token: str, *, at: datetime) -> OpenSession | None:
        """The session behind a browser's token, if it is open."""
        known = self._sessions.known_hash(token)
        if known is None:
            return None
        found = session.execute(
            select(SessionRow, PersonRow)
            .join(PersonRow, col(PersonRow.id) == col(SessionRow.person_id))
            .where(col(SessionRow.token_hash) == known)
        ).first()
        if found is None:
            return None
        row, person = found
        if row.ended_at is not None or row.expires_at <= at or person.disabled:
            return None
        return OpenSession(people.person_of(person), row.csrf, row.expires_at)

    def close(self, session: Session, token: str, *, at: datetime) -> None:
        """End a session; ending one that is not open changes nothing."""
        found = self.check(session, token, at=at)
        known = self._sessions.known_hash(token)
        if found is None or known is None:
            return
        session.execute(update(SessionRow).where(col(SessionRow.token_hash) == known).values(ended_at=at))
        body = {"person": found.person.id, "email": found.person.email}
        ledger.append(session, at=at, kind="session.closed", actor=found.person.acting(Via.WEB), body=body)


def _use_up(known: str, at: datetime) -> ReturningUpdate[str]:
    """One statement, so that of two clicks at the same moment one counts."""
    return (
        update(SignInLinkRow)
        .where(
            col(SignInLinkRow.token_hash) == known,
            col(SignInLinkRow.used_at).is_(None),
            col(SignInLinkRow.expires_at) > at,
        )
        .values(used_at=at)
        .returning(col(SignInLinkRow.person_id))
    )

"""Signing in: proofs that become sessions. Only hashes of tokens are kept."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col

from assent.domain.assurance import Proof
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

SEEN_EVERY = timedelta(minutes=5)
"""How often it is written down that a session is in use."""

_USER_AGENT_LENGTH = 200
_ADDRESS_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in.

    Attributes:
        user_agent: What their browser says it is.
        address: Their network address.
        token: The session that this browser had until now, if any; it ends.
    """

    user_agent: str = ""
    address: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who just signed in, or proved again who they are.

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
        id: The session's id, which is no secret.
        how: How they signed in.
        created_at: When they did.
        seen_at: When the session was last noted to be in use.
        proven_at: When they last proved who they are, other than by a link; ``None`` if they never did.
    """

    person: Person
    csrf: str
    expires_at: datetime
    id: str
    how: Proof
    created_at: datetime
    seen_at: datetime
    proven_at: datetime | None


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

    def open(self, session: Session, token: str, *, at: datetime, browser: Browser | None = None) -> SignedIn:
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
        return self.let_in(session, person, Proof.LINK, at=at, browser=browser)

    def let_in(
        self,
        session: Session,
        person: Person,
        how: Proof,
        *,
        at: datetime,
        browser: Browser | None = None,
        proven_at: datetime | None = None,
    ) -> SignedIn:
        """Open a session for somebody whose proof was checked. Its token is always a new one.

        Args:
            session: The transaction.
            person: Who; not disabled.
            how: What they proved it with.
            at: When.
            browser: Where.
            proven_at: When they proved it, if that counts as a fresh proof.
        """
        browser = browser or Browser()
        if browser.token:
            self.close(session, browser.token, at=at)
        made = self._sessions.make()
        row = {
            "id": f"session-{uuid.uuid4().hex[:12]}",
            "token_hash": self._sessions.known_hash(made),
            "person_id": person.id,
            "csrf": secrets.token_urlsafe(24),
            "created_at": at,
            "expires_at": at + SESSION_LIFETIME,
            "user_agent": browser.user_agent[:_USER_AGENT_LENGTH],
            "how": how.value,
            "address": browser.address[:_ADDRESS_LENGTH],
            "seen_at": at,
            "proven_at": proven_at,
            "proven_how": how.value if proven_at is not None else "",
        }
        session.execute(insert(SessionRow).values(**row))
        body = {"person": person.id, "email": person.email, "session": row["id"], "how": how.value}
        body["address"] = row["address"]
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
        return OpenSession(
            person=people.person_of(person),
            csrf=row.csrf,
            expires_at=row.expires_at,
            id=row.id,
            how=Proof(row.how),
            created_at=row.created_at,
            seen_at=row.seen_at or row.created_at,
            proven_at=row.proven_at,
        )

    def note_use(self, session: Session, session_id: str, *, at: datetime, address: str) -> None:
        """Write down that a session is in use, and from where."""
        seen = {"seen_at": at, "address": address[:_ADDRESS_LENGTH]}
        session.execute(update(SessionRow).where(col(SessionRow.id) == session_id).values(**seen))

    def prove(self, session: Session, token: str, how: Proof, *, at: datetime, proven_at: datetime) -> SignedIn:
        """Note that a session's person proved again who they are.

        The session goes on under a new token, so that a copy of the old one, in other hands, is worth nothing.

        Args:
            session: The transaction.
            token: The browser's token.
            how: What they proved it with.
            at: When.
            proven_at: When they did; an OpenID provider says it itself.

        Raises:
            NotSignedIn: The session ended meanwhile.
        """
        found = self.check(session, token, at=at)
        if found is None:
            raise NotSignedIn("Your session has ended.", where="session", todo="Sign in again.")
        made = self._sessions.make()
        session.execute(
            update(SessionRow)
            .where(col(SessionRow.id) == found.id)
            .values(token_hash=self._sessions.known_hash(made), proven_at=proven_at, proven_how=how.value)
        )
        body = {"person": found.person.id, "email": found.person.email, "session": found.id, "how": how.value}
        ledger.append(session, at=at, kind="session.proven", actor=found.person.acting(Via.WEB), body=body)
        return SignedIn(made, found.person, found.expires_at)

    def close(self, session: Session, token: str, *, at: datetime) -> None:
        """End a session; ending one that is not open changes nothing."""
        found = self.check(session, token, at=at)
        if found is None:
            return
        session.execute(update(SessionRow).where(col(SessionRow.id) == found.id).values(ended_at=at))
        body = {"person": found.person.id, "email": found.person.email, "session": found.id}
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

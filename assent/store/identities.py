"""Who people are at an OpenID provider: matched by verified address once, and by issuer and subject from then on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import AssentError, NotFound, NotSignedIn
from assent.domain.people import SYSTEM, Actor
from assent.store import ledger, people
from assent.store.people import Person
from assent.store.tables import IdentityRow


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a provider says of somebody, its signature checked.

    Attributes:
        issuer: The provider.
        subject: Who they are there, for ever.
        email: Their address; empty if the provider says none.
        email_verified: Whether the provider says that the address is theirs.
        name: Their name; may be empty.
    """

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a person is at a provider."""

    issuer: str
    subject: str
    email: str
    created_at: datetime
    used_at: datetime | None


def arrive(session: Session, claimed: Claimed, *, create: bool, at: datetime) -> Person:
    """The person behind what a provider says, bound to issuer and subject at their first sign-in.

    Args:
        session: The transaction.
        claimed: What the provider says.
        create: Whether somebody unknown becomes a person without roles.
        at: When.

    Raises:
        NotSignedIn: Nobody is known by it, the address is not verified, or the person is bound to another account.
    """
    row = session.get(IdentityRow, (claimed.issuer, claimed.subject))
    if row is not None:
        person = people.one(session, row.person_id)
        if person is None or person.disabled:
            raise _refused("You may no longer sign in here", "Ask an administrator.")
        row.used_at = at
        return person
    if claimed.email_verified is not True or not claimed.email:
        raise _refused(
            "Your OpenID provider does not say that your mail address is yours",
            "Verify the address there, or ask an administrator for a one-time link.",
        )
    found = people.by_email(session, claimed.email) or (_created(session, claimed, at) if create else None)
    if found is None or found.disabled:
        raise _refused("Assent does not know you", "Ask an administrator to add you with the address you have there.")
    _bind(session, found, claimed, at)
    return found


def person_bound(session: Session, issuer: str, subject: str) -> str | None:
    """Id of the person whom an issuer's subject is bound to."""
    row = session.get(IdentityRow, (issuer, subject))
    return None if row is None else row.person_id


def of_person(session: Session, person_id: str) -> tuple[Identity, ...]:
    """Who a person is elsewhere."""
    wanted = select(IdentityRow).where(col(IdentityRow.person_id) == person_id).order_by(col(IdentityRow.issuer))
    return tuple(
        Identity(row.issuer, row.subject, row.email, row.created_at, row.used_at)
        for row in session.execute(wanted).scalars()
    )


def unbind(session: Session, person: Person, issuer: str, *, at: datetime, by: Actor) -> None:
    """Forget who a person is at a provider; their next sign-in there matches by address again.

    Raises:
        NotFound: They are nobody there.
    """
    dropped = (
        delete(IdentityRow)
        .where(col(IdentityRow.person_id) == person.id, col(IdentityRow.issuer) == issuer)
        .returning(col(IdentityRow.subject))
    )
    subject = session.execute(dropped).scalar_one_or_none()
    if subject is None:
        raise NotFound("That account is not connected.", where="issuer", todo="Your account page lists what is.")
    body = {"person": person.id, "email": person.email, "issuer": issuer, "subject": subject}
    ledger.append(session, at=at, kind="identity.unbound", actor=by, body=body)


def _bind(session: Session, person: Person, claimed: Claimed, at: datetime) -> None:
    if any(each.issuer == claimed.issuer for each in of_person(session, person.id)):
        # An address can pass to somebody else at the provider; the account behind it then is another one.
        raise _refused(
            "This address belongs to somebody who signs in with another account of your provider",
            "If that account is gone, an administrator can forget it: `assent people reset ADDRESS`.",
        )
    session.execute(
        insert(IdentityRow).values(
            issuer=claimed.issuer,
            subject=claimed.subject,
            person_id=person.id,
            email=claimed.email.lower(),
            created_at=at,
            used_at=at,
        )
    )
    body = {"person": person.id, "email": person.email, "issuer": claimed.issuer, "subject": claimed.subject}
    ledger.append(session, at=at, kind="identity.bound", actor=SYSTEM, body=body)


def _created(session: Session, claimed: Claimed, at: datetime) -> Person:
    """A person without roles, added because the provider vouches for them."""
    name = " ".join(claimed.name.split())[:100]
    try:
        return people.add(session, email=claimed.email, name=name if name.isprintable() else "", at=at, by=SYSTEM)
    except AssentError as error:
        raise _refused(error.what.rstrip("."), error.todo or "Ask an administrator.") from error


def _refused(what: str, todo: str) -> NotSignedIn:
    return NotSignedIn(f"{what}.", where="openid", todo=todo)

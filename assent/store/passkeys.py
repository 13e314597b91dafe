"""Passkeys: the public halves of keys that never leave people's devices."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col
from webauthn import generate_authentication_options, generate_registration_options
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from assent.domain.errors import Conflict, InvalidInput, NotFound
from assent.domain.people import Actor
from assent.store import ledger
from assent.store.passkey_answers import TRANSPORTS, PasskeySite, refused, transports_in, verified_known, verified_new
from assent.store.people import Person
from assent.store.tables import PasskeyRow

MOST = 20
"""Passkeys of one person at most."""

_NAME_LENGTH = 60
_TIMEOUT_MS = 300_000


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey.

    Attributes:
        id: Its id here.
        name: What its person calls it.
        synced: Whether the device keeps a copy elsewhere.
        created_at: When it was added.
        used_at: When it was last used, if it ever was.
    """

    id: str
    name: str
    synced: bool
    created_at: datetime
    used_at: datetime | None


def of_person(session: Session, person_id: str) -> tuple[Passkey, ...]:
    """A person's passkeys, the oldest first."""
    return tuple(
        Passkey(row.id, row.name, row.synced, row.created_at, row.used_at) for row in _rows(session, person_id)
    )


def anybody_has_one(session: Session) -> bool:
    """Whether there is any passkey."""
    return session.execute(select(col(PasskeyRow.id)).limit(1)).first() is not None


def creation_options(session: Session, site: PasskeySite, person: Person) -> tuple[str, dict[str, Any]]:
    """A challenge, and what a browser needs to make a passkey.

    Raises:
        Conflict: The person has :data:`MOST` passkeys.
    """
    rows = _rows(session, person.id)
    if len(rows) >= MOST:
        raise Conflict(f"You have {MOST} passkeys.", where="passkeys", todo="Remove one that you do not use.")
    options = generate_registration_options(
        rp_id=site.id,
        rp_name="Assent",
        user_id=person.id.encode(),
        user_name=person.email,
        user_display_name=person.name,
        timeout=_TIMEOUT_MS,
        exclude_credentials=_descriptors(rows),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return bytes_to_base64url(options.challenge), options_to_json_dict(options)


def request_options(session: Session, site: PasskeySite, person_id: str = "") -> tuple[str, dict[str, Any]]:
    """A challenge, and what a browser needs to use a passkey: one of this person's, or any that it finds."""
    options = generate_authentication_options(
        rp_id=site.id,
        timeout=_TIMEOUT_MS,
        allow_credentials=_descriptors(_rows(session, person_id)) if person_id else [],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return bytes_to_base64url(options.challenge), options_to_json_dict(options)


def add(
    session: Session,
    site: PasskeySite,
    person: Person,
    answer: Mapping[str, Any],
    *,
    challenge: str,
    name: str,
    at: datetime,
    by: Actor,
) -> Passkey:
    """Keep a passkey that a browser made.

    Args:
        session: The transaction.
        site: Where it is good.
        person: Whose.
        answer: What the browser said, as JSON.
        challenge: The challenge that was used up for it.
        name: What its person calls it; numbered if empty.
        at: When.
        by: Who adds it.

    Raises:
        InvalidInput: The answer is not what was asked for, or that is no name.
        Conflict: It is known here, or there are :data:`MOST`.
    """
    made = verified_new(site, answer, challenge)
    rows = _rows(session, person.id)
    if len(rows) >= MOST:
        raise Conflict(f"You have {MOST} passkeys.", where="passkeys", todo="Remove one that you do not use.")
    credential = bytes_to_base64url(made.credential_id)
    if _by_credential(session, credential) is not None:
        raise Conflict("This passkey is known here already.", where="passkey", todo="Use it, or make another one.")
    key = Passkey(
        id=f"passkey-{uuid.uuid4().hex[:12]}",
        name=_named(name, {row.name for row in rows}),
        synced=made.credential_backed_up,
        created_at=at,
        used_at=None,
    )
    session.execute(
        insert(PasskeyRow).values(
            id=key.id,
            person_id=person.id,
            credential_id=credential,
            public_key=bytes_to_base64url(made.credential_public_key),
            sign_count=made.sign_count,
            transports=transports_in(answer),
            synced=key.synced,
            name=key.name,
            created_at=at,
        )
    )
    body = {"person": person.id, "email": person.email, "passkey": key.id, "name": key.name}
    ledger.append(session, at=at, kind="passkey.added", actor=by, body=body)
    return key


def verified(
    session: Session, site: PasskeySite, answer: Mapping[str, Any], *, challenge: str, at: datetime, person_id: str = ""
) -> str:
    """The person whose passkey answered; its counter and time of use are kept.

    Args:
        session: The transaction.
        site: Where it is good.
        answer: What the browser said, as JSON.
        challenge: The challenge that was used up for it.
        at: When.
        person_id: Whose it must be; anybody's if empty.

    Raises:
        NotSignedIn: It is unknown, another person's, made for another site, or its counter went back.
    """
    given = answer.get("id")
    row = _by_credential(session, given) if isinstance(given, str) else None
    if row is None or (person_id and row.person_id != person_id):
        raise refused("This passkey is not known here")
    found = verified_known(
        site,
        answer,
        challenge,
        person_id=row.person_id,
        key_id=row.id,
        public_key=row.public_key,
        sign_count=row.sign_count,
    )
    row.sign_count = found.new_sign_count
    row.synced = found.credential_backed_up
    row.used_at = at
    return row.person_id


def rename(session: Session, person: Person, passkey_id: str, name: str, *, at: datetime, by: Actor) -> None:
    """Call a passkey something else.

    Raises:
        NotFound: The person has no such passkey.
        InvalidInput: That is no name.
    """
    row = _own(session, person.id, passkey_id)
    row.name = _named(name, set())
    body = {"person": person.id, "email": person.email, "passkey": passkey_id, "name": row.name}
    ledger.append(session, at=at, kind="passkey.renamed", actor=by, body=body)


def remove(session: Session, person: Person, passkey_id: str, *, at: datetime, by: Actor) -> None:
    """Take a passkey away.

    Raises:
        NotFound: The person has no such passkey.
    """
    row = _own(session, person.id, passkey_id)
    body = {"person": person.id, "email": person.email, "passkey": passkey_id, "name": row.name}
    session.execute(delete(PasskeyRow).where(col(PasskeyRow.id) == passkey_id))
    ledger.append(session, at=at, kind="passkey.removed", actor=by, body=body)


def _own(session: Session, person_id: str, passkey_id: str) -> PasskeyRow:
    row = session.get(PasskeyRow, passkey_id)
    if row is None or row.person_id != person_id:
        raise NotFound(f"There is no passkey {passkey_id!r}.", where="passkey", todo="It may have been removed.")
    return row


def _rows(session: Session, person_id: str) -> Sequence[PasskeyRow]:
    wanted = select(PasskeyRow).where(col(PasskeyRow.person_id) == person_id)
    return session.execute(wanted.order_by(col(PasskeyRow.created_at), col(PasskeyRow.id))).scalars().all()


def _by_credential(session: Session, credential_id: str) -> PasskeyRow | None:
    wanted = select(PasskeyRow).where(col(PasskeyRow.credential_id) == credential_id)
    return session.execute(wanted).scalar_one_or_none()


def _descriptors(rows: Sequence[PasskeyRow]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(row.credential_id),
            transports=[AuthenticatorTransport(each) for each in row.transports if each in TRANSPORTS] or None,
        )
        for row in rows
    ]


def _named(name: str, taken: set[str]) -> str:
    tidy = " ".join(name.split())
    if not tidy:
        number = 1
        while (tidy := f"Passkey {number}") in taken:
            number += 1
    if len(tidy) > _NAME_LENGTH or not tidy.isprintable():
        raise InvalidInput(f"A passkey's name has 1 to {_NAME_LENGTH} visible characters.", where="name")
    return tidy

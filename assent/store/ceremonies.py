"""Proofs that were begun: a passkey's challenge, a trip to an OpenID provider. Each is used once, by its beginner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.store.tables import CeremonyRow
from assent.store.tokens import token_hash

LIFETIME = timedelta(minutes=10)
"""How long somebody has to come back."""


class Purpose(StrEnum):
    """What a proof was begun for; one that was begun for one thing is worth nothing for another."""

    PASSKEY_ADD = "passkey-add"
    PASSKEY_SIGN_IN = "passkey-sign-in"
    PASSKEY_CONFIRM = "passkey-confirm"
    OIDC_SIGN_IN = "oidc-sign-in"
    OIDC_CONFIRM = "oidc-confirm"


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A proof that was begun.

    Attributes:
        person_id: Whose it is to be; empty if that is what it is to show.
        content: What was kept for its end.
        begun_at: When.
    """

    person_id: str
    content: Mapping[str, Any]
    begun_at: datetime


def begin(
    session: Session,
    token: str,
    purpose: Purpose,
    *,
    browser: str,
    at: datetime,
    person_id: str = "",
    content: Mapping[str, Any] | None = None,
) -> None:
    """Keep a proof that begins.

    Args:
        session: The transaction.
        token: What it is known by: the challenge, or the state; only its hash is kept.
        purpose: What for.
        browser: A secret of the browser that begins it; nobody else's may end it.
        at: When.
        person_id: Whose it is to be, if that is known.
        content: What its end needs; no secret of a person.
    """
    session.execute(delete(CeremonyRow).where(col(CeremonyRow.expires_at) <= at))
    session.execute(
        insert(CeremonyRow).values(
            token_hash=token_hash(token),
            purpose=purpose.value,
            person_id=person_id,
            session_hash=token_hash(browser),
            content=dict(content or {}),
            created_at=at,
            expires_at=at + LIFETIME,
        )
    )


def use_up(session: Session, token: str, purpose: Purpose, *, browser: str, at: datetime) -> Ceremony | None:
    """Use a proof up; nothing if it is unknown, used, too old, another browser's or for something else.

    It is one statement, so that of two that come with it at the same moment one counts.
    """
    used = (
        delete(CeremonyRow)
        .where(
            col(CeremonyRow.token_hash) == token_hash(token),
            col(CeremonyRow.purpose) == purpose.value,
            col(CeremonyRow.session_hash) == token_hash(browser),
            col(CeremonyRow.expires_at) > at,
        )
        .returning(col(CeremonyRow.person_id), col(CeremonyRow.content), col(CeremonyRow.created_at))
    )
    found = session.execute(used).one_or_none()
    return None if found is None else Ceremony(*found)

"""People and how they sign in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class PersonRow(SQLModel, table=True):
    """A person with roles, and the Slack user they are.

    ``mailbox`` is the address without its tag, so that one mailbox is one person; it is empty only in rows from before
    that rule that share a mailbox with an older one.
    """

    __tablename__ = "people"

    id: str = Field(primary_key=True)
    email: str = Field(unique=True)
    mailbox: str | None = Field(default=None, unique=True)
    name: str
    roles: list[str] = Field(sa_type=JSON)
    slack_user: str | None = Field(default=None, unique=True)
    disabled: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)


class SignInLinkRow(SQLModel, table=True):
    """A link that signs a person in once; only the token's hash is kept."""

    __tablename__ = "sign_in_links"

    token_hash: str = Field(primary_key=True)
    person_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SessionRow(SQLModel, table=True):
    """A signed-in browser; only the token's hash is kept."""

    __tablename__ = "sessions"

    token_hash: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    csrf: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    user_agent: str = ""
    id: str = Field(unique=True)
    how: str = "link"
    address: str = ""
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    proven_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    proven_how: str = ""


class PasswordRow(SQLModel, table=True):
    """A person's password; only its Argon2 hash is kept."""

    __tablename__ = "passwords"

    person_id: str = Field(primary_key=True)
    hash: str
    set_at: datetime = Field(sa_type=UtcDateTime)


class PasskeyRow(SQLModel, table=True):
    """A passkey of a person: the public half of a key that never leaves their device."""

    __tablename__ = "passkeys"

    id: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    credential_id: str = Field(unique=True)
    public_key: str = Field(sa_type=Text)
    sign_count: int
    transports: list[str] = Field(sa_type=JSON)
    synced: bool = False
    name: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class IdentityRow(SQLModel, table=True):
    """Who a person is at an OpenID provider."""

    __tablename__ = "identities"

    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    email: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CeremonyRow(SQLModel, table=True):
    """A proof that was begun: a passkey's challenge or a trip to an OpenID provider; used up once."""

    __tablename__ = "ceremonies"

    token_hash: str = Field(primary_key=True)
    purpose: str
    person_id: str = ""
    session_hash: str = ""
    content: dict[str, Any] = Field(sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(index=True, sa_type=UtcDateTime)


class AttemptRow(SQLModel, table=True):
    """How often somebody tried in vain, by account and by network address."""

    __tablename__ = "attempts"

    subject: str = Field(primary_key=True)
    failures: int
    since: datetime = Field(index=True, sa_type=UtcDateTime)


class GroupRow(SQLModel, table=True):
    """A named group of people that cards can ask."""

    __tablename__ = "groups"

    name: str = Field(primary_key=True)
    title: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)


class GroupMemberRow(SQLModel, table=True):
    """A person in a group."""

    __tablename__ = "group_members"
    __table_args__ = (Index("group_members_by_person", "person_id", "group_name"),)

    group_name: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    added_at: datetime = Field(sa_type=UtcDateTime)

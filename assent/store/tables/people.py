"""People and how they sign in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class PersonRow(SQLModel, table=True):
    """A person with roles, and the Slack user they are."""

    __tablename__ = "people"

    id: str = Field(primary_key=True)
    email: str = Field(unique=True)
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

"""How each person wants to be reached, the links in mails, and the webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class ReachingRow(SQLModel, table=True):
    """What a person chose (``Reaching``); who chose nothing has no row."""

    __tablename__ = "reaching"

    person_id: str = Field(primary_key=True)
    chosen: dict[str, Any] = Field(sa_type=JSON)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class MailLinkRow(SQLModel, table=True):
    """A link in a mail that opens one page as one person, once; only the token's hash is kept.

    ``approval_id`` is the request it opens, or the id of whatever else waits for the person's word, which has its page
    at ``path``; that is empty for a request.
    """

    __tablename__ = "mail_links"
    __table_args__ = (Index("mail_links_by_person", "person_id"), Index("mail_links_by_end", "expires_at"))

    token_hash: str = Field(primary_key=True)
    person_id: str
    approval_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    path: str = Field(default="", sa_column_kwargs={"server_default": ""})


class WebhookRow(SQLModel, table=True):
    """An address that is told of requests; its secret is kept sealed.

    ``person_id`` is empty for one of the whole installation, else it is told of what that person is asked.
    """

    __tablename__ = "webhooks"
    __table_args__ = (Index("webhooks_by_person", "person_id", "id"),)

    id: str = Field(primary_key=True)
    person_id: str = ""
    url: str = Field(sa_type=Text)
    sealed_secret: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: dict[str, Any] = Field(sa_type=JSON)
    paused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

"""Messages to people: what is to be sent, and what was sent where."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime

_BigId = BigInteger().with_variant(Integer(), "sqlite")


class OutboxRow(SQLModel, table=True):
    """A notification to make, filled by the transaction it tells of.

    ``recipient`` is empty in what that transaction wrote; whoever delivers to single people or addresses writes one row
    for each of them, at the request's ``revision``.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_due", "sent", "due_at", "id"), Index("outbox_by_subject", "subject", "id"))

    id: int | None = Field(default=None, primary_key=True, sa_type=_BigId)
    channel: str
    kind: str
    subject: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 0
    sent: bool = False
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    error: str = Field(default="", sa_type=Text)
    recipient: str = Field(default="", sa_column_kwargs={"server_default": ""})
    revision: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class MessageRow(SQLModel, table=True):
    """A copy of an approval request that was posted somewhere, so that it can be updated."""

    __tablename__ = "messages"
    __table_args__ = (Index("messages_by_place", "channel", "place", "posted_at"),)

    approval_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    place: str = Field(primary_key=True)
    reference: str
    shown_status: str
    shown_digest: str = ""
    posted_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)

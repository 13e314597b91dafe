"""Effects that nobody knows about and what was found out, proofs that undos work, and notices to people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime

_OPEN = text("settled_at IS NULL")
_SETTLED = text("settled_at IS NOT NULL")
_DUE = text("look_at IS NOT NULL")
_UNTOLD = text("untold")


class UnknownEffectRow(SQLModel, table=True):
    """The question what became of an effect, and its answer.

    ``looks`` counts how often workers asked the connector by themselves, ``look_at`` is when they do next; ``untold``
    says that the run has not been told of the answer yet.
    """

    __tablename__ = "unknown_effects"
    __table_args__ = (
        Index("unknown_by_time", "found_at", "action_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("unknown_by_agent", "agent", "found_at", "action_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("unknown_by_run", "run_id"),
        Index("unknown_due", "look_at", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("unknown_untold", "settled_at", sqlite_where=_UNTOLD, postgresql_where=_UNTOLD),
        Index("settled_by_time", "settled_at", "action_id", sqlite_where=_SETTLED, postgresql_where=_SETTLED),
    )

    action_id: str = Field(primary_key=True)
    run_id: str
    agent: str
    type: str
    found_at: datetime = Field(sa_type=UtcDateTime)
    tried_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 1
    said: str = Field(default="", sa_type=Text)
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    looks: int = 0
    look_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    how: str = ""
    happened: bool | None = None
    note: str = Field(default="", sa_type=Text)
    reference: str = Field(default="", sa_type=Text)
    was: str = ""
    now: str = ""
    untold: bool = False


class UndoProofRow(SQLModel, table=True):
    """One time that an undo was seen to work, or not to: on a scratch record, or for real."""

    __tablename__ = "undo_proofs"
    __table_args__ = (Index("proofs_by_type", "type", "worked", "at", "id"),)

    id: str = Field(primary_key=True)
    type: str
    at: datetime = Field(sa_type=UtcDateTime)
    worked: bool
    how: str
    by: dict[str, Any] = Field(sa_type=JSON)
    ref: str = ""
    said: str = Field(default="", sa_type=Text)


class NoticeRow(SQLModel, table=True):
    """Something that somebody is told who need not have an account: by mail, in Slack, or both."""

    __tablename__ = "notices"

    id: str = Field(primary_key=True)
    kind: str
    subject: str = Field(index=True)
    name: str = ""
    email: str = ""
    slack: str = ""
    headline: str = Field(sa_type=Text)
    text: str = Field(default="", sa_type=Text)
    path: str = ""
    at: datetime = Field(sa_type=UtcDateTime)

"""Hooks by which monitoring systems pause, and the calls that were taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime

_IN_FORCE = text("revoked_at IS NULL")


class PauseHookRow(SQLModel, table=True):
    """A hook: its terms (``PauseHookTerms``), its sealed secret, and the pause that it made last.

    A name is used again only after its hook was revoked.
    """

    __tablename__ = "pause_hooks"
    __table_args__ = (
        Index("pause_hooks_name", "name", unique=True, sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE),
        Index("pause_hooks_by_time", "created_at", "id"),
    )

    id: str = Field(primary_key=True)
    name: str
    terms: dict[str, Any] = Field(sa_type=JSON)
    sealed_secret: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: dict[str, Any] = Field(sa_type=JSON)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    called_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    calls: int = 0
    pause_id: str = ""


class PauseHookCallRow(SQLModel, table=True):
    """A message that a hook took, so that it counts once however often it is sent."""

    __tablename__ = "pause_hook_calls"
    __table_args__ = (Index("pause_hook_calls_by_time", "at"),)

    hook_id: str = Field(primary_key=True)
    message_id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    pause_id: str = ""

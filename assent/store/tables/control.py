"""Pauses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class PauseRow(SQLModel, table=True):
    """A pause; while ``active`` no claim in its scope succeeds."""

    __tablename__ = "pauses"
    __table_args__ = (
        Index("pauses_in_force", "active", "scope_kind", "scope_name"),
        Index("pauses_by_time", "requested_at", "id"),
    )

    id: str = Field(primary_key=True)
    scope_kind: str
    scope_name: str = ""
    active: bool
    cause: str = Field(default="", sa_type=Text)
    requested_by: dict[str, Any] = Field(sa_type=JSON)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    fenced_at: datetime = Field(sa_type=UtcDateTime)
    quiesced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    in_flight: int = 0
    affected: int = 0
    known_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resumed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resumed_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    resume_note: str = Field(default="", sa_type=Text)

"""Pauses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class PauseRow(SQLModel, table=True):
    """A pause; while ``active`` no claim in its scope succeeds, but for runs that it let go on already.

    ``phase`` is holding, second_wanted, releasing or ended; ``stage`` is how far a release has come, 0 for not at all.
    """

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
    disposition: str = "freeze"
    disposition_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    disposition_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    phase: str = "holding"
    asked_to_stop_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answers: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    resume_asked_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    resume_asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    second_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    stage: int = 0
    stage_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ramp_seconds: int = 30
    fell_back_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fell_back_why: str = Field(default="", sa_type=Text)
    compensated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

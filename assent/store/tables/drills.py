"""Drills, and workers that hold back because their clock is off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class DrillRow(SQLModel, table=True):
    """A drill: what was to be kept to, what was measured, and how it ended.

    ``at_fence`` holds the claims there were when the fence stood, as long as the drill goes on.
    """

    __tablename__ = "drills"
    __table_args__ = (
        Index("drills_by_time", "started_at", "id"),
        Index("drills_by_agent", "agent", "started_at", "id"),
        Index("drills_by_status", "agent", "status", "started_at"),
    )

    id: str = Field(primary_key=True)
    agent: str
    scratch: str
    status: str
    scheduled: bool = False
    requested_by: dict[str, Any] = Field(sa_type=JSON)
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    pause_id: str = ""
    rollback_id: str = ""
    terms: dict[str, Any] = Field(sa_type=JSON)
    figures: dict[str, Any] = Field(sa_type=JSON)
    steps: list[dict[str, Any]] = Field(sa_type=JSON)
    reasons: list[str] = Field(sa_type=JSON)
    broken_off: str = Field(default="", sa_type=Text)
    at_fence: list[str] = Field(sa_type=JSON)


class WorkerClockRow(SQLModel, table=True):
    """A worker process as its own watch over the clock saw it last; ``fault`` is why it claims nothing."""

    __tablename__ = "worker_clocks"

    worker: str = Field(primary_key=True)
    looked_at: datetime = Field(sa_type=UtcDateTime)
    off_seconds: float = 0.0
    against: str = ""
    fault: str = Field(default="", sa_type=Text)
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)

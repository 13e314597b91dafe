"""The projection of runs and their actions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime

_ENDED = text("settled_at IS NOT NULL")


class RunRow(SQLModel, table=True):
    """A run as lists and pages show it."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("runs_by_start", "started_at", "run_id"),
        Index("runs_by_agent", "agent", "started_at", "run_id"),
        Index("runs_by_status", "status", "started_at", "run_id"),
        Index("runs_by_agent_status", "agent", "status", "started_at", "run_id"),
    )

    run_id: str = Field(primary_key=True)
    agent: str
    goal: str = Field(default="", sa_type=Text)
    received: Any = Field(default=None, sa_type=JSON, nullable=True)
    status: str
    started_by: dict[str, Any] = Field(sa_type=JSON)
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_step: str = Field(default="", sa_type=Text)
    last_at: datetime = Field(sa_type=UtcDateTime)
    actions: int = 0
    message: str = Field(default="", sa_type=Text)


class ActionRow(SQLModel, table=True):
    """An action as lists and pages show it."""

    __tablename__ = "actions"
    __table_args__ = (
        Index("actions_by_run", "run_id", "proposed_at", "action_id"),
        Index("actions_by_status", "status", "agent", "run_id"),
        Index("actions_by_agent_type", "agent", "type", "proposed_at"),
        Index(
            "actions_by_end",
            "agent",
            "type",
            "settled_at",
            "status",
            sqlite_where=_ENDED,
            postgresql_where=_ENDED,
        ),
    )

    action_id: str = Field(primary_key=True)
    run_id: str
    key: str
    agent: str
    type: str
    arguments: dict[str, Any] = Field(sa_type=JSON)
    edited: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    instead_of: str = ""
    reason: str = Field(default="", sa_type=Text)
    sentence: str = Field(default="", sa_type=Text)
    status: str
    tier: int | None = None
    reasons: list[dict[str, Any]] = Field(sa_type=JSON)
    card_version: int = 0
    result: Any = Field(default=None, sa_type=JSON, nullable=True)
    message: str = Field(default="", sa_type=Text)
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

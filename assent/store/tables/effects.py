"""Claims on the real world: effects, undos, the records they touched, and what they used up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, text
from sqlmodel import Field, SQLModel

from assent.store.types import WORD, UtcDateTime

FINISHED = text("finished_at IS NOT NULL")
"""Effects with an outcome, for indexes of nothing else: a claim is not written into them."""


def _by_time(name: str, column: str) -> Index:
    return Index(name, column, "finished_at", "action_id", sqlite_where=FINISHED, postgresql_where=FINISHED)


class EffectRow(SQLModel, table=True):
    """The one execution of an action; the primary key is what makes it one."""

    __tablename__ = "effects"
    __table_args__ = (
        Index("effects_in_flight", "status", "agent", "run_id"),
        Index("effects_by_run", "run_id", "claimed_at"),
        _by_time("effects_by_agent_time", "agent"),
        _by_time("effects_by_type_time", "type"),
    )

    action_id: str = Field(primary_key=True)
    run_id: str
    agent: str
    type: str
    status: str
    holder: str
    lease_until: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 1
    claimed_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    changes: list[dict[str, Any]] = Field(sa_type=JSON)
    undo_data: Any = Field(default=None, sa_type=JSON, nullable=True)
    message: str = Field(default="", sa_type=Text)


class UndoRow(SQLModel, table=True):
    """The one undo of an effect."""

    __tablename__ = "undos"

    action_id: str = Field(primary_key=True)
    rollback_id: str
    status: str
    holder: str
    lease_until: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 1
    claimed_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    changes: list[dict[str, Any]] = Field(sa_type=JSON)
    message: str = Field(default="", sa_type=Text)


class ResourceRow(SQLModel, table=True):
    """A record that an effect or its undo touched."""

    __tablename__ = "resources"

    resource: str = Field(primary_key=True, sa_type=WORD)
    at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    action_id: str = Field(primary_key=True)
    undo: bool = Field(primary_key=True, default=False)


class UsageRow(SQLModel, table=True):
    """What a claimed action counts towards a limit of its card."""

    __tablename__ = "usage"
    __table_args__ = (
        Index("usage_by_run", "run_id", "action_type", "measure"),
        Index("usage_by_hour", "agent", "action_type", "measure", "at"),
    )

    action_id: str = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    agent: str
    action_type: str
    run_id: str
    amount: float
    at: datetime = Field(sa_type=UtcDateTime)

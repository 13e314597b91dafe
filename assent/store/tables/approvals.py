"""Approval requests and the decisions on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class ApprovalRow(SQLModel, table=True):
    """A request as the inbox shows it, with the whole card that people are shown."""

    __tablename__ = "approvals"
    __table_args__ = (
        Index("approvals_by_due", "status", "expires_at", "id"),
        Index("approvals_by_age", "status", "created_at", "id"),
        Index("approvals_by_agent", "agent", "status", "expires_at", "id"),
        Index("approvals_by_run", "run_id"),
    )

    id: str = Field(primary_key=True)
    action_id: str = Field(unique=True)
    run_id: str
    agent: str
    type: str
    digest: str
    headline: str = Field(sa_type=Text)
    amount: float | None = None
    card: dict[str, Any] = Field(sa_type=JSON)
    status: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    decision_reason: str = Field(default="", sa_type=Text)


class DecisionRow(SQLModel, table=True):
    """A decision that reached the run, with whether it counted."""

    __tablename__ = "decisions"

    id: str = Field(primary_key=True)
    approval_id: str = Field(index=True)
    action_id: str
    verb: str
    reason: str = Field(default="", sa_type=Text)
    actor: dict[str, Any] = Field(sa_type=JSON)
    at: datetime = Field(sa_type=UtcDateTime)
    counted: bool
    why_not: str = Field(default="", sa_type=Text)

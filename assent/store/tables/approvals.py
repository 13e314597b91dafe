"""Approval requests and the decisions on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, TextClause, text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime

WAITS = text("decided_at IS NULL")
"""What waits, for indexes of nothing else. By ``status`` SQLite would choose an index that begins with it, and sort."""

MONEY = text("coalesce(amount, 0)")
"""What a request moves, in an order: one that declares no amount moves no money."""


def _inbox(name: str, *columns: str | TextClause) -> Index:
    """An index of the requests that wait, with everything that the inbox filters by."""
    return Index(name, *columns, sqlite_where=WAITS, postgresql_where=WAITS)


class ApprovalRow(SQLModel, table=True):
    """A request as the inbox shows it, with the whole card that people are shown.

    ``rules`` says how it is decided (``ApprovalRules``), ``agenda`` what time will bring to it, ``due_at`` when to look
    at it next, ``silent_at`` when its time was up the first time, ``lent`` who decides in whose name by request.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        Index("approvals_by_age", "status", "created_at", "id"),
        Index("approvals_by_agent", "agent", "status", "expires_at", "id"),
        Index("approvals_by_run", "run_id"),
        _inbox("inbox_by_due", "expires_at", "id", "agent", "type", "amount", "created_at", "decided_at"),
        _inbox("inbox_by_age", "created_at", "id", "agent", "type", "amount", "expires_at", "decided_at"),
        _inbox("inbox_by_amount", MONEY, "id", "agent", "type", "amount", "created_at", "expires_at", "decided_at"),
        _inbox("inbox_by_kind", "agent", "type", "expires_at", "id", "amount", "created_at", "decided_at"),
    )

    id: str = Field(primary_key=True)
    action_id: str = Field(unique=True)
    run_id: str
    agent: str
    type: str
    digest: str
    revision: int = 1
    headline: str = Field(sa_type=Text)
    amount: float | None = None
    card: dict[str, Any] = Field(sa_type=JSON)
    status: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    revised_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    silent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    requester: str = ""
    rules: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    lent: list[dict[str, Any]] | None = Field(default=None, sa_type=JSON, nullable=True)
    agenda: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    decision_reason: str = Field(default="", sa_type=Text)
    why: str = Field(default="", sa_type=Text)


class DecisionRow(SQLModel, table=True):
    """A decision that reached the run, with whether it counted; it is in force if it counted and has not lapsed.

    ``person`` is who gave it, ``for_person`` whose authority it used if not their own, ``needs`` what it can count for.
    """

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
    digest: str = Field(default="", sa_type=Text)
    revision: int = 1
    person: str = ""
    for_person: str = Field(default="", sa_type=Text)
    needs: list[str] | None = Field(default=None, sa_type=JSON, nullable=True)
    lapsed: bool = False
    why_lapsed: str = Field(default="", sa_type=Text)

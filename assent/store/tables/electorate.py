"""Who is asked to decide a request, and who is away."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, TextClause, text
from sqlmodel import Field, SQLModel

from assent.store.tables.approvals import MONEY
from assent.store.types import UtcDateTime

_PENDING = text("pending")


def _inbox(name: str, *columns: str | TextClause) -> Index:
    """An index of what is asked of a token, with everything that the inbox filters by."""
    return Index(name, "token", *columns, "pending", sqlite_where=_PENDING, postgresql_where=_PENDING)


class AskedRow(SQLModel, table=True):
    """Somebody who is asked: a group, a role or a person, with what the inbox sorts and filters by.

    ``why`` is ``card``, ``escalation``, ``asked`` (by somebody, besides them) or ``reassigned`` (in somebody's place);
    ``for_person`` then is the person whose authority they use.
    """

    __tablename__ = "asked"
    __table_args__ = (
        Index(
            "asked_mine",
            "token",
            "due_at",
            "approval_id",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
        _inbox("asked_by_age", "created_at", "approval_id", "agent", "type", "amount", "due_at"),
        _inbox("asked_by_amount", MONEY, "approval_id", "agent", "type", "amount", "created_at", "due_at"),
        _inbox("asked_by_kind", "agent", "type", "due_at", "approval_id", "amount", "created_at"),
    )

    approval_id: str = Field(primary_key=True)
    token: str = Field(primary_key=True)
    for_person: str = Field(primary_key=True, default="")
    pending: bool = True
    why: str = "card"
    agent: str
    type: str
    amount: float | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    asked_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)


class AbsenceRow(SQLModel, table=True):
    """A time in which a person is away, and who decides in their place."""

    __tablename__ = "absences"
    __table_args__ = (
        Index("absences_by_person", "person_id", "ends_at"),
        Index("absences_by_end", "ends_at", "id"),
        Index("absences_by_delegate", "delegate_id", "ends_at"),
    )

    id: str = Field(primary_key=True)
    person_id: str
    delegate_id: str | None = None
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    note: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: dict[str, Any] = Field(sa_type=JSON)


class OpeningRow(SQLModel, table=True):
    """Somebody was shown a request whole, at one digest: before they decided it, or where its card asks for that.

    ``seconds`` is how long it was in front of them, ``None`` if nobody knows; ``measured`` says by what (``Measure``).
    """

    __tablename__ = "openings"

    approval_id: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    seconds: float | None = None
    measured: str = ""

"""Figures on decisions, and checks seeded among requests. A check shares no table with anything that can run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class QualityDayRow(SQLModel, table=True):
    """What became of an agent's requests of one action type on one day (UTC); ``assent.domain.quality`` says of what.

    ``decide`` and ``look`` are counts of times by bucket.
    """

    __tablename__ = "quality_days"

    agent: str = Field(primary_key=True)
    type: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    asked: int = 0
    approved: int = 0
    refused: int = 0
    expired: int = 0
    withdrawn: int = 0
    unopposed: int = 0
    edited: int = 0
    changed: int = 0
    votes: int = 0
    opened: int = 0
    timed: int = 0
    hasty: int = 0
    ran: int = 0
    undone: int = 0
    unknown: int = 0
    decide: dict[str, int] = Field(sa_type=JSON)
    look: dict[str, int] = Field(sa_type=JSON)


class QualityKindRow(SQLModel, table=True):
    """An agent's action type that has figures."""

    __tablename__ = "quality_kinds"

    agent: str = Field(primary_key=True)
    type: str = Field(primary_key=True)


class QualityMarkRow(SQLModel, table=True):
    """How far a reader of the sealed ledger came."""

    __tablename__ = "quality_marks"

    reader: str = Field(primary_key=True)
    seq: int
    at: datetime = Field(sa_type=UtcDateTime)


class DismissalRow(SQLModel, table=True):
    """A suggestion that somebody put aside for a time."""

    __tablename__ = "quality_dismissals"

    agent: str = Field(primary_key=True)
    type: str = Field(primary_key=True)
    suggestion: str = Field(primary_key=True)
    until: datetime = Field(sa_type=UtcDateTime)
    reason: str = Field(sa_type=Text)
    person: dict[str, Any] = Field(sa_type=JSON)
    at: datetime = Field(sa_type=UtcDateTime)


class CheckRow(SQLModel, table=True):
    """A seeded check: shown to one person like a request, though nothing can ever run of it.

    ``source_id`` is the real request that it was made from, ``because`` why it should be refused, ``status`` one of
    ``CheckStatus``.
    """

    __tablename__ = "seeded_checks"
    __table_args__ = (
        Index("checks_of_person", "person_id", "ended_at", "created_at"),
        Index("checks_by_age", "created_at", "id"),
        Index("checks_by_end", "ended_at", "expires_at", "id"),
    )

    id: str = Field(primary_key=True)
    person_id: str
    agent: str
    type: str
    source_id: str = Field(unique=True)
    digest: str
    headline: str = Field(sa_type=Text)
    why: str = Field(sa_type=Text)
    amount: float | None = None
    card: dict[str, Any] = Field(sa_type=JSON)
    rules: dict[str, Any] = Field(sa_type=JSON)
    because: str = Field(sa_type=Text)
    status: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str = Field(default="", sa_type=Text)
    seconds: float | None = None


class CheckAnnouncementRow(SQLModel, table=True):
    """Since when it stands announced that an agent's approvers may be shown checks, and until when its card said so."""

    __tablename__ = "check_announcements"

    agent: str = Field(primary_key=True)
    announced_at: datetime = Field(sa_type=UtcDateTime)
    one_in: int
    a_day: int
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CheckNoticeRow(SQLModel, table=True):
    """Somebody read the announcement of an agent's checks."""

    __tablename__ = "check_notices"

    agent: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    read_at: datetime = Field(sa_type=UtcDateTime)

"""Circuit breakers: what fired, what was measured, how connectors are, and who watches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class TripRow(SQLModel, table=True):
    """One time that a breaker fired, with its rule and its figures as they were; never changed.

    ``kind`` says whether it paused, or took a pause that was being released back to a full hold.
    """

    __tablename__ = "breaker_trips"
    __table_args__ = (
        Index("trips_by_time", "at", "id"),
        Index("trips_by_agent", "agent", "at", "id"),
        Index("trips_of_breaker", "agent", "breaker", "scope_kind", "scope_name", "at", "id"),
        Index("trips_by_pause", "pause_id"),
    )

    id: str = Field(primary_key=True)
    agent: str
    breaker: str
    card_version: int
    kind: str
    measure: str
    scope_kind: str
    scope_name: str = ""
    disposition: str
    pause_id: str
    cause: str = Field(sa_type=Text)
    measured: float
    threshold: float
    cases: int
    counted: int
    window_seconds: int
    since: datetime = Field(sa_type=UtcDateTime)
    rule: dict[str, Any] = Field(sa_type=JSON)
    figures: dict[str, Any] = Field(sa_type=JSON)
    evidence: list[str] = Field(sa_type=JSON)
    fallback: list[dict[str, Any]] = Field(sa_type=JSON)
    woken: list[dict[str, Any]] = Field(sa_type=JSON)
    at: datetime = Field(sa_type=UtcDateTime)


class SampleRow(SQLModel, table=True):
    """What a breaker measured at one time, for its picture."""

    __tablename__ = "breaker_samples"

    agent: str = Field(primary_key=True)
    breaker: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    value: float
    threshold: float
    cases: int


class HealthRow(SQLModel, table=True):
    """How a connector was when it was asked last; ``failures`` counts those one after the other.

    Below zero it counts checks that passed one after the other, -3 for three.
    """

    __tablename__ = "connector_health"

    connector: str = Field(primary_key=True)
    failures: int
    error: str = Field(default="", sa_type=Text)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    since: datetime = Field(sa_type=UtcDateTime)


class WatchRow(SQLModel, table=True):
    """Which process does a periodic work, and until when it may."""

    __tablename__ = "watches"

    name: str = Field(primary_key=True)
    holder: str
    until: datetime = Field(sa_type=UtcDateTime)

"""Incidents, what belongs to them, what people wrote and sent, and what was agreed afterwards."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime

_BigId = BigInteger().with_variant(Integer(), "sqlite")


class IncidentRow(SQLModel, table=True):
    """An incident; ``is_open`` until it is closed."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index("incidents_by_open", "is_open", "opened_at", "id"),
        Index("incidents_by_time", "opened_at", "id"),
    )

    id: str = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    severity: str
    state: str
    is_open: bool
    commander_id: str = ""
    opened_by: dict[str, Any] = Field(sa_type=JSON)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    began_at: datetime = Field(sa_type=UtcDateTime)
    noticed_at: datetime = Field(sa_type=UtcDateTime)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    mended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class IncidentPartRow(SQLModel, table=True):
    """A pause, run, record or rollback that belongs to an incident."""

    __tablename__ = "incident_parts"
    __table_args__ = (Index("incident_parts_by_ref", "kind", "ref", "incident_id"),)

    incident_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    by: dict[str, Any] = Field(sa_type=JSON)


class IncidentEventRow(SQLModel, table=True):
    """A ledger event that is about an incident, so that its timeline is found."""

    __tablename__ = "incident_events"

    incident_id: str = Field(primary_key=True)
    event_id: int = Field(primary_key=True, sa_type=_BigId)


class IncidentNoteRow(SQLModel, table=True):
    """What a person wrote down; never changed."""

    __tablename__ = "incident_notes"
    __table_args__ = (Index("incident_notes_by_time", "incident_id", "at", "id"),)

    id: str = Field(primary_key=True)
    incident_id: str
    at: datetime = Field(sa_type=UtcDateTime)
    by: dict[str, Any] = Field(sa_type=JSON)
    text: str = Field(sa_type=Text)


class IncidentTellingRow(SQLModel, table=True):
    """A text about an incident as it was sent, and as it had been drafted."""

    __tablename__ = "incident_tellings"
    __table_args__ = (Index("incident_tellings_by_time", "incident_id", "at", "id"),)

    id: str = Field(primary_key=True)
    incident_id: str
    at: datetime = Field(sa_type=UtcDateTime)
    by: dict[str, Any] = Field(sa_type=JSON)
    channel: str
    text: str = Field(sa_type=Text)
    drafted: str = Field(default="", sa_type=Text)


class IncidentSectionRow(SQLModel, table=True):
    """One version of people's words in a section of a post-mortem."""

    __tablename__ = "incident_sections"

    incident_id: str = Field(primary_key=True)
    section: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    text: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)
    by: dict[str, Any] = Field(sa_type=JSON)


class IncidentActionRow(SQLModel, table=True):
    """Something that was agreed after an incident, with an owner and a day."""

    __tablename__ = "incident_actions"
    __table_args__ = (
        Index("incident_actions_by_due", "state", "due", "id"),
        Index("incident_actions_by_incident", "incident_id", "due", "id"),
    )

    id: str = Field(primary_key=True)
    incident_id: str
    text: str = Field(sa_type=Text)
    owner_id: str
    due: date
    state: str
    note: str = Field(default="", sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: dict[str, Any] = Field(sa_type=JSON)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

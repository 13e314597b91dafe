"""Which records requests were about."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class AskedAboutRow(SQLModel, table=True):
    """A record that a request was about; the primary key is the order in which the newest are found."""

    __tablename__ = "asked_about"

    resource: str = Field(primary_key=True, max_length=200)
    type: str = Field(primary_key=True, max_length=80)
    asked_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    approval_id: str = Field(primary_key=True)

"""Revisions of requests, the edits that made them, and the talk about requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class RevisionRow(SQLModel, table=True):
    """A request as it was shown, whole; one row for every revision from the first on, never changed."""

    __tablename__ = "approval_revisions"

    approval_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    digest: str
    card: dict[str, Any] = Field(sa_type=JSON)
    arguments: dict[str, Any] = Field(sa_type=JSON)
    card_version: int
    edited_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    reason: str = Field(default="", sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)


class EditRow(SQLModel, table=True):
    """An edit that reached the run, with the revision it made or why it made none."""

    __tablename__ = "edits"
    __table_args__ = (Index("edits_by_request", "approval_id", "at", "id"),)

    id: str = Field(primary_key=True)
    approval_id: str
    action_id: str
    digest: str
    reason: str = Field(default="", sa_type=Text)
    actor: dict[str, Any] = Field(sa_type=JSON)
    at: datetime = Field(sa_type=UtcDateTime)
    revision: int | None = None
    why_not: str = Field(default="", sa_type=Text)


class CommentRow(SQLModel, table=True):
    """A comment, a question to the agent or its answer."""

    __tablename__ = "comments"
    __table_args__ = (
        Index("comments_by_request", "approval_id", "at", "id"),
        Index("comments_open", "run_id", "kind", "answered_at", "at", "id"),
    )

    id: str = Field(primary_key=True)
    approval_id: str
    run_id: str
    kind: str
    by_agent: bool
    author: dict[str, Any] = Field(sa_type=JSON)
    reply_to: str | None = None
    text: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

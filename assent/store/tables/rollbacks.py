"""Rollbacks, their steps, and who approved them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime

UNKNOWN_TO_TEMPORAL = text("NOT known")
"""Rollbacks that no workflow has taken up yet, for an index of nothing else."""


class RollbackRow(SQLModel, table=True):
    """A rollback or a preview, its plan, and how it ended.

    While its plan is written, ``position`` says where that goes on; ``digest`` and ``totals`` grow with it until
    ``complete``. ``rules`` says who must approve, ``round`` how often what was left was tried again, ``known`` whether
    a workflow has taken this round up.
    """

    __tablename__ = "rollbacks"
    __table_args__ = (
        Index("rollbacks_by_time", "requested_at", "id"),
        Index("rollbacks_by_status", "status", "requested_at", "id"),
        Index(
            "rollbacks_unknown", "requested_at", sqlite_where=UNKNOWN_TO_TEMPORAL, postgresql_where=UNKNOWN_TO_TEMPORAL
        ),
    )

    id: str = Field(primary_key=True)
    scope_kind: str
    scope_id: str = Field(index=True)
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    with_later: bool = False
    status: str
    reason: str = Field(default="", sa_type=Text)
    message: str = Field(default="", sa_type=Text)
    requested_by: dict[str, Any] = Field(sa_type=JSON)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    preview_id: str = ""
    digest: str = ""
    complete: bool = True
    totals: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    position: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    rules: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    held_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    held_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    round: int = 0
    known: bool = True


class RollbackStepRow(SQLModel, table=True):
    """One effect in a rollback, in the order of undoing; ``outcome`` is what is counted (``StepOutcome``)."""

    __tablename__ = "rollback_steps"
    __table_args__ = (
        Index("rollback_steps_by_action", "rollback_id", "action_id"),
        Index("rollback_steps_by_outcome", "rollback_id", "outcome", "ordinal"),
        Index("rollback_steps_by_verdict", "rollback_id", "verdict", "ordinal"),
    )

    rollback_id: str = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    action_id: str
    verdict: str = ""
    outcome: str = "open"
    step: dict[str, Any] = Field(sa_type=JSON)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RollbackVoteRow(SQLModel, table=True):
    """One person's word on a rollback that awaits approval; a later one of the same person takes its place."""

    __tablename__ = "rollback_votes"

    rollback_id: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    verb: str
    digest: str
    by: dict[str, Any] = Field(sa_type=JSON)
    at: datetime = Field(sa_type=UtcDateTime)
    reason: str = Field(default="", sa_type=Text)

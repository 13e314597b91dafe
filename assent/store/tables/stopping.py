"""What belongs to a pause: claims it found under way, actions it holds, runs it let go, rollbacks it began; labels."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime


class PauseClaimRow(SQLModel, table=True):
    """A claim that was under way when a pause began, and when it was asked to stop."""

    __tablename__ = "pause_claims"
    __table_args__ = (
        Index("pause_claims_by_action", "action_id"),
        Index("pause_claims_by_time", "pause_id", "since", "action_id"),
    )

    pause_id: str = Field(primary_key=True)
    action_id: str = Field(primary_key=True)
    run_id: str
    agent: str
    type: str
    holder: str
    since: datetime = Field(sa_type=UtcDateTime)
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PauseHoldRow(SQLModel, table=True):
    """An action that was held by a pause when it was last looked at."""

    __tablename__ = "pause_holds"
    __table_args__ = (Index("pause_holds_by_action", "action_id"),)

    pause_id: str = Field(primary_key=True)
    action_id: str = Field(primary_key=True)
    run_id: str
    since: datetime = Field(sa_type=UtcDateTime)


class PauseReleaseRow(SQLModel, table=True):
    """A run that a pause let go on while it still holds others; ``taken_back_at`` says when it was held again."""

    __tablename__ = "pause_releases"

    pause_id: str = Field(primary_key=True)
    run_id: str = Field(primary_key=True)
    stage: int
    released_at: datetime = Field(sa_type=UtcDateTime)
    taken_back_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PauseRollbackRow(SQLModel, table=True):
    """The rollback of a run that a compensating pause began."""

    __tablename__ = "pause_rollbacks"

    pause_id: str = Field(primary_key=True)
    run_id: str = Field(primary_key=True)
    rollback_id: str
    started_at: datetime = Field(sa_type=UtcDateTime)


class RunLabelRow(SQLModel, table=True):
    """A label of a run."""

    __tablename__ = "run_labels"
    __table_args__ = (Index("run_labels_by_label", "label", "run_id"),)

    run_id: str = Field(primary_key=True)
    label: str = Field(primary_key=True)

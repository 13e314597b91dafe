"""What people approved ahead: standing grants, plans of runs, who consented, and each use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, Text
from sqlmodel import Field, SQLModel

from assent.store.types import UtcDateTime

_BigId = BigInteger().with_variant(Integer(), "sqlite")


class GrantRow(SQLModel, table=True):
    """A standing grant; ``used`` never passes ``uses``."""

    __tablename__ = "grants"
    __table_args__ = (
        Index("grants_in_force", "agent", "type", "status", "expires_at"),
        Index("grants_by_time", "given_at", "id"),
        Index("grants_by_agent", "agent", "given_at", "id"),
        Index("grants_by_status", "status", "given_at", "id"),
    )

    id: str = Field(primary_key=True)
    agent: str
    type: str
    terms: dict[str, Any] = Field(sa_type=JSON)
    digest: str
    electorates: list[dict[str, Any]] = Field(sa_type=JSON)
    status: str
    uses: int
    used: int = 0
    expires_at: datetime = Field(sa_type=UtcDateTime)
    note: str = Field(default="", sa_type=Text)
    approval_id: str = ""
    given_by: dict[str, Any] = Field(sa_type=JSON)
    given_at: datetime = Field(sa_type=UtcDateTime)
    active_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    revoke_reason: str = Field(default="", sa_type=Text)


class ConsentRow(SQLModel, table=True):
    """A person's word for a grant or for the approval of a plan."""

    __tablename__ = "consents"

    subject: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    actor: dict[str, Any] = Field(sa_type=JSON)
    at: datetime = Field(sa_type=UtcDateTime)


class GrantUseRow(SQLModel, table=True):
    """An action that a grant or an approved plan covered, and when its use was given back."""

    __tablename__ = "grant_uses"
    __table_args__ = (Index("grant_uses_by_grant", "grant_id", "id"), Index("grant_uses_by_action", "action_id"))

    id: int | None = Field(default=None, primary_key=True, sa_type=_BigId)
    grant_id: str
    action_id: str
    run_id: str
    at: datetime = Field(sa_type=UtcDateTime)
    given_back_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RunPlanRow(SQLModel, table=True):
    """The plan that a run started with, references included."""

    __tablename__ = "run_plans"

    run_id: str = Field(primary_key=True)
    steps: list[dict[str, Any]] = Field(sa_type=JSON)
    at: datetime = Field(sa_type=UtcDateTime)


class PlanApprovalRow(SQLModel, table=True):
    """The approval of a run's whole plan, at its highest class."""

    __tablename__ = "plan_approvals"
    __table_args__ = (Index("plan_approvals_by_run", "run_id", "status"),)

    id: str = Field(primary_key=True)
    run_id: str
    agent: str
    card_version: int
    steps: list[dict[str, Any]] = Field(sa_type=JSON)
    digest: str
    electorate: dict[str, Any] = Field(sa_type=JSON)
    status: str
    note: str = Field(default="", sa_type=Text)
    given_by: dict[str, Any] = Field(sa_type=JSON)
    given_at: datetime = Field(sa_type=UtcDateTime)
    active_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_by: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    revoke_reason: str = Field(default="", sa_type=Text)

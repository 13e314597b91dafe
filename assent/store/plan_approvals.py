"""Plans of runs, and their approval as a whole. Every change is a ledger event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.canonical import Json
from assent.domain.errors import Conflict, NotFound
from assent.domain.people import Actor
from assent.domain.plans import PlanApprovalStatus, PlanStep, WeighedPlan
from assent.store import ledger, statements
from assent.store.grants import consent
from assent.store.tables import ActionRow, PlanApprovalRow, RunPlanRow

_plans, _approvals = statements.table_of(RunPlanRow), statements.table_of(PlanApprovalRow)
_KEEP = statements.InsertNew(_plans)
_ACTIVE = (
    select(_approvals.c.id, _approvals.c.card_version, _approvals.c.steps)
    .where(_approvals.c.run_id == bindparam("run_id"), _approvals.c.status == PlanApprovalStatus.ACTIVE.value)
    .order_by(_approvals.c.active_at.desc())
    .limit(1)
    # So that revoking it waits for the claims that still saw it, and nothing is claimed by it afterwards.
    .with_for_update(read=True)
)


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """The approval of a plan that is in force.

    Attributes:
        id: Its id.
        card_version: Version of the card that it was given under.
        steps: The approved steps as JSON; a long plan is not read whole for one of its steps.
    """

    id: str
    card_version: int
    steps: list[dict[str, Any]]

    def step(self, key: str) -> PlanStep | None:
        """The step with a key, if the plan has one."""
        found = next((step for step in self.steps if step["key"] == key), None)
        return None if found is None else PlanStep.model_validate(found)


def keep_plan(session: Session, run_id: str, plan: Sequence[ProposedAction], *, at: datetime) -> None:
    """Keep the plan that a run started with; a repeated call changes nothing."""
    steps = [action.model_dump(mode="json") for action in plan]
    values = {"run_id": run_id, "steps": steps, "at": at}
    _KEEP.run(session, values)


def plan_of(session: Session, run_id: str) -> list[ProposedAction]:
    """The plan that a run started with; empty if it had none, or only one step."""
    row = session.get(RunPlanRow, run_id)
    return [] if row is None else [ProposedAction.model_validate(step) for step in row.steps]


def has_plan(session: Session, run_id: str) -> bool:
    """Whether a run started with a plan of several steps."""
    known = select(col(RunPlanRow.run_id)).where(col(RunPlanRow.run_id) == run_id)
    return session.execute(known).first() is not None


def statuses(session: Session, run_id: str, keys: Sequence[str]) -> dict[str, ActionStatus]:
    """Where the steps of a plan are that have begun, by key."""
    wanted = select(col(ActionRow.key), col(ActionRow.status)).where(
        col(ActionRow.run_id) == run_id, col(ActionRow.action_id).in_([f"{run_id}:{key}" for key in keys])
    )
    return {row[0]: ActionStatus(row[1]) for row in session.execute(wanted).all()}


def results(session: Session, run_id: str, keys: Sequence[str]) -> dict[str, Json]:
    """Results of actions of a run, by key."""
    wanted = select(col(ActionRow.key), col(ActionRow.result)).where(
        col(ActionRow.action_id).in_([f"{run_id}:{key}" for key in keys]),
    )
    return {row[0]: row[1] for row in session.execute(wanted).all()}


def in_force(session: Session, run_id: str) -> ApprovedPlan | None:
    """The approval of a run's plan that is in force, if there is one."""
    row = statements.run(session, _ACTIVE, {"run_id": run_id}).one_or_none()
    return None if row is None else ApprovedPlan(row.id, row.card_version, row.steps)


def newest(session: Session, run_id: str, digest: str, *, lock: bool = False) -> PlanApprovalRow | None:
    """The approval of exactly this plan that is pending or in force, locked if asked; ``None`` if there is none."""
    wanted = (
        select(PlanApprovalRow)
        .where(
            col(PlanApprovalRow.run_id) == run_id,
            col(PlanApprovalRow.status) != PlanApprovalStatus.REVOKED.value,
            col(PlanApprovalRow.digest) == digest,
        )
        .order_by(col(PlanApprovalRow.given_at).desc())
        .limit(1)
    )
    return session.execute(wanted.with_for_update() if lock else wanted).scalar_one_or_none()


def give(
    session: Session,
    plan_approval_id: str,
    plan: WeighedPlan,
    *,
    agent: str,
    active: bool,
    by: Actor,
    at: datetime,
    note: str = "",
) -> None:
    """Write the approval of a plan, in force or pending until others approve it, too."""
    values: dict[str, Any] = {
        "id": plan_approval_id,
        "run_id": plan.run_id,
        "agent": agent,
        "card_version": plan.card_version,
        "steps": [step.model_dump(mode="json") for step in plan.steps],
        "digest": plan.digest,
        "electorate": plan.electorate.model_dump(mode="json"),
        "status": (PlanApprovalStatus.ACTIVE if active else PlanApprovalStatus.PENDING).value,
        "note": note,
        "given_by": by.model_dump(mode="json"),
        "given_at": at,
        "active_at": at if active else None,
        "revoke_reason": "",
    }
    session.execute(insert(PlanApprovalRow).values(**values))
    _word(session, plan_approval_id, plan.run_id, agent, plan.digest, by=by, active=active, at=at, note=note)


def confirm(session: Session, row: PlanApprovalRow, *, by: Actor, active: bool, at: datetime, note: str = "") -> None:
    """Write a person's word for a pending approval; ``active`` says that it was the last that was needed."""
    if active:
        row.status, row.active_at = PlanApprovalStatus.ACTIVE.value, at
        session.flush()
    _word(session, row.id, row.run_id, row.agent, row.digest, by=by, active=active, at=at, note=note)


def locked(session: Session, plan_approval_id: str) -> PlanApprovalRow:
    """An approval's row, which nobody else changes until the transaction ends.

    Raises:
        NotFound: There is none of this id.
    """
    wanted = select(PlanApprovalRow).where(col(PlanApprovalRow.id) == plan_approval_id).with_for_update()
    row = session.execute(wanted).scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no approval of a plan {plan_approval_id!r}.", where="plan")
    return row


def revoke(session: Session, row: PlanApprovalRow, *, by: Actor, at: datetime, reason: str = "") -> None:
    """Revoke the approval of a plan: from the commit on it covers nothing that is not claimed.

    Raises:
        Conflict: It is revoked already.
    """
    if row.status == PlanApprovalStatus.REVOKED.value:
        raise Conflict("The approval of the plan is revoked already.", where="plan", todo="Nothing was changed.")
    row.status, row.revoked_at, row.revoke_reason = PlanApprovalStatus.REVOKED.value, at, reason
    row.revoked_by = by.model_dump(mode="json")
    session.flush()
    body: dict[str, Json] = {"plan": row.id, "reason": reason}
    ledger.append(session, at=at, kind="plan.revoked", actor=by, run_id=row.run_id, agent=row.agent, body=body)


def _word(
    session: Session,
    plan_approval_id: str,
    run_id: str,
    agent: str,
    digest: str,
    *,
    by: Actor,
    active: bool,
    at: datetime,
    note: str,
) -> None:
    consent(session, plan_approval_id, by=by, at=at)
    body: dict[str, Json] = {"plan": plan_approval_id, "digest": digest, "active": active, "note": note}
    ledger.append(session, at=at, kind="plan.approved", actor=by, run_id=run_id, agent=agent, body=body)

"""What an action is proposed instead of."""

from __future__ import annotations

from sqlalchemy.orm import Session

from assent.domain.actions import REPLACEABLE, ActionStatus, AdmissionEffect, Reason, Verdict
from assent.domain.catalogue import ActionType
from assent.domain.revisions import Predecessor, argument_changes
from assent.store import approvals, projection
from assent.store.tables import ActionRow
from assent_activities.jobs import Job


def with_predecessor(session: Session, job: Job, verdict: Verdict) -> Verdict:
    """The verdict on an action, refused if what it is to replace is not there or was not refused itself."""
    fault = _fault(_row(session, job), job)
    if not fault:
        return verdict
    reason = Reason(rule="instead-of", effect=AdmissionEffect.REFUSE, sentence=fault)
    return verdict.model_copy(
        update={"effect": AdmissionEffect.REFUSE, "tier": None, "reasons": [reason, *verdict.reasons]}
    )


def predecessor_of(session: Session, job: Job, type: ActionType) -> Predecessor | None:
    """What people are shown of the action that this one replaces."""
    row = _row(session, job)
    if row is None:
        return None
    asked = approvals.request_for(session, row.action_id)
    changes = argument_changes(row.arguments, job.action.arguments, type.secrets) if row.type == type.name else []
    return Predecessor(
        key=row.key,
        action_id=row.action_id,
        sentence=row.sentence,
        status=row.status,
        message=row.message,
        changes=changes,
        approval_id=asked.id if asked else None,
    )


def _row(session: Session, job: Job) -> ActionRow | None:
    if job.action.instead_of is None:
        return None
    return projection.read_action(session, f"{job.header.run_id}:{job.action.instead_of}")


def _fault(row: ActionRow | None, job: Job) -> str:
    named = job.action.instead_of
    if named == job.action.key:
        return f"An action cannot be proposed instead of itself ({named})."
    if row is None:
        return f"It is proposed instead of {named}, but the run has no action of that key."
    if ActionStatus(row.status) not in REPLACEABLE:
        return f"It is proposed instead of {named}, which is {row.status}: only what was not done can be replaced."
    return ""

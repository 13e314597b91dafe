"""Action rows as outcomes, the form that workflows and agents are given."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionOutcome, ActionStatus, Reason
from assent.domain.canonical import Json, stable_text
from assent.domain.tiers import Speed
from assent.store.tables import ActionRow, ApprovalRow

MAX_RESULT = 256 * 1024
"""Bytes of a result that is handed on to the workflow and the agent; larger ones stay in the database."""


def outcome_of(
    session: Session, row: ActionRow, *, speed: Speed, now: datetime, held_by: Sequence[str] = ()
) -> ActionOutcome:
    """What a row says of its action.

    Args:
        session: For the approval request of an action that awaits one.
        row: The action's row.
        speed: How its effect is run.
        now: To count the remaining time from.
        held_by: Pauses that hold it.
    """
    approval = None
    status = ActionStatus(row.status)
    if status in (ActionStatus.AWAITING, ActionStatus.HELD, ActionStatus.CLEARED):
        approval = session.execute(
            select(ApprovalRow).where(col(ApprovalRow.action_id) == row.action_id)
        ).scalar_one_or_none()
    return ActionOutcome(
        action_id=row.action_id,
        key=row.key,
        type=row.type,
        status=status,
        speed=speed,
        sentence=row.sentence,
        result=bounded(row.result, row.action_id),
        reasons=[Reason.model_validate(reason) for reason in row.reasons],
        message=row.message,
        approval_id=approval.id if approval else None,
        digest=approval.digest if approval else None,
        expires_in=approval.expires_at - now if approval else None,
        held_by=list(held_by),
        settled_at=row.settled_at,
    )


def result_digest(result: Json) -> str:
    """What the ledger keeps of a result: SHA-256 over its stable JSON text."""
    return hashlib.sha256(stable_text(result).encode()).hexdigest()


def bounded(result: Json, action_id: str) -> Json:
    """A result that fits a message, or a note of where the whole one is."""
    size = len(stable_text(result).encode())
    if size <= MAX_RESULT:
        return result
    return {"too_large": size, "limit": MAX_RESULT, "kept_in": f"the action {action_id}"}

"""What the gateway reads of the projection."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from assent.domain.actions import ActionOutcome, ActionStatus, Reason
from assent.store.database import Database
from assent.store.tables import ActionRow, ApprovalRow, RunRow


def action_outcome(database: Database, action_id: str, now: datetime) -> ActionOutcome | None:
    """What the projection says of an action, if it was admitted."""
    with database.read() as session:
        row = session.get(ActionRow, action_id)
        if row is None:
            return None
        approval = session.execute(
            select(ApprovalRow).where(col(ApprovalRow.action_id) == action_id)
        ).scalar_one_or_none()
        status = ActionStatus(row.status)
        waiting = approval is not None and status is ActionStatus.AWAITING
        return ActionOutcome(
            action_id=row.action_id,
            key=row.key,
            type=row.type,
            status=status,
            sentence=row.sentence,
            result=row.result,
            reasons=[Reason.model_validate(reason) for reason in row.reasons],
            message=row.message,
            approval_id=approval.id if approval else None,
            digest=approval.digest if approval else None,
            expires_in=approval.expires_at - now if approval and waiting else None,
            edited_by=row.edited["by"]["name"] if row.edited else "",
            arguments=row.edited["arguments"] if row.edited else None,
            settled_at=row.settled_at,
        )


def run_exists(database: Database, run_id: str) -> bool:
    """Whether the projection has a run."""
    with database.read() as session:
        return session.get(RunRow, run_id) is not None

"""What a pause would hold, counted up to the cap, before anybody pauses."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus
from assent.domain.pauses import Scope
from assent.domain.runs import RunStatus
from assent.store.pause_scopes import under_way, within
from assent.store.queries.paging import COUNT_CAP
from assent.store.tables import ApprovalRow, RunLabelRow, RunRow

_OPEN = [status.value for status in RunStatus if not status.ended]


def requests_waiting(session: Session, scope: Scope) -> int:
    """Requests that wait in a scope."""
    pending = col(ApprovalRow.status) == ApprovalStatus.PENDING.value
    some = select(col(ApprovalRow.id)).where(pending, within(ApprovalRow, scope)).limit(COUNT_CAP)
    return session.execute(select(func.count()).select_from(some.subquery())).scalar_one()


def effects_under_way(session: Session, scope: Scope) -> int:
    """Effects that would still end."""
    return len(under_way(session, scope))


def labelled_runs(session: Session, label: str) -> int:
    """Open runs that carry a label."""
    some = (
        select(col(RunRow.run_id))
        .join(RunLabelRow, col(RunLabelRow.run_id) == col(RunRow.run_id))
        .where(col(RunLabelRow.label) == label, col(RunRow.status).in_(_OPEN))
        .limit(COUNT_CAP)
    )
    return session.execute(select(func.count()).select_from(some.subquery())).scalar_one()

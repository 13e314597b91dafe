"""Timers of approvals stand still while a pause holds their runs: the time is given back when it lets them go."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus
from assent.domain.approving import Agenda
from assent.store import asked
from assent.store.pause_scopes import scope_of, within
from assent.store.tables import ApprovalRow, PauseReleaseRow, PauseRow


def give_time_back(session: Session, row: PauseRow, *, at: datetime, runs: Collection[str] | None = None) -> None:
    """Move every expiry by the time that this pause alone is left to account for.

    Where another pause still holds a request, that one gives back everything since its own beginning when it ends. A
    run that was let go before had its time back then.

    Args:
        session: The transaction.
        row: The pause.
        at: Until when it held.
        runs: Only requests of these; all in scope if left out.
    """
    scope = scope_of(row)
    others = _holding_since(session, besides=row.id)
    ours = _released(session, row.id)
    found = select(
        col(ApprovalRow.id),
        col(ApprovalRow.run_id),
        func.coalesce(col(ApprovalRow.revised_at), col(ApprovalRow.created_at)).label("asked_at"),
        col(ApprovalRow.expires_at),
        col(ApprovalRow.due_at),
        col(ApprovalRow.agenda),
    ).where(col(ApprovalRow.status) == ApprovalStatus.PENDING.value, within(ApprovalRow, scope))
    if runs is not None:
        found = found.where(col(ApprovalRow.run_id).in_(runs))
    pending = session.execute(found.with_for_update()).all()
    for approval_id, run_id, asked_at, expires_at, due_at, agenda in pending:
        since = _since(row.requested_at, ours, run_id)
        if since is None:
            continue
        stood_still = min([at, *others.get(approval_id, [])]) - max(since, asked_at)
        if stood_still > timedelta(0):
            later = {"expires_at": expires_at + stood_still, "due_at": due_at and due_at + stood_still}
            if agenda and agenda["steps"]:
                later["agenda"] = Agenda.model_validate(agenda).later(stood_still).model_dump(mode="json")
            session.execute(update(ApprovalRow).where(col(ApprovalRow.id) == approval_id).values(**later))
    asked.follow(session, [each[0] for each in pending])


def _holding_since(session: Session, *, besides: str) -> dict[str, list[datetime]]:
    """Since when other pauses hold pending requests, by request."""
    since: dict[str, list[datetime]] = {}
    others = select(PauseRow).where(col(PauseRow.active), col(PauseRow.id) != besides)
    for row in session.execute(others).scalars():
        released = _released(session, row.id)
        theirs = select(col(ApprovalRow.id), col(ApprovalRow.run_id)).where(
            col(ApprovalRow.status) == ApprovalStatus.PENDING.value, within(ApprovalRow, scope_of(row))
        )
        for approval_id, run_id in session.execute(theirs):
            held_since = _since(row.requested_at, released, run_id)
            if held_since is not None:
                since.setdefault(approval_id, []).append(held_since)
    return since


def _since(requested_at: datetime, released: dict[str, datetime | None], run_id: str) -> datetime | None:
    """Since when a pause holds a run; ``None`` if it lets it go."""
    return released.get(run_id, requested_at)


def _released(session: Session, pause_id: str) -> dict[str, datetime | None]:
    rows = select(col(PauseReleaseRow.run_id), col(PauseReleaseRow.taken_back_at))
    found = session.execute(rows.where(col(PauseReleaseRow.pause_id) == pause_id)).all()
    return {row[0]: row[1] for row in found}

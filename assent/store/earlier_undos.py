"""Rollbacks that nobody had to approve, of late: the limits of a later one count them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.rollback_approval import EarlierUndo, RollbackRules
from assent.domain.rollback_scopes import RollbackScopeKind
from assent.domain.rollbacks import RollbackStatus, RollbackTotals
from assent.store.database import lock_alone
from assent.store.queries.scratch import not_of_drills
from assent.store.tables import PauseRollbackRow, RollbackRow

WEIGH = 0x4153_5257_4549
"""Advisory lock on PostgreSQL of those that weigh a rollback, so that two at once count each other."""

_UNDER_WAY = (RollbackStatus.RUNNING.value, RollbackStatus.HELD.value)
_ENDED = (RollbackStatus.DONE.value, RollbackStatus.NEEDS_PERSON.value)
# Drills undo by agent, whose name is kept for them; ids of runs are the caller's choice, whatever they begin with.
_OF_NO_DRILL = or_(
    col(RollbackRow.scope_kind) != RollbackScopeKind.AGENT.value, not_of_drills(col(RollbackRow.scope_id))
)
_FOUND = select(
    col(RollbackRow.id),
    col(RollbackRow.requested_by),
    col(RollbackRow.requested_at),
    col(RollbackRow.status),
    col(RollbackRow.totals),
    col(RollbackRow.rules),
).where(_OF_NO_DRILL)


def count_alone(session: Session) -> None:
    """Let nobody else begin a rollback between counting and the end of the transaction."""
    lock_alone(session, WEIGH)


def without_approval(
    session: Session, *, since: datetime, beside: str = "", of_pause: str = "", money: bool = True
) -> list[EarlierUndo]:
    """Rollbacks that began to undo without anybody's approval, and are under way or were asked for since a time.

    One that was refused or withdrawn has undone nothing and is left out, as one is that waits for approval or had it,
    and as those of drills are, which undo scratch records.

    Args:
        session: To read with.
        since: How far back.
        beside: The rollback that they are counted for, which is left out.
        of_pause: The pause that begins it; those of the same pause are marked, and found whenever they were asked for.
        money: Whether money is weighed. Only that asks for those of the same pause, which may be thousands: without it
            they are left out.
    """
    found = _FOUND.where(col(RollbackRow.id) != beside)
    same: Sequence[Row[Any]] = ()
    if of_pause:
        ids = select(col(PauseRollbackRow.rollback_id)).where(col(PauseRollbackRow.pause_id) == of_pause)
        began = col(RollbackRow.status).in_((*_UNDER_WAY, *_ENDED))
        if money:
            same = session.execute(found.where(col(RollbackRow.id).in_(ids), began)).all()
        found = found.where(col(RollbackRow.id).not_in(ids))
    under_way = found.where(col(RollbackRow.status).in_(_UNDER_WAY))
    ended = found.where(col(RollbackRow.status).in_(_ENDED), col(RollbackRow.requested_at) > since)
    # In this order, one that ends between the two looks is found, and counts once.
    rows = {row.id: row for statement in (under_way, ended) for row in session.execute(statement)}
    return [
        *(_earlier(row, together=True) for row in same if not _was_approved(row)),
        *(_earlier(row) for row in rows.values() if not _was_approved(row)),
    ]


def _was_approved(row: Row[Any]) -> bool:
    return row.rules is not None and RollbackRules.model_validate(row.rules).needed


def _earlier(row: Row[Any], *, together: bool = False) -> EarlierUndo:
    return EarlierUndo(
        by=row.requested_by["id"],
        at=row.requested_at,
        under_way=row.status in _UNDER_WAY,
        totals=RollbackTotals.model_validate(row.totals or {}),
        together=together,
    )

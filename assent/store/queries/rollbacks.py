"""Rollbacks: what was undone, what is being undone, what needs a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import NotFound
from assent.domain.people import Actor
from assent.domain.rollbacks import RollbackScope, RollbackScopeKind, RollbackStatus, UndoStep
from assent.store.queries.paging import FIRST, Order, Page, PageRequest
from assent.store.tables import RollbackRow, RollbackStepRow

STEPS_SHOWN = 1_000
"""Steps of a rollback read at once at most; go on after the last one's ordinal."""


@dataclass(frozen=True, slots=True)
class StepView:
    """One effect in a rollback.

    Attributes:
        ordinal: Its place in the order of undoing, from 0 or 1.
        step: What is undone, and what came of it.
        finished_at: When it was finished.
    """

    ordinal: int
    step: UndoStep
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RollbackView:
    """A rollback.

    Attributes:
        id: Its id.
        scope: What is rolled back.
        status: Where it is in its life.
        reason: Why.
        requested_by: Who asked for it.
        requested_at: When.
        finished_at: When it ended.
        steps: Its effects, newest first, at most :data:`STEPS_SHOWN`; only filled by :func:`one`.
    """

    id: str
    scope: RollbackScope
    status: RollbackStatus
    reason: str
    requested_by: Actor
    requested_at: datetime
    finished_at: datetime | None
    steps: tuple[StepView, ...] = ()


_ROLLBACKS = Order("rollbacks", [col(RollbackRow.requested_at), col(RollbackRow.id)])
_REAL = col(RollbackRow.status) != RollbackStatus.PREVIEW.value


def page(session: Session, *, request: PageRequest = FIRST) -> Page[RollbackView]:
    """All rollbacks, newest first, without their steps and without previews."""
    rows = session.execute(_ROLLBACKS.window(select(RollbackRow).where(_REAL), request)).scalars().all()
    return _ROLLBACKS.page(rows, request, _view)


def of_scope(session: Session, scope_id: str, *, limit: int = 50) -> tuple[RollbackView, ...]:
    """Rollbacks of one action or run, newest first, without their steps and without previews."""
    wanted = select(RollbackRow).where(col(RollbackRow.scope_id) == scope_id, _REAL).limit(limit)
    rows = session.execute(wanted).scalars()
    return tuple(_view(row) for row in sorted(rows, key=lambda row: (row.requested_at, row.id), reverse=True))


def one(session: Session, rollback_id: str) -> RollbackView:
    """One rollback or preview with its steps.

    Raises:
        NotFound: There is no such rollback.
    """
    row = session.get(RollbackRow, rollback_id)
    if row is None:
        raise NotFound(f"There is no rollback {rollback_id!r}.", where="rollback_id")
    return _view(row, steps(session, rollback_id))


def steps(session: Session, rollback_id: str, *, after: int = -1, limit: int = STEPS_SHOWN) -> tuple[StepView, ...]:
    """Steps of a rollback in the order of undoing, after an ordinal."""
    rows = session.execute(
        select(RollbackStepRow)
        .where(col(RollbackStepRow.rollback_id) == rollback_id, col(RollbackStepRow.ordinal) > after)
        .order_by(col(RollbackStepRow.ordinal))
        .limit(limit)
    ).scalars()
    return tuple(
        StepView(ordinal=row.ordinal, step=UndoStep.model_validate(row.step), finished_at=row.finished_at)
        for row in rows
    )


def _view(row: RollbackRow, found: tuple[StepView, ...] = ()) -> RollbackView:
    return RollbackView(
        id=row.id,
        scope=RollbackScope(kind=RollbackScopeKind(row.scope_kind), id=row.scope_id),
        status=RollbackStatus(row.status),
        reason=row.reason,
        requested_by=Actor.model_validate(row.requested_by),
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        steps=found,
    )

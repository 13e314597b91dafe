"""Rollbacks: what was undone, what is being undone, what needs a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import NotFound
from assent.domain.people import Actor
from assent.domain.rollback_approval import RollbackRules, RollbackVerb, RollbackVote
from assent.domain.rollback_scopes import RollbackScope
from assent.domain.rollbacks import RollbackPlan, RollbackStatus, RollbackTotals
from assent.domain.undo_steps import UndoStep
from assent.store.queries.paging import FIRST, Order, Page, PageRequest
from assent.store.queries.scratch import not_of_drills
from assent.store.rollback_plans import scope_of, totals_of
from assent.store.tables import RollbackRow, RollbackStepRow, RollbackVoteRow
from assent.store.undos import Tally, tally

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
    """A rollback or a preview.

    Attributes:
        id: Its id.
        scope: What is rolled back.
        status: Where it is in its life.
        reason: Why.
        requested_by: Who asked for it.
        requested_at: When.
        finished_at: When it ended.
        steps: Its effects, newest first, at most :data:`STEPS_SHOWN`; only filled by :func:`one`.
        message: Why it was refused, or what has changed since the preview.
        totals: What its plan adds up to, as far as it is written.
        digest: Of its plan; empty until that is complete.
        complete: All of its plan is written.
        preview_id: The preview that bound it; empty if none did.
        rules: Who must agree to it, where somebody must.
        expires_at: How long they have.
        held_by: Who holds it.
        held_at: Since when.
        round: How often what was left was tried again.
        counts: How many of its effects have come to what; not filled in lists.
    """

    id: str
    scope: RollbackScope
    status: RollbackStatus
    reason: str
    requested_by: Actor
    requested_at: datetime
    finished_at: datetime | None
    steps: tuple[StepView, ...] = ()
    message: str = ""
    totals: RollbackTotals = field(default_factory=RollbackTotals)
    digest: str = ""
    complete: bool = True
    preview_id: str = ""
    rules: RollbackRules | None = None
    expires_at: datetime | None = None
    held_by: Actor | None = None
    held_at: datetime | None = None
    round: int = 0
    counts: Tally = field(default_factory=Tally)

    @property
    def undone(self) -> int:
        """Effects undone so far."""
        return self.counts.undone

    @property
    def left(self) -> int:
        """Effects that need a person so far."""
        return self.counts.left

    @property
    def needs(self) -> str:
        """Who must agree to it, in words; empty if nobody must."""
        return self.rules.words if self.rules else ""


_ROLLBACKS = Order("rollbacks", [col(RollbackRow.requested_at), col(RollbackRow.id)])
_REAL = col(RollbackRow.status) != RollbackStatus.PREVIEW.value


def page(session: Session, *, status: RollbackStatus | None = None, request: PageRequest = FIRST) -> Page[RollbackView]:
    """All rollbacks, or those of one status, newest first, without their steps, previews and those of drills."""
    wanted = _REAL if status is None else col(RollbackRow.status) == status.value
    chosen = select(RollbackRow).where(wanted, not_of_drills(col(RollbackRow.scope_id)))
    rows = session.execute(_ROLLBACKS.window(chosen, request)).scalars().all()
    return _ROLLBACKS.page(rows, request, _view)


def of_scope(session: Session, scope_id: str, *, limit: int = 50) -> tuple[RollbackView, ...]:
    """Rollbacks of one action or run, newest first, without their steps and without previews."""
    wanted = select(RollbackRow).where(col(RollbackRow.scope_id) == scope_id, _REAL).limit(limit)
    rows = session.execute(wanted).scalars()
    return tuple(_view(row) for row in sorted(rows, key=lambda row: (row.requested_at, row.id), reverse=True))


def awaiting(session: Session, *, request: PageRequest = FIRST) -> Page[RollbackView]:
    """Rollbacks that await approval, newest first, without their steps."""
    return page(session, status=RollbackStatus.AWAITING, request=request)


def votes(session: Session, rollback_id: str) -> tuple[RollbackVote, ...]:
    """What people said of a rollback that awaits or awaited approval, the first one first."""
    rows = session.execute(select(RollbackVoteRow).where(col(RollbackVoteRow.rollback_id) == rollback_id)).scalars()
    said = [
        RollbackVote(verb=RollbackVerb(row.verb), by=Actor.model_validate(row.by), at=row.at, reason=row.reason)
        for row in rows
    ]
    return tuple(sorted(said, key=lambda vote: vote.at))


def plan(session: Session, rollback_id: str, *, limit: int = STEPS_SHOWN) -> RollbackPlan | None:
    """A rollback's or preview's plan with its first steps; ``None`` if there is none of that id."""
    row = session.get(RollbackRow, rollback_id)
    if row is None:
        return None
    return RollbackPlan(
        rollback_id=row.id,
        scope=scope_of(row),
        steps=[view.step for view in steps(session, rollback_id, limit=limit)],
        totals=totals_of(row),
        digest=row.digest if row.complete else "",
        complete=row.complete,
    )


def header(session: Session, rollback_id: str) -> RollbackView:
    """One rollback or preview without its steps.

    Raises:
        NotFound: There is no such rollback.
    """
    row = session.get(RollbackRow, rollback_id)
    if row is None:
        raise NotFound(f"There is no rollback {rollback_id!r}.", where="rollback_id")
    return _view(row, counts=tally(session, rollback_id))


def one(session: Session, rollback_id: str) -> RollbackView:
    """One rollback or preview with its steps.

    Raises:
        NotFound: There is no such rollback.
    """
    row = session.get(RollbackRow, rollback_id)
    if row is None:
        raise NotFound(f"There is no rollback {rollback_id!r}.", where="rollback_id")
    return _view(row, steps(session, rollback_id), tally(session, rollback_id))


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


def _view(row: RollbackRow, found: tuple[StepView, ...] = (), counts: Tally | None = None) -> RollbackView:
    return RollbackView(
        id=row.id,
        scope=scope_of(row),
        status=RollbackStatus(row.status),
        reason=row.reason,
        requested_by=Actor.model_validate(row.requested_by),
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        steps=found,
        message=row.message,
        totals=totals_of(row),
        digest=row.digest if row.complete else "",
        complete=row.complete,
        preview_id=row.preview_id,
        rules=RollbackRules.model_validate(row.rules) if row.rules else None,
        expires_at=row.expires_at,
        held_by=Actor.model_validate(row.held_by) if row.held_by else None,
        held_at=row.held_at,
        round=row.round,
        counts=counts or Tally(),
    )

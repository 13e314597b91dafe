"""The steps of a rollback or a preview, page by page and kind by kind, and how far it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.undo_steps import StepOutcome, Undoable, UndoStep
from assent.store.queries.paging import FIRST, Order, Page, PageRequest
from assent.store.tables import RollbackStepRow

LATELY = 200
"""Steps by which it is told how fast a rollback goes."""


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """One effect in a rollback.

    Attributes:
        ordinal: Its place in the order of undoing.
        step: What is undone, and what came of it.
        outcome: As what it is counted.
        finished_at: When it was tried last.
    """

    ordinal: int
    step: UndoStep
    outcome: StepOutcome
    finished_at: datetime | None


_STEPS = Order("rollback-steps", [col(RollbackStepRow.ordinal)], descending=False)


def page(
    session: Session,
    rollback_id: str,
    *,
    verdict: Undoable | None = None,
    outcome: StepOutcome | None = None,
    request: PageRequest = FIRST,
) -> Page[PlacedStep]:
    """Steps in the order of undoing, of one verdict or one outcome if wanted."""
    wanted = select(RollbackStepRow).where(col(RollbackStepRow.rollback_id) == rollback_id)
    if verdict is not None:
        wanted = wanted.where(col(RollbackStepRow.verdict) == verdict.value)
    if outcome is not None:
        wanted = wanted.where(col(RollbackStepRow.outcome) == outcome.value)
    rows = session.execute(_STEPS.window(wanted, request)).scalars().all()
    return _STEPS.page(rows, request, _placed)


def some(session: Session, rollback_id: str, ordinals: Collection[int]) -> tuple[PlacedStep, ...]:
    """The steps with these ordinals, in order; those that are not there are left out."""
    rows = session.execute(
        select(RollbackStepRow)
        .where(col(RollbackStepRow.rollback_id) == rollback_id, col(RollbackStepRow.ordinal).in_(ordinals))
        .order_by(col(RollbackStepRow.ordinal))
    ).scalars()
    return tuple(_placed(row) for row in rows)


def outcomes(session: Session, rollback_id: str) -> dict[StepOutcome, int]:
    """How many steps have come to what; reads the index of this rollback's outcomes, not the steps."""
    rows = session.execute(
        select(col(RollbackStepRow.outcome), func.count())
        .where(col(RollbackStepRow.rollback_id) == rollback_id)
        .group_by(col(RollbackStepRow.outcome))
    )
    return {StepOutcome(outcome): count for outcome, count in rows}


def lately(session: Session, rollback_id: str) -> list[datetime]:
    """When the latest steps were undone, at most :data:`LATELY`: they are undone in the order of their places."""
    rows = session.execute(
        select(col(RollbackStepRow.finished_at))
        .where(
            col(RollbackStepRow.rollback_id) == rollback_id,
            col(RollbackStepRow.outcome) == StepOutcome.UNDONE.value,
        )
        .order_by(col(RollbackStepRow.ordinal).desc())
        .limit(LATELY)
    ).scalars()
    return [at for at in rows if at is not None]


def _placed(row: RollbackStepRow) -> PlacedStep:
    return PlacedStep(
        ordinal=row.ordinal,
        step=UndoStep.model_validate(row.step),
        outcome=StepOutcome(row.outcome),
        finished_at=row.finished_at,
    )

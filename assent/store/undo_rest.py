"""Steps of a rollback that were left for people."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import Conflict, NotFound
from assent.domain.undo_steps import Settled, StepOutcome, UndoStep
from assent.store import undos
from assent.store.tables import RollbackStepRow

_PAGE = 500


def open_again(session: Session, rollback_id: str, ordinals: Sequence[int]) -> int:
    """Let steps that were left be tried again, with as many attempts as at first.

    Args:
        session: A writing one.
        rollback_id: The rollback.
        ordinals: Their places; none means all that are left.

    Returns:
        How many there are.

    Raises:
        NotFound: One of them is not a step that was left.
    """
    count, after = 0, -1
    while rows := _left(session, rollback_id, ordinals, after):
        for row in rows:
            step = UndoStep.model_validate(row.step).model_copy(update={"status": None, "why": ""})
            row.step, row.outcome, row.finished_at = step.model_dump(mode="json"), StepOutcome.OPEN.value, None
        undos.forget_attempts(session, rollback_id, [row.action_id for row in rows])
        count, after = count + len(rows), rows[-1].ordinal
        session.flush()
    if ordinals and count < len(set(ordinals)):
        raise NotFound(
            "Not all of these steps were left.", where="ordinals", todo="Name only steps that need a person."
        )
    return count


def settle(session: Session, rollback_id: str, ordinal: int, said: Settled) -> UndoStep:
    """Close a step that was left, with a person's word.

    Raises:
        NotFound: There is no such step.
        Conflict: It was not left, or is closed already.
    """
    row = session.get(RollbackStepRow, (rollback_id, ordinal), with_for_update=True)
    if row is None:
        raise NotFound(f"There is no step {ordinal} in {rollback_id}.", where="ordinal")
    if row.outcome != StepOutcome.LEFT.value:
        raise Conflict(
            f"Step {ordinal} is {row.outcome}; only one that was left for a person can be closed by one.",
            where="ordinal",
            todo="Nothing was changed.",
        )
    step = UndoStep.model_validate(row.step).model_copy(update={"settled": said})
    row.step, row.outcome = step.model_dump(mode="json"), StepOutcome.SETTLED.value
    return step


def _left(session: Session, rollback_id: str, ordinals: Sequence[int], after: int) -> list[RollbackStepRow]:
    wanted = select(RollbackStepRow).where(
        col(RollbackStepRow.rollback_id) == rollback_id,
        col(RollbackStepRow.outcome) == StepOutcome.LEFT.value,
        col(RollbackStepRow.ordinal) > after,
    )
    if ordinals:
        wanted = wanted.where(col(RollbackStepRow.ordinal).in_(ordinals))
    return list(session.execute(wanted.order_by(col(RollbackStepRow.ordinal)).limit(_PAGE)).scalars())

"""Effects of a preview or a rollback, laid out for a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from assent.domain.effects import UndoStatus
from assent.domain.undo_steps import StepOutcome, Undoable, UndoStep
from assent.store.queries.rollback_steps import PlacedStep
from assent_ui.rendering.records import RecordRows, records


@dataclass(frozen=True, slots=True)
class StepRow:
    """One effect.

    Attributes:
        ordinal: Its place in the order of undoing.
        step: What is undone, and what came of it.
        state: What its mark says: in a preview the verdict, else what came of it.
        run_id: The action's run.
        key: The action's name in it.
        records: What undoing changes.
        finished_at: When it was tried last.
        selectable: It is left for a person.
    """

    ordinal: int
    step: UndoStep
    state: Undoable | UndoStatus | StepOutcome
    run_id: str
    key: str
    records: list[RecordRows]
    finished_at: datetime | None
    selectable: bool


def lay_out(placed: Iterable[PlacedStep]) -> list[StepRow]:
    """The rows of a page."""
    return [_row(each) for each in placed]


def _row(placed: PlacedStep) -> StepRow:
    step = placed.step
    run_id, _, key = step.action_id.rpartition(":")
    return StepRow(
        ordinal=placed.ordinal,
        step=step,
        state=_state(placed),
        run_id=run_id,
        key=key,
        records=records(step.changes),
        finished_at=placed.finished_at,
        selectable=placed.outcome is StepOutcome.LEFT,
    )


def _state(placed: PlacedStep) -> Undoable | UndoStatus | StepOutcome:
    """A person's word stands over what came of it, and that over the verdict."""
    if placed.outcome is StepOutcome.SETTLED:
        return placed.outcome
    return placed.step.status or placed.step.verdict

"""Undos in the database: claimed at most once, ended by an outcome; and the steps of the rollback they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.effects import ResourceChange, UndoStatus
from assent.domain.rollbacks import RollbackStatus
from assent.domain.undo_steps import StepOutcome, UndoStep
from assent.store import claims, statements
from assent.store.statements import rows_changed
from assent.store.tables import RollbackRow, RollbackStepRow, UndoRow

_steps, _undos, _rollbacks = (statements.table_of(row) for row in (RollbackStepRow, UndoRow, RollbackRow))
_CLAIM = statements.Prepared(insert(_undos))
_STANDING = select(_undos).where(_undos.c.action_id == bindparam("for_action"))
# Shared, so that claims do not wait for each other, and holding the rollback waits for those that saw it run.
_STATUS = select(_rollbacks.c.status).where(_rollbacks.c.id == bindparam("for_rollback")).with_for_update(read=True)
_FINISH = statements.Prepared(
    update(_undos)
    .where(
        _undos.c.action_id == bindparam("for_action"),
        _undos.c.holder == bindparam("for_holder"),
        _undos.c.status != UndoStatus.UNDONE.value,
    )
    .values({name: bindparam(name) for name in ("status", "finished_at", "changes", "message")})
)
_FINISH_STEP = statements.Prepared(
    update(_steps)
    .where(_steps.c.rollback_id == bindparam("for_rollback"), _steps.c.ordinal == bindparam("for_ordinal"))
    .values({name: bindparam(name) for name in ("step", "verdict", "outcome", "finished_at")})
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Why an undo could not be claimed: it is undone, somebody else is at it, or its rollback does not run now."""

    status: UndoStatus | None
    rollback_id: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """How many steps of a rollback have come to what."""

    open: int = 0
    undone: int = 0
    left: int = 0
    settled: int = 0
    skipped: int = 0

    @property
    def steps(self) -> int:
        """All of them."""
        return self.open + self.undone + self.left + self.settled + self.skipped

    @property
    def finished(self) -> int:
        """Those that were tried, or needed nothing."""
        return self.steps - self.open


def claim_undo(
    session: Session, *, action_id: str, rollback_id: str, holder: str, lease_until: datetime, at: datetime
) -> Standing | None:
    """Claim the undo of an effect, for a rollback that runs.

    Returns:
        ``None`` if it is claimed now; else what stands in the way.
    """
    status = session.execute(_STATUS, {"for_rollback": rollback_id}).scalar_one_or_none()
    if status != RollbackStatus.RUNNING.value:
        return Standing(None, rollback_id, held=True)
    row = session.execute(_STANDING, {"for_action": action_id}).one_or_none()
    fresh = {"rollback_id": rollback_id, "status": UndoStatus.CLAIMED.value, "holder": holder, "message": ""}
    if row is None:
        new = {"action_id": action_id, "lease_until": lease_until, "claimed_at": at, "changes": [], "attempts": 1}
        _CLAIM.run(session, {**new, **fresh})
        return None
    lives = row.status == UndoStatus.CLAIMED.value and row.lease_until > at
    if lives or row.status == UndoStatus.UNDONE.value:
        return Standing(UndoStatus(row.status), row.rollback_id)
    tried = row.attempts if row.rollback_id == rollback_id else 0
    taken = session.execute(
        update(UndoRow)
        .where(
            col(UndoRow.action_id) == action_id,
            col(UndoRow.holder) == row.holder,
            col(UndoRow.status) == row.status,
        )
        .values(lease_until=lease_until, claimed_at=at, attempts=tried + 1, **fresh)
    )
    return None if rows_changed(taken) else Standing(UndoStatus.CLAIMED, row.rollback_id)


def renew(session: Session, action_ids: Iterable[str], *, holder: str, lease_until: datetime) -> None:
    """Prolong the leases of undos that a holder is at."""
    session.execute(
        update(UndoRow)
        .where(
            col(UndoRow.action_id).in_(list(action_ids)),
            col(UndoRow.holder) == holder,
            col(UndoRow.status) == UndoStatus.CLAIMED.value,
        )
        .values(lease_until=lease_until)
    )


def attempts(session: Session, action_id: str) -> int:
    """How often the rollback that claims an undo now has tried it, this time included."""
    return session.execute(select(col(UndoRow.attempts)).where(col(UndoRow.action_id) == action_id)).scalar_one()


def forget_attempts(session: Session, rollback_id: str, action_ids: Sequence[str]) -> None:
    """Let undos of a rollback be tried as often as at first."""
    session.execute(
        update(UndoRow)
        .where(col(UndoRow.action_id).in_(action_ids), col(UndoRow.rollback_id) == rollback_id)
        .values(attempts=0)
    )


def finish_undo(
    session: Session,
    *,
    action_id: str,
    holder: str,
    status: UndoStatus,
    changes: Sequence[ResourceChange],
    message: str,
    at: datetime,
) -> bool:
    """Record what came of an undo; false if somebody else holds it now."""
    values = {
        "for_action": action_id,
        "for_holder": holder,
        "status": status.value,
        "finished_at": at,
        "changes": [change.model_dump(mode="json") for change in changes],
        "message": message,
    }
    done = _FINISH.run(session, values) > 0
    if done and status is UndoStatus.UNDONE:
        claims.touch(session, action_id, changes, at=at, undo=True)
    return done


def next_steps(session: Session, rollback_id: str, limit: int, *, after: int = -1) -> list[tuple[int, UndoStep]]:
    """The next steps of a rollback that were not tried, in the order of undoing, after an ordinal."""
    rows = session.execute(
        select(col(RollbackStepRow.ordinal), col(RollbackStepRow.step))
        .where(
            col(RollbackStepRow.rollback_id) == rollback_id,
            col(RollbackStepRow.outcome) == StepOutcome.OPEN.value,
            col(RollbackStepRow.ordinal) > after,
        )
        .order_by(col(RollbackStepRow.ordinal))
        .limit(limit)
    ).all()
    return [(ordinal, UndoStep.model_validate(step)) for ordinal, step in rows]


def finish_step(session: Session, rollback_id: str, ordinal: int, step: UndoStep, *, at: datetime) -> None:
    """Record what came of a step."""
    finish_steps(session, rollback_id, [(ordinal, step)], at=at)


def finish_steps(session: Session, rollback_id: str, finished: Sequence[tuple[int, UndoStep]], *, at: datetime) -> None:
    """Record what came of several steps."""
    rows: list[dict[str, Any]] = [
        {
            "for_rollback": rollback_id,
            "for_ordinal": ordinal,
            "step": step.model_dump(mode="json"),
            "verdict": step.verdict.value,
            "outcome": outcome_of(step).value,
            "finished_at": at,
        }
        for ordinal, step in finished
    ]
    if rows:
        _FINISH_STEP.run(session, *rows)


def outcome_of(step: UndoStep) -> StepOutcome:
    """What a step that was tried counts as."""
    if step.settled is not None:
        return StepOutcome.SETTLED
    if step.status is UndoStatus.UNDONE:
        return StepOutcome.UNDONE
    return StepOutcome.SKIPPED if step.verdict.needs_nothing else StepOutcome.LEFT


def tally(session: Session, rollback_id: str) -> Tally:
    """How many steps of a rollback have come to what; reads one index."""
    rows = session.execute(
        select(col(RollbackStepRow.outcome), func.count())
        .where(col(RollbackStepRow.rollback_id) == rollback_id)
        .group_by(col(RollbackStepRow.outcome))
    ).all()
    return Tally(**dict(rows))

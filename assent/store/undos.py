"""Undos and rollbacks in the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.effects import EffectStatus, ResourceChange, UndoStatus
from assent.domain.rollbacks import RollbackRequest, RollbackScope, RollbackScopeKind, RollbackStatus, UndoStep
from assent.store import claims
from assent.store.statements import rows_changed
from assent.store.tables import ActionRow, EffectRow, RollbackRow, RollbackStepRow, UndoRow

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect as a rollback sees it."""

    action_id: str
    run_id: str
    agent: str
    type: str
    sentence: str
    arguments: dict[str, Json]
    status: EffectStatus
    finished_at: datetime | None
    changes: list[ResourceChange]
    undo_data: Json
    undone: UndoStatus | None


def effects_in(session: Session, scope: RollbackScope) -> Iterator[Effect]:
    """Effects in scope, newest first; those that failed had none and are left out."""
    match scope.kind:
        case RollbackScopeKind.ACTION:
            within = col(EffectRow.action_id) == scope.id
        case RollbackScopeKind.RUN:
            within = col(EffectRow.run_id) == scope.id
    statement = (
        select(EffectRow, ActionRow, col(UndoRow.status))
        .join(ActionRow, col(ActionRow.action_id) == col(EffectRow.action_id))
        .join(UndoRow, col(UndoRow.action_id) == col(EffectRow.action_id), isouter=True)
        .where(within, col(EffectRow.status) != EffectStatus.FAILED.value)
        .order_by(col(EffectRow.finished_at).desc(), col(EffectRow.claimed_at).desc(), col(EffectRow.action_id).desc())
        .execution_options(yield_per=_PAGE)
    )
    for effect, action, undone in session.execute(statement):
        yield _effect(effect, action, undone)


def effect_of(session: Session, action_id: str) -> Effect | None:
    """The effect of one action."""
    return next(effects_in(session, RollbackScope(kind=RollbackScopeKind.ACTION, id=action_id)), None)


def _effect(effect: EffectRow, action: ActionRow, undone: str | None) -> Effect:
    return Effect(
        effect.action_id,
        effect.run_id,
        effect.agent,
        effect.type,
        action.sentence,
        action.arguments,
        EffectStatus(effect.status),
        effect.finished_at,
        [ResourceChange.model_validate(change) for change in effect.changes],
        effect.undo_data,
        UndoStatus(undone) if undone else None,
    )


def write_rollback(
    session: Session, request: RollbackRequest, steps: Sequence[UndoStep], *, status: RollbackStatus, at: datetime
) -> bool:
    """Write a rollback or preview with its steps; false if it is written already."""
    if session.get(RollbackRow, request.rollback_id) is not None:
        return False
    session.execute(
        insert(RollbackRow).values(
            id=request.rollback_id,
            scope_kind=request.scope.kind.value,
            scope_id=request.scope.id,
            status=status.value,
            reason=request.reason,
            requested_by=request.by.model_dump(mode="json"),
            requested_at=request.requested_at,
            finished_at=at if status is RollbackStatus.PREVIEW else None,
        )
    )
    rows = [
        {
            "rollback_id": request.rollback_id,
            "ordinal": ordinal,
            "action_id": step.action_id,
            "step": step.model_dump(mode="json"),
        }
        for ordinal, step in enumerate(steps)
    ]
    if rows:
        session.execute(insert(RollbackStepRow), rows)
    return True


def untried(session: Session, rollback_id: str, limit: int) -> list[tuple[int, UndoStep]]:
    """The next steps of a rollback that were not tried, newest effect first."""
    rows = session.execute(
        select(RollbackStepRow)
        .where(col(RollbackStepRow.rollback_id) == rollback_id, col(RollbackStepRow.finished_at).is_(None))
        .order_by(col(RollbackStepRow.ordinal))
        .limit(limit)
    ).scalars()
    return [(row.ordinal, UndoStep.model_validate(row.step)) for row in rows]


def finish_step(session: Session, rollback_id: str, ordinal: int, step: UndoStep, *, at: datetime) -> None:
    """Record what came of a step."""
    session.execute(
        update(RollbackStepRow)
        .where(col(RollbackStepRow.rollback_id) == rollback_id, col(RollbackStepRow.ordinal) == ordinal)
        .values(step=step.model_dump(mode="json"), finished_at=at)
    )


def tally(session: Session, rollback_id: str) -> tuple[int, int, int]:
    """How many steps are undone, left for a person, and not tried."""
    rows = session.execute(
        select(RollbackStepRow)
        .where(col(RollbackStepRow.rollback_id) == rollback_id)
        .execution_options(yield_per=_PAGE)
    ).scalars()
    undone = left = untried = 0
    for row in rows:
        status = row.step.get("status")
        if row.finished_at is None:
            untried += 1
        elif status == UndoStatus.UNDONE.value:
            undone += 1
        elif row.step.get("verdict") not in ("nothing", "already"):
            left += 1
    return undone, left, untried


def finish_rollback(
    session: Session, rollback_id: str, status: RollbackStatus, *, at: datetime
) -> RollbackScope | None:
    """Record how a rollback ended, and give its scope; ``None`` if it was recorded already."""
    row = session.get(RollbackRow, rollback_id, with_for_update=True)
    if row is None or row.finished_at is not None:
        return None
    row.status, row.finished_at = status.value, at
    return RollbackScope(kind=RollbackScopeKind(row.scope_kind), id=row.scope_id)


def claim_undo(
    session: Session, *, action_id: str, rollback_id: str, holder: str, lease_until: datetime, at: datetime
) -> UndoRow | None:
    """Claim the undo of an effect.

    Returns:
        ``None`` if it is claimed now; else the row that stands: undone, or claimed by somebody whose lease runs.
    """
    row = session.get(UndoRow, action_id)
    fresh = {"rollback_id": rollback_id, "status": UndoStatus.CLAIMED.value, "holder": holder, "message": ""}
    if row is None:
        session.execute(
            insert(UndoRow).values(action_id=action_id, lease_until=lease_until, claimed_at=at, changes=[], **fresh)
        )
        return None
    lives = row.status == UndoStatus.CLAIMED.value and row.lease_until > at
    if lives or row.status == UndoStatus.UNDONE.value:
        return row
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
    return None if rows_changed(taken) else row


def attempts(session: Session, action_id: str) -> int:
    """How often the rollback that claims an undo now has tried it, this time included."""
    return session.execute(select(col(UndoRow.attempts)).where(col(UndoRow.action_id) == action_id)).scalar_one()


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
    done = session.execute(
        update(UndoRow)
        .where(col(UndoRow.action_id) == action_id, col(UndoRow.holder) == holder)
        .values(
            status=status.value,
            finished_at=at,
            changes=[change.model_dump(mode="json") for change in changes],
            message=message,
        )
    )
    if rows_changed(done) and status is UndoStatus.UNDONE:
        claims.touch(session, action_id, changes, at=at, undo=True)
    return rows_changed(done) > 0


def forget_old_previews(session: Session, *, before: datetime) -> int:
    """Delete previews that nobody looks at any more."""
    old = select(col(RollbackRow.id)).where(
        col(RollbackRow.status) == RollbackStatus.PREVIEW.value, col(RollbackRow.requested_at) < before
    )
    session.execute(delete(RollbackStepRow).where(col(RollbackStepRow.rollback_id).in_(old)))
    done = session.execute(delete(RollbackRow).where(col(RollbackRow.id).in_(old)))
    return rows_changed(done)

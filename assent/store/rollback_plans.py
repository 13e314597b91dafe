"""Plans of rollbacks: written page by page, so that a large one is looked at while it grows, and goes on if broken off.

A plan's digest is a chain: SHA-256 over the digest before and the canonical JSON of the next step, from that of the
scope on. So it says the same whatever pages it was written in, and whoever goes on needs nothing but the row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json, stable_text
from assent.domain.people import Actor
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackRequest, RollbackStatus, RollbackTotals
from assent.domain.undo_steps import StepOutcome, UndoStep
from assent.store import statements
from assent.store.scoped_effects import Position
from assent.store.statements import rows_changed
from assent.store.tables import RollbackRow, RollbackStepRow
from assent.store.types import in_utc

_STEP = statements.Prepared(insert(statements.table_of(RollbackStepRow)))


@dataclass(frozen=True, slots=True)
class PlanState:
    """How far a plan is written.

    Attributes:
        status: Of the rollback or preview it belongs to.
        complete: All of it is written.
        begun: Some of it is written.
        position: Where in the scope it goes on.
        digest: The chain so far; the plan's digest once complete.
        totals: What it adds up to so far.
    """

    status: RollbackStatus
    complete: bool
    begun: bool
    position: Position | None
    digest: str
    totals: RollbackTotals


def create(session: Session, request: RollbackRequest, *, status: RollbackStatus, known: bool) -> bool:
    """Write the row of a rollback or preview, its plan still empty; false if it is there already."""
    if session.get(RollbackRow, request.rollback_id) is not None:
        return False
    scope = request.scope
    session.execute(
        insert(RollbackRow).values(
            id=request.rollback_id,
            scope_kind=scope.kind.value,
            scope_id=scope.id,
            since=scope.since,
            until=scope.until,
            with_later=scope.with_later,
            status=status.value,
            reason=request.reason,
            message="",
            requested_by=request.by.model_dump(mode="json"),
            requested_at=request.requested_at,
            preview_id=request.preview_id,
            digest=scope_digest(scope),
            complete=False,
            totals=RollbackTotals().model_dump(mode="json"),
            round=request.round,
            known=known,
        )
    )
    return True


def state(session: Session, rollback_id: str) -> PlanState | None:
    """How far a plan is written; ``None`` if there is no such rollback or preview."""
    row = session.get(RollbackRow, rollback_id)
    if row is None:
        return None
    position = row.position or {}
    at = position.get("at")
    return PlanState(
        status=RollbackStatus(row.status),
        complete=row.complete,
        begun=row.position is not None,
        position=Position(datetime.fromisoformat(at), position["action_id"]) if at else None,
        digest=row.digest,
        totals=totals_of(row),
    )


def add_page(
    session: Session,
    rollback_id: str,
    so_far: PlanState,
    steps: Sequence[UndoStep],
    *,
    position: Position | None,
    complete: bool,
) -> PlanState | None:
    """Write the next steps of a plan.

    Args:
        session: A writing one.
        rollback_id: Whose plan.
        so_far: As the plan was when these steps were looked at.
        steps: In the order of undoing.
        position: Where in the scope they end.
        complete: They are the last ones.

    Returns:
        The plan as it is now; ``None`` if somebody else went on with it meanwhile, or it was given up.
    """
    totals, digest = so_far.totals.model_copy(deep=True), so_far.digest
    first = totals.steps
    for step in steps:
        totals.add(step)
        digest = next_digest(digest, step)
    here: Json = {"at": position.at.isoformat(), "action_id": position.action_id} if position else {}
    done = session.execute(
        update(RollbackRow)
        .where(
            col(RollbackRow.id) == rollback_id,
            col(RollbackRow.digest) == so_far.digest,
            ~col(RollbackRow.complete),
            col(RollbackRow.status) == so_far.status.value,
        )
        .values(digest=digest, totals=totals.model_dump(mode="json"), position=here, complete=complete)
    )
    if not rows_changed(done):
        return None
    if steps:
        _STEP.run(session, *(_row(rollback_id, first + place, step) for place, step in enumerate(steps)))
    return PlanState(so_far.status, complete, True, position, digest, totals)


def planned(session: Session, rollback_id: str, action_ids: Sequence[str]) -> dict[str, UndoStep]:
    """What a plan says of some actions, by id; those that it does not have are left out."""
    if not action_ids:
        return {}
    rows = session.execute(
        select(col(RollbackStepRow.step)).where(
            col(RollbackStepRow.rollback_id) == rollback_id, col(RollbackStepRow.action_id).in_(action_ids)
        )
    ).scalars()
    return {step.action_id: step for step in map(UndoStep.model_validate, rows)}


def scope_digest(scope: RollbackScope) -> str:
    """Where the chain of a plan begins."""
    utc = {name: at and in_utc(at) for name, at in (("since", scope.since), ("until", scope.until))}
    return _sha256(stable_text(scope.model_copy(update=utc).model_dump(mode="json")))


def next_digest(before: str, step: UndoStep) -> str:
    """The chain with one more step: its action, verdict and expected changes."""
    seen = {
        "action": step.action_id,
        "verdict": step.verdict.value,
        "changes": [change.model_dump(mode="json") for change in step.changes],
    }
    return _sha256(before + stable_text(seen))


def scope_of(row: RollbackRow) -> RollbackScope:
    """What a rollback is of."""
    return RollbackScope(
        kind=RollbackScopeKind(row.scope_kind),
        id=row.scope_id,
        since=row.since,
        until=row.until,
        with_later=row.with_later,
    )


def request_of(row: RollbackRow) -> RollbackRequest:
    """What its workflow is given."""
    return RollbackRequest(
        rollback_id=row.id,
        scope=scope_of(row),
        by=Actor.model_validate(row.requested_by),
        reason=row.reason,
        requested_at=row.requested_at,
        preview_id=row.preview_id,
        round=row.round,
    )


def totals_of(row: RollbackRow) -> RollbackTotals:
    """What its plan adds up to; nothing is known of one that is older than totals."""
    return RollbackTotals.model_validate(row.totals or {})


def forget_old_previews(session: Session, *, before: datetime) -> int:
    """Delete previews that nobody looks at any more."""
    old = select(col(RollbackRow.id)).where(
        col(RollbackRow.status) == RollbackStatus.PREVIEW.value, col(RollbackRow.requested_at) < before
    )
    session.execute(delete(RollbackStepRow).where(col(RollbackStepRow.rollback_id).in_(old)))
    return rows_changed(session.execute(delete(RollbackRow).where(col(RollbackRow.id).in_(old))))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _row(rollback_id: str, ordinal: int, step: UndoStep) -> dict[str, object]:
    return {
        "rollback_id": rollback_id,
        "ordinal": ordinal,
        "action_id": step.action_id,
        "verdict": step.verdict.value,
        "outcome": StepOutcome.OPEN.value,
        "step": step.model_dump(mode="json"),
    }

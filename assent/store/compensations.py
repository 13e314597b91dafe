"""Runs that a compensating pause rolls back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.effects import EffectStatus
from assent.domain.pauses import Disposition
from assent.domain.people import Actor
from assent.store import ledger
from assent.store.pause_progress import OPEN_RUNS
from assent.store.pause_rows import required, subject_of
from assent.store.pause_scopes import scope_of, within
from assent.store.tables import EffectRow, PauseRollbackRow, RunRow

_HAPPENED = [EffectStatus.DONE.value, EffectStatus.UNKNOWN.value]


@dataclass(frozen=True, slots=True)
class Compensation:
    """A run to roll back, the id of its rollback, and in whose name."""

    run_id: str
    rollback_id: str
    by: Actor


def plan(session: Session, pause_id: str, *, at: datetime, name: Callable[[str, str], str]) -> list[Compensation]:
    """Write down which runs are rolled back: those in scope that are open and had an effect there; once, then as it is.

    Args:
        session: The transaction.
        pause_id: The pause.
        at: When.
        name: Gives the rollback's id for a pause and a run, always the same.

    Returns:
        All of them; none if the pause has ended or does not compensate (any more).
    """
    row = required(session, pause_id)
    if not row.active or row.disposition != Disposition.COMPENSATE.value or row.quiesced_at is None:
        return []
    known = select(PauseRollbackRow).where(col(PauseRollbackRow.pause_id) == pause_id)
    if row.compensated_at is None:
        before = {each.run_id for each in session.execute(known).scalars()}
        found = (
            select(col(EffectRow.run_id))
            .distinct()
            .join(RunRow, col(RunRow.run_id) == col(EffectRow.run_id))
            .where(col(RunRow.status).in_(OPEN_RUNS), col(EffectRow.status).in_(_HAPPENED))
            .where(within(EffectRow, scope_of(row)))
        )
        for run_id in session.execute(found).scalars().all():
            if run_id not in before:
                rollback_id = name(pause_id, run_id)
                session.add(PauseRollbackRow(pause_id=pause_id, run_id=run_id, rollback_id=rollback_id, started_at=at))
        session.flush()
    by = Actor.model_validate(row.disposition_by or row.requested_by)
    return [Compensation(each.run_id, each.rollback_id, by) for each in session.execute(known).scalars()]


def effects(session: Session, pause_id: str) -> int:
    """How many effects the rollbacks of a pause are about, over all of its runs."""
    runs = select(col(PauseRollbackRow.run_id)).where(col(PauseRollbackRow.pause_id) == pause_id)
    of_runs = (col(EffectRow.run_id).in_(runs), col(EffectRow.status).in_(_HAPPENED))
    return session.execute(select(func.count()).select_from(EffectRow).where(*of_runs)).scalar_one()


def begun(session: Session, pause_id: str, *, at: datetime) -> None:
    """Write down that the rollbacks of a pause were begun."""
    row = required(session, pause_id)
    if row.compensated_at is not None or row.disposition != Disposition.COMPENSATE.value:
        return
    row.compensated_at = at
    session.flush()
    runs = select(col(PauseRollbackRow.run_id)).where(col(PauseRollbackRow.pause_id) == pause_id)
    body = {"pause": pause_id, "runs": len(session.execute(runs).all())}
    by = Actor.model_validate(row.disposition_by or row.requested_by)
    ledger.append(session, at=at, kind="pause.compensating", actor=by, body=body, **subject_of(scope_of(row)))

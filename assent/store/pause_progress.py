"""How far a pause is: what is still under way in its scope, and since when nothing is any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.pauses import Disposition, PausePhase, PauseProgress, Scope
from assent.domain.people import SYSTEM
from assent.domain.rollbacks import RollbackStatus
from assent.domain.runs import RunStatus
from assent.store import ledger
from assent.store.pause_rows import required, subject_of
from assent.store.pause_scopes import scope_of, under_way, within
from assent.store.pauses import note_claims
from assent.store.tables import ActionRow, PauseRollbackRow, RollbackRow, RunRow

OPEN_RUNS = [status.value for status in RunStatus if not status.ended]
"""Statuses of runs that have not ended."""

_AT_WORK = [RollbackStatus.RUNNING.value, "awaiting", "held"]


def observe(session: Session, pause_id: str, *, at: datetime) -> PauseProgress:
    """Count claims in scope without an outcome, and record when there are none left.

    A pause that drains is quiet only when what was cleared before it has ended, too.

    Raises:
        NotFound: There is no such pause.
    """
    row = required(session, pause_id)
    scope = scope_of(row)
    claims = under_way(session, scope)
    in_flight = len(claims)
    if row.active:
        note_claims(session, pause_id, claims)
    row.in_flight = in_flight
    if row.known_at is None:
        row.known_at, row.affected = at, _open_runs(session, scope)
    still = in_flight
    if row.disposition == Disposition.DRAIN.value and in_flight == 0:
        still = _cleared(session, scope)
    if still == 0 and row.quiesced_at is None and row.active and row.phase != PausePhase.RELEASING.value:
        row.quiesced_at = at
        body = {"pause": pause_id, "seconds": (at - row.requested_at).total_seconds()}
        ledger.append(session, at=at, kind="pause.quiesced", actor=SYSTEM, body=body, **subject_of(scope))
    return PauseProgress(
        in_flight=in_flight,
        resumed=not row.active,
        quiesced=row.quiesced_at is not None,
        disposition=Disposition(row.disposition),
        releasing=row.phase == PausePhase.RELEASING.value,
        compensating=_rolling_back(session, pause_id) if row.compensated_at is not None else 0,
        compensated=row.compensated_at is not None,
    )


def _open_runs(session: Session, scope: Scope) -> int:
    still_open = col(RunRow.status).in_(OPEN_RUNS)
    return session.execute(
        select(func.count()).select_from(RunRow).where(still_open, within(RunRow, scope))
    ).scalar_one()


def _cleared(session: Session, scope: Scope) -> int:
    cleared = col(ActionRow.status) == ActionStatus.CLEARED.value
    return session.execute(
        select(func.count()).select_from(ActionRow).where(cleared, within(ActionRow, scope))
    ).scalar_one()


def _rolling_back(session: Session, pause_id: str) -> int:
    """Rollbacks of a pause that have not ended; one whose worker has not taken it up yet counts."""
    rows = session.execute(
        select(func.count())
        .select_from(PauseRollbackRow)
        .outerjoin(RollbackRow, col(RollbackRow.id) == col(PauseRollbackRow.rollback_id))
        .where(col(PauseRollbackRow.pause_id) == pause_id)
        .where(col(RollbackRow.id).is_(None) | col(RollbackRow.status).in_(_AT_WORK))
    )
    return rows.scalar_one()

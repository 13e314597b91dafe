"""Pauses in the database: the fence that no claim passes.

Pausing and claiming exclude each other: on SQLite both hold the one write lock, on PostgreSQL claims share an advisory
lock that pausing takes alone. So once the pausing transaction has committed, every claim that commits later saw it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import Conflict
from assent.domain.pauses import Disposition, PausePhase, Scope, cause_kept
from assent.domain.people import SYSTEM, Actor
from assent.store import ledger, stop_calls
from assent.store.database import Database, lock_alone
from assent.store.fence import FENCE
from assent.store.pause_rows import in_life, required, subject_of
from assent.store.pause_scopes import UnderWay, held, scope_of, under_way
from assent.store.pause_times import give_time_back
from assent.store.statements import rows_changed
from assent.store.stop_calls import StopEvent
from assent.store.tables import (
    PauseClaimRow,
    PauseReleaseRow,
    PauseRow,
    RunRow,
)


def begin(
    database: Database,
    session: Session,
    *,
    pause_id: str,
    scope: Scope,
    cause: str,
    by: Actor,
    at: datetime,
    disposition: Disposition = Disposition.FREEZE,
    on_behalf_of: Actor | None = None,
) -> None:
    """Write a pause; it is fenced the moment the transaction commits, and knows what was under way then.

    Runs that it compensates are rolled back ``on_behalf_of`` somebody, or else of who pauses.
    """
    database.lock_alone(session, FENCE)
    cause = cause_kept(cause)
    claims = under_way(session, scope)
    session.execute(
        insert(PauseRow).values(
            id=pause_id,
            scope_kind=scope.kind.value,
            scope_name=scope.name,
            active=True,
            cause=cause,
            requested_by=by.model_dump(mode="json"),
            requested_at=at,
            fenced_at=at,
            in_flight=len(claims),
            affected=0,
            resume_note="",
            disposition=disposition.value,
            disposition_by=on_behalf_of.model_dump(mode="json") if on_behalf_of else None,
            phase=PausePhase.HOLDING.value,
        )
    )
    note_claims(session, pause_id, claims)
    body = {"pause": pause_id, "scope": scope.sentence, "cause": cause, "disposition": disposition.value}
    ledger.append(session, at=at, kind="pause.requested", actor=by, body=body, **subject_of(scope))


def end(database: Database, session: Session, *, pause_id: str, note: str, by: Actor, at: datetime) -> None:
    """End a pause and give every pending request in its scope the time back that stood still.

    Raises:
        NotFound: There is no such pause.
        Conflict: It has already ended.
    """
    database.lock_alone(session, FENCE)
    row = required(session, pause_id)
    done = session.execute(
        update(PauseRow)
        .where(col(PauseRow.id) == pause_id, col(PauseRow.active))
        .values(
            active=False,
            phase=PausePhase.ENDED.value,
            resumed_at=at,
            resumed_by=by.model_dump(mode="json"),
            resume_note=note,
        )
    )
    if rows_changed(done) == 0:
        raise Conflict(f"The pause {pause_id} has already ended.", where="pause")
    scope = scope_of(row)
    give_time_back(session, row, at=at)
    body = {"pause": pause_id, "scope": scope.sentence, "note": note}
    ledger.append(session, at=at, kind="pause.resumed", actor=by, body=body, **subject_of(scope))
    stop_calls.follow(session, StopEvent.RESUMED, pause_id, at=at)


def change_disposition(
    database: Database, session: Session, *, pause_id: str, disposition: Disposition, by: Actor, at: datetime
) -> bool:
    """Change what a pause does with the work in its scope; false if it does that already.

    Raises:
        NotFound: There is no such pause.
        Conflict: It has ended, or its runs are being let go or rolled back.
    """
    database.lock_alone(session, FENCE)
    row = in_life(session, pause_id)
    if row.phase == PausePhase.RELEASING.value:
        raise Conflict(f"The pause {pause_id} is letting its runs go already.", where="pause")
    if row.disposition == disposition.value:
        return False
    if row.compensated_at is not None:
        raise Conflict(
            f"The pause {pause_id} is rolling its runs back already.",
            where="disposition",
            todo="Hold their rollbacks instead; each is listed with the pause.",
        )
    before, row.disposition = row.disposition, disposition.value
    row.disposition_at, row.disposition_by = at, by.model_dump(mode="json")
    if before == Disposition.DRAIN.value:
        row.quiesced_at = None
    session.flush()
    body = {"pause": pause_id, "from": before, "to": disposition.value}
    ledger.append(session, at=at, kind="pause.changed", actor=by, body=body, **subject_of(scope_of(row)))
    return True


def ask_to_stop(session: Session, *, pause_id: str, by: Actor, at: datetime) -> int:
    """Ask claims under way in a pause's scope to stop; gives how many were asked that had not been before.

    Raises:
        NotFound: There is no such pause.
        Conflict: It has ended.
    """
    row = in_life(session, pause_id)
    scope = scope_of(row)
    note_claims(session, pause_id, claims := under_way(session, scope))
    asked = session.execute(
        update(PauseClaimRow)
        .where(col(PauseClaimRow.pause_id) == pause_id, col(PauseClaimRow.asked_at).is_(None))
        .where(col(PauseClaimRow.action_id).in_([claim.action_id for claim in claims]))
        .values(asked_at=at)
    )
    asked_now = rows_changed(asked)
    row.asked_to_stop_at = row.asked_to_stop_at or at
    session.flush()
    body = {"pause": pause_id, "claims": asked_now}
    ledger.append(session, at=at, kind="pause.stop_asked", actor=by, body=body, **subject_of(scope))
    return asked_now


def note_claims(session: Session, pause_id: str, claims: Sequence[UnderWay]) -> None:
    """Write down claims that a pause found under way, those that it did not know."""
    if not claims:
        return
    known = select(col(PauseClaimRow.action_id)).where(col(PauseClaimRow.pause_id) == pause_id)
    before = set(session.execute(known).scalars())
    rows = [{"pause_id": pause_id, **asdict(claim)} for claim in claims if claim.action_id not in before]
    if rows:
        session.execute(insert(PauseClaimRow), rows)


def asked_to_stop(session: Session, action_id: str) -> bool:
    """Whether a claim under way was asked to stop by a pause that is in force."""
    found = (
        select(col(PauseClaimRow.pause_id))
        .join(PauseRow, col(PauseRow.id) == col(PauseClaimRow.pause_id))
        .where(col(PauseClaimRow.action_id) == action_id, col(PauseClaimRow.asked_at).is_not(None))
        .where(col(PauseRow.active))
        .limit(1)
    )
    return session.execute(found).first() is not None


def fall_back(session: Session, pause_id: str, why: str, at: datetime) -> bool:
    """Hold every run again that a pause was letting go; false if it lets none go (any more).

    Args:
        session: The transaction; once it has committed, no claim in scope succeeds.
        pause_id: The pause.
        why: In words, for people.
        at: When.

    Raises:
        NotFound: There is no such pause.
    """
    lock_alone(session, FENCE)
    row, why = required(session, pause_id), cause_kept(why)
    if not row.active or row.phase != PausePhase.RELEASING.value:
        return False
    session.execute(
        update(PauseReleaseRow)
        .where(col(PauseReleaseRow.pause_id) == pause_id, col(PauseReleaseRow.taken_back_at).is_(None))
        .values(taken_back_at=at)
    )
    row.phase, row.stage, row.stage_at = PausePhase.HOLDING.value, 0, None
    row.fell_back_at, row.fell_back_why, row.second_by = at, why, None
    row.fenced_at, row.quiesced_at = at, None
    session.flush()
    body = {"pause": pause_id, "why": why}
    ledger.append(session, at=at, kind="pause.fell_back", actor=SYSTEM, body=body, **subject_of(scope_of(row)))
    stop_calls.follow(session, StopEvent.FELL_BACK, pause_id, at=at)
    return True


def held_runs(session: Session, pause_id: str, scope: Scope) -> list[str]:
    """Runs with an action that a pause holds, those first that have waited the longest."""
    return list(dict.fromkeys(each.run_id for each in held(session, pause_id, scope)))


def run_ended(session: Session, run_id: str) -> bool:
    """Whether a run has ended or never began."""
    row = session.get(RunRow, run_id)
    return row is None or row.ended_at is not None

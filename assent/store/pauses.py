"""Pauses in the database: the fence that no claim passes.

Pausing and claiming exclude each other: on SQLite both hold the one write lock, on PostgreSQL claims share an advisory
lock that pausing takes alone. So once the pausing transaction has committed, every claim that commits later saw it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus
from assent.domain.approving import Agenda
from assent.domain.effects import EffectStatus
from assent.domain.errors import Conflict, NotFound
from assent.domain.pauses import PauseProgress, Scope, ScopeKind
from assent.domain.people import SYSTEM, Actor
from assent.domain.runs import RunStatus
from assent.store import asked, ledger
from assent.store.database import Database
from assent.store.statements import rows_changed
from assent.store.tables import ActionRow, ApprovalRow, EffectRow, PauseRow, RunRow

FENCE = 0x4153_4645_4E43
"""Advisory lock on PostgreSQL: shared by claims, alone by pauses."""


@dataclass(frozen=True, slots=True)
class PauseState:
    """A pause as other parts see it."""

    id: str
    scope: Scope
    active: bool
    known: bool
    cause: str
    requested_by: Actor
    requested_at: datetime


def holding(database: Database, session: Session, *, agent: str, run_id: str) -> list[str]:
    """The active pauses that hold a run, read under the fence; call it in the claiming transaction."""
    database.lock_shared(session, FENCE)
    return in_force(session, agent=agent, run_id=run_id)


def in_force(session: Session, *, agent: str, run_id: str) -> list[str]:
    """The active pauses that hold a run, as this session sees them."""
    scope = or_(
        col(PauseRow.scope_kind) == ScopeKind.EVERYTHING.value,
        and_(col(PauseRow.scope_kind) == ScopeKind.AGENT.value, col(PauseRow.scope_name) == agent),
        and_(col(PauseRow.scope_kind) == ScopeKind.RUN.value, col(PauseRow.scope_name) == run_id),
    )
    return list(session.execute(select(col(PauseRow.id)).where(col(PauseRow.active), scope)).scalars())


def begin(
    database: Database, session: Session, *, pause_id: str, scope: Scope, cause: str, by: Actor, at: datetime
) -> None:
    """Write a pause; it is fenced the moment the transaction commits."""
    database.lock_alone(session, FENCE)
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
            in_flight=0,
            affected=0,
            resume_note="",
        )
    )
    body = {"pause": pause_id, "scope": scope.sentence, "cause": cause}
    ledger.append(session, at=at, kind="pause.requested", actor=by, body=body, **_subject(scope))


def end(database: Database, session: Session, *, pause_id: str, note: str, by: Actor, at: datetime) -> None:
    """End a pause and give every pending request in its scope the time back that stood still.

    Raises:
        NotFound: There is no such pause.
        Conflict: It has already ended.
    """
    row = session.get(PauseRow, pause_id)
    if row is None:
        raise NotFound(f"There is no pause {pause_id}.", where="pause", todo="`assent pause list` shows all of them.")
    database.lock_alone(session, FENCE)
    done = session.execute(
        update(PauseRow)
        .where(col(PauseRow.id) == pause_id, col(PauseRow.active))
        .values(active=False, resumed_at=at, resumed_by=by.model_dump(mode="json"), resume_note=note)
    )
    if rows_changed(done) == 0:
        raise Conflict(f"The pause {pause_id} has already ended.", where="pause")
    scope = Scope(kind=ScopeKind(row.scope_kind), name=row.scope_name)
    _give_time_back(session, scope, since=row.requested_at, at=at)
    body = {"pause": pause_id, "scope": scope.sentence, "note": note}
    ledger.append(session, at=at, kind="pause.resumed", actor=by, body=body, **_subject(scope))


def _give_time_back(session: Session, scope: Scope, *, since: datetime, at: datetime) -> None:
    """Move every expiry by the time that this pause alone is left to account for.

    Where another pause still holds a request, that one gives back everything since its own beginning when it ends.
    """
    others = list(session.execute(select(PauseRow).where(col(PauseRow.active))).scalars())
    pending = session.execute(
        select(
            col(ApprovalRow.id),
            col(ApprovalRow.agent),
            col(ApprovalRow.run_id),
            func.coalesce(col(ApprovalRow.revised_at), col(ApprovalRow.created_at)).label("asked_at"),
            col(ApprovalRow.expires_at),
            col(ApprovalRow.due_at),
            col(ApprovalRow.agenda),
        )
        .where(col(ApprovalRow.status) == ApprovalStatus.PENDING.value, _within(ApprovalRow, scope))
        .with_for_update()
    ).all()
    for approval_id, agent, run_id, asked_at, expires_at, due_at, agenda in pending:
        still = [row.requested_at for row in others if state_of(row).scope.covers(agent=agent, run_id=run_id)]
        stood_still = min([at, *still]) - max(since, asked_at)
        if stood_still > timedelta(0):
            later = {"expires_at": expires_at + stood_still, "due_at": due_at and due_at + stood_still}
            if agenda and agenda["steps"]:
                later["agenda"] = Agenda.model_validate(agenda).later(stood_still).model_dump(mode="json")
            session.execute(update(ApprovalRow).where(col(ApprovalRow.id) == approval_id).values(**later))
    asked.follow(session, [row[0] for row in pending])


def observe(session: Session, pause_id: str, *, at: datetime) -> PauseProgress:
    """Count claims in scope without an outcome, and record when there are none left.

    Raises:
        NotFound: There is no such pause.
    """
    row = session.get(PauseRow, pause_id)
    if row is None:
        raise NotFound(f"There is no pause {pause_id}.", where="pause")
    scope = Scope(kind=ScopeKind(row.scope_kind), name=row.scope_name)
    in_flight = session.execute(
        select(func.count())
        .select_from(EffectRow)
        .where(col(EffectRow.status) == EffectStatus.CLAIMED.value, _within(EffectRow, scope))
    ).scalar_one()
    row.in_flight = in_flight
    if row.known_at is None:
        row.known_at, row.affected = at, _open_runs(session, scope)
    if in_flight == 0 and row.quiesced_at is None and row.active:
        row.quiesced_at = at
        body = {"pause": pause_id, "seconds": (at - row.requested_at).total_seconds()}
        ledger.append(session, at=at, kind="pause.quiesced", actor=SYSTEM, body=body, **_subject(scope))
    return PauseProgress(in_flight=in_flight, resumed=not row.active)


def _open_runs(session: Session, scope: Scope) -> int:
    still_open = col(RunRow.status).in_([status.value for status in RunStatus if not status.ended])
    return session.execute(
        select(func.count()).select_from(RunRow).where(still_open, _within(RunRow, scope))
    ).scalar_one()


def held_runs(session: Session, scope: Scope) -> list[str]:
    """Runs in scope with an action that a pause holds."""
    held = col(ActionRow.status) == ActionStatus.HELD.value
    statement = select(col(ActionRow.run_id)).distinct().where(held, _within(ActionRow, scope))
    return list(session.execute(statement).scalars())


def run_ended(session: Session, run_id: str) -> bool:
    """Whether a run has ended or never began."""
    row = session.get(RunRow, run_id)
    return row is None or row.ended_at is not None


def exists(session: Session, pause_id: str) -> bool:
    """Whether there is such a pause, ended or not."""
    return session.get(PauseRow, pause_id) is not None


def unannounced(session: Session) -> list[PauseState]:
    """Active pauses that no workflow has taken up yet, because Temporal was away when they were made."""
    rows = session.execute(select(PauseRow).where(col(PauseRow.active), col(PauseRow.known_at).is_(None))).scalars()
    return [state_of(row) for row in rows]


def state_of(row: PauseRow) -> PauseState:
    """A row as other parts see it."""
    return PauseState(
        row.id,
        Scope(kind=ScopeKind(row.scope_kind), name=row.scope_name),
        row.active,
        row.known_at is not None,
        row.cause,
        Actor.model_validate(row.requested_by),
        row.requested_at,
    )


def _within(table: Any, scope: Scope) -> ColumnElement[bool]:
    match scope.kind:
        case ScopeKind.EVERYTHING:
            return col(table.run_id) != ""
        case ScopeKind.AGENT:
            return col(table.agent) == scope.name
        case ScopeKind.RUN:
            return col(table.run_id) == scope.name


def _subject(scope: Scope) -> dict[str, str]:
    return {
        "agent": scope.name if scope.kind is ScopeKind.AGENT else "",
        "run_id": scope.name if scope.kind is ScopeKind.RUN else "",
    }

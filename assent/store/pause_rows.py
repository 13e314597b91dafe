"""Rows of pauses: finding one, whether it is in force, and what the ledger files it under."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import Conflict, NotFound
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Actor
from assent.store.pause_scopes import scope_of
from assent.store.tables import PauseRow


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


def required(session: Session, pause_id: str) -> PauseRow:
    """The row of a pause, locked on PostgreSQL until the transaction ends.

    Raises:
        NotFound: There is no such pause.
    """
    row = session.execute(select(PauseRow).where(col(PauseRow.id) == pause_id).with_for_update()).scalar_one_or_none()
    if row is None:
        raise _unknown(pause_id)
    return row


def in_life(session: Session, pause_id: str) -> PauseRow:
    """The row of a pause that is in force.

    Raises:
        NotFound: There is no such pause.
        Conflict: It has ended.
    """
    row = required(session, pause_id)
    if not row.active:
        raise Conflict(f"The pause {pause_id} has already ended.", where="pause")
    return row


def scope_by_id(session: Session, pause_id: str) -> Scope:
    """What a pause covers, read without a lock.

    Raises:
        NotFound: There is no such pause.
    """
    row = session.get(PauseRow, pause_id)
    if row is None:
        raise _unknown(pause_id)
    return scope_of(row)


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
        scope_of(row),
        row.active,
        row.known_at is not None,
        row.cause,
        Actor.model_validate(row.requested_by),
        row.requested_at,
    )


def subject_of(scope: Scope) -> dict[str, str]:
    """What the ledger files an event of a pause under."""
    return {"agent": scope.agent, "run_id": scope.name if scope.kind is ScopeKind.RUN else ""}


def _unknown(pause_id: str) -> NotFound:
    return NotFound(f"There is no pause {pause_id}.", where="pause", todo="`assent pause list` shows all of them.")

"""Pauses: what is stopped now, and what was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, true
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import NotFound
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Actor
from assent.store.queries.paging import FIRST, MAX_LIMIT, Order, Page, PageRequest
from assent.store.tables import PauseRow


@dataclass(frozen=True, slots=True)
class PauseView:
    """A pause.

    Attributes:
        id: Its id.
        scope: What it covers.
        active: It is in force: no effect in its scope begins.
        cause: Why.
        requested_by: Who asked for it.
        requested_at: When.
        fenced_at: From when on no effect could begin.
        quiesced_at: When the last effect under way had ended.
        in_flight: Effects that were under way when last counted.
        affected: Open runs in its scope when it was taken up.
        known_at: When a worker took it up.
        resumed_at: When it ended.
        resumed_by: Who ended it.
        resume_note: What was changed before going on.
    """

    id: str
    scope: Scope
    active: bool
    cause: str
    requested_by: Actor
    requested_at: datetime
    fenced_at: datetime
    quiesced_at: datetime | None
    in_flight: int
    affected: int
    known_at: datetime | None
    resumed_at: datetime | None
    resumed_by: Actor | None
    resume_note: str


_PAUSES = Order("pauses", [col(PauseRow.requested_at), col(PauseRow.id)])


def active(session: Session, *, limit: int = MAX_LIMIT) -> tuple[PauseView, ...]:
    """Pauses in force: everything first, then agents, then runs."""
    rows = session.execute(
        select(PauseRow)
        .where(col(PauseRow.active) == true())
        .order_by(col(PauseRow.scope_kind), col(PauseRow.scope_name))
        .limit(limit)
    ).scalars()
    return tuple(sorted(map(_view, rows), key=lambda pause: list(ScopeKind).index(pause.scope.kind)))


def covering(session: Session, *, agent: str, run_id: str) -> tuple[PauseView, ...]:
    """Pauses in force that hold a run."""
    kind, name = col(PauseRow.scope_kind), col(PauseRow.scope_name)
    in_scope = or_(
        kind == ScopeKind.EVERYTHING.value,
        (kind == ScopeKind.AGENT.value) & (name == agent),
        (kind == ScopeKind.RUN.value) & (name == run_id),
    )
    return tuple(
        map(_view, session.execute(select(PauseRow).where(col(PauseRow.active) == true(), in_scope)).scalars())
    )


def page(session: Session, *, request: PageRequest = FIRST) -> Page[PauseView]:
    """All pauses, newest first."""
    return _PAUSES.page(session.execute(_PAUSES.window(select(PauseRow), request)).scalars().all(), request, _view)


def one(session: Session, pause_id: str) -> PauseView:
    """One pause.

    Raises:
        NotFound: There is no such pause.
    """
    row = session.get(PauseRow, pause_id)
    if row is None:
        raise NotFound(f"There is no pause {pause_id!r}.", where="pause_id", todo="`assent pause list` shows them.")
    return _view(row)


def _view(row: PauseRow) -> PauseView:
    return PauseView(
        id=row.id,
        scope=Scope(kind=ScopeKind(row.scope_kind), name=row.scope_name),
        active=row.active,
        cause=row.cause,
        requested_by=Actor.model_validate(row.requested_by),
        requested_at=row.requested_at,
        fenced_at=row.fenced_at,
        quiesced_at=row.quiesced_at,
        in_flight=row.in_flight,
        affected=row.affected,
        known_at=row.known_at,
        resumed_at=row.resumed_at,
        resumed_by=None if row.resumed_by is None else Actor.model_validate(row.resumed_by),
        resume_note=row.resume_note,
    )

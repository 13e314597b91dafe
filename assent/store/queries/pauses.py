"""Pauses: what is stopped now, and what was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, true
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.errors import NotFound
from assent.domain.pauses import Disposition, PausePhase, ResumeAnswers, Scope, ScopeKind, Subject
from assent.domain.people import Actor
from assent.store.queries.paging import FIRST, MAX_LIMIT, Order, Page, PageRequest
from assent.store.queries.scratch import not_of_drills
from assent.store.tables import ActionRow, PauseHoldRow, PauseRow, RunLabelRow


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
        disposition: What it does with the work in its scope.
        disposition_at: When that was changed last.
        phase: Whether it holds, waits for a second person, lets runs go, or has ended.
        asked_to_stop_at: When claims under way were first asked to stop.
        answers: What whoever resumes said.
        resume_asked_by: Who asked for the resume.
        resume_asked_at: When.
        second_by: Who agreed to it.
        stage: How far it lets runs go: 0 not at all, 1 the first, 2 a few.
        stage_at: Since when.
        fell_back_at: When it last held everything again instead of letting go.
        fell_back_why: Why.
        compensated_at: When it began to roll runs back.
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
    disposition: Disposition = Disposition.FREEZE
    disposition_at: datetime | None = None
    phase: PausePhase = PausePhase.HOLDING
    asked_to_stop_at: datetime | None = None
    answers: ResumeAnswers | None = None
    resume_asked_by: Actor | None = None
    resume_asked_at: datetime | None = None
    second_by: Actor | None = None
    stage: int = 0
    stage_at: datetime | None = None
    fell_back_at: datetime | None = None
    fell_back_why: str = ""
    compensated_at: datetime | None = None


_PAUSES = Order("pauses", [col(PauseRow.requested_at), col(PauseRow.id)])


def active(session: Session, *, limit: int = MAX_LIMIT) -> tuple[PauseView, ...]:
    """Pauses in force, the widest first, without those of drills."""
    rows = session.execute(
        select(PauseRow)
        .where(col(PauseRow.active) == true(), not_of_drills(col(PauseRow.scope_name)))
        .order_by(col(PauseRow.scope_kind), col(PauseRow.scope_name))
        .limit(limit)
    ).scalars()
    return tuple(sorted(map(_view, rows), key=lambda pause: list(ScopeKind).index(pause.scope.kind)))


def covering(session: Session, *, agent: str, run_id: str) -> tuple[PauseView, ...]:
    """Pauses in force that hold a run: by its own scope, or because they hold an action of it now."""
    rows = session.execute(select(PauseRow).where(col(PauseRow.active) == true())).scalars().all()
    if not rows:
        return ()
    labels = session.execute(select(col(RunLabelRow.label)).where(col(RunLabelRow.run_id) == run_id)).scalars()
    subject = Subject(agent=agent, run_id=run_id, labels=frozenset(labels))
    holding = set(
        session.execute(
            select(col(PauseHoldRow.pause_id))
            .join(ActionRow, col(ActionRow.action_id) == col(PauseHoldRow.action_id))
            .where(col(ActionRow.run_id) == run_id, col(ActionRow.status) == ActionStatus.HELD.value)
        ).scalars()
    )
    return tuple(view for view in map(_view, rows) if view.id in holding or view.scope.covers(subject))


def page(session: Session, *, request: PageRequest = FIRST) -> Page[PauseView]:
    """All pauses, newest first, without those of drills."""
    wanted = select(PauseRow).where(not_of_drills(col(PauseRow.scope_name)))
    return _PAUSES.page(session.execute(_PAUSES.window(wanted, request)).scalars().all(), request, _view)


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
        resumed_by=_actor(row.resumed_by),
        resume_note=row.resume_note,
        disposition=Disposition(row.disposition),
        disposition_at=row.disposition_at,
        phase=PausePhase(row.phase),
        asked_to_stop_at=row.asked_to_stop_at,
        answers=None if row.answers is None else ResumeAnswers.model_validate(row.answers),
        resume_asked_by=_actor(row.resume_asked_by),
        resume_asked_at=row.resume_asked_at,
        second_by=_actor(row.second_by),
        stage=row.stage,
        stage_at=row.stage_at,
        fell_back_at=row.fell_back_at,
        fell_back_why=row.fell_back_why,
        compensated_at=row.compensated_at,
    )


def _actor(written: dict[str, Any] | None) -> Actor | None:
    return None if written is None else Actor.model_validate(written)

"""Drills: begun, measured step by step, ended; what a scratch agent claimed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.drills import (
    SCRATCH_SYSTEM,
    DrillFigures,
    DrillRequest,
    DrillStatus,
    DrillStep,
    DrillTerms,
    StepDone,
    is_scratch,
    judge,
)
from assent.domain.effects import EffectStatus
from assent.domain.errors import NotFound
from assent.domain.pauses import ScopeKind
from assent.store import ledger, statements
from assent.store.tables import ActionRow, AgentRow, DrillRow, EffectRow, PauseRow, RunRow

_BEGIN = statements.InsertNew(statements.table_of(DrillRow))


def begin(session: Session, drill: DrillRequest, terms: DrillTerms) -> None:
    """Write that a drill has begun; writing it again, even at the same moment, changes nothing."""
    values = {
        "id": drill.drill_id,
        "agent": drill.agent,
        "scratch": drill.scratch,
        "status": DrillStatus.RUNNING.value,
        "scheduled": drill.scheduled,
        "requested_by": drill.by.model_dump(mode="json"),
        "started_at": drill.requested_at,
        "pause_id": "",
        "rollback_id": "",
        "terms": terms.model_dump(mode="json"),
        "figures": DrillFigures().model_dump(mode="json"),
        "steps": [],
        "reasons": [],
        "broken_off": "",
        "at_fence": [],
    }
    if not _BEGIN.run(session, values):
        return
    body: dict[str, Json] = {"drill": drill.drill_id, "scratch": drill.scratch, "scheduled": drill.scheduled}
    ledger.append(
        session, at=drill.requested_at, kind="drill.started", actor=drill.by, agent=drill.agent, run_id="", body=body
    )


def step_begins(session: Session, drill_id: str, step: DrillStep, *, at: datetime) -> None:
    """Note that a step has begun; one that is tried again began the first time."""
    row = _row(session, drill_id)
    if all(each["step"] != step.value for each in row.steps):
        row.steps = [*row.steps, StepDone(step=step, began_at=at).model_dump(mode="json")]
        session.flush()


def step_ends(
    session: Session,
    drill_id: str,
    step: DrillStep,
    *,
    at: datetime,
    words: str,
    measured: Mapping[str, Any],
) -> None:
    """Note what came of a step, and what it measured."""
    row = _row(session, drill_id)
    figures = DrillFigures.model_validate({**row.figures, **measured})
    row.figures = figures.model_dump(mode="json")
    row.steps = [
        {**each, "ended_at": at.isoformat(), "words": words} if each["step"] == step.value else each
        for each in row.steps
    ]
    session.flush()


def fenced(session: Session, drill_id: str, *, pause_id: str, claims: Iterable[str]) -> None:
    """Note the pause of a drill, and what was claimed when its fence stood."""
    row = _row(session, drill_id)
    row.pause_id, row.at_fence = pause_id, sorted(claims)
    session.flush()


def claimed_at_fence(session: Session, drill_id: str) -> set[str]:
    """What was claimed when the fence of a drill stood."""
    return set(_row(session, drill_id).at_fence)


def rolls_back(session: Session, drill_id: str, rollback_id: str) -> None:
    """Note the rollback of a drill as soon as there is one, so that a step tried again finds it."""
    row = _row(session, drill_id)
    row.rollback_id = rollback_id
    session.flush()


def pause_over(session: Session, scratch: str) -> str:
    """The pause in force of a scratch agent; empty if there is none."""
    wanted = select(col(PauseRow.id)).where(
        col(PauseRow.active), col(PauseRow.scope_kind) == ScopeKind.AGENT.value, col(PauseRow.scope_name) == scratch
    )
    return session.execute(wanted.limit(1)).scalar_one_or_none() or ""


def stopped_by(session: Session) -> str:
    """A pause that would hold the scratch agent of any drill; empty if there is none."""
    kind, name = col(PauseRow.scope_kind), col(PauseRow.scope_name)
    wide = or_(kind == ScopeKind.EVERYTHING.value, and_(kind == ScopeKind.CONNECTOR.value, name == SCRATCH_SYSTEM))
    wanted = select(col(PauseRow.id)).where(col(PauseRow.active), wide)
    return session.execute(wanted.limit(1)).scalar_one_or_none() or ""


def end(session: Session, drill: DrillRequest, *, at: datetime, broken_off: str = "") -> DrillStatus:
    """Judge a drill and keep it for good; ending it again changes nothing."""
    row = _row(session, drill.drill_id)
    if row.status != DrillStatus.RUNNING.value:
        return DrillStatus(row.status)
    figures, terms = DrillFigures.model_validate(row.figures), DrillTerms.model_validate(row.terms)
    reasons = judge(figures, terms, broken_off=broken_off)
    status = DrillStatus.FAILED if reasons else DrillStatus.PASSED
    row.status, row.reasons, row.ended_at, row.broken_off = status.value, reasons, at, broken_off
    row.at_fence = []
    session.flush()
    if is_scratch(drill.scratch):
        # What it did stays with its runs and in the ledger; it is no agent any more.
        session.execute(delete(AgentRow).where(col(AgentRow.name) == drill.scratch))
    body: dict[str, Json] = {
        "drill": drill.drill_id,
        "reasons": list(reasons),
        "figures": figures.model_dump(mode="json", exclude_none=True),
        "pause": row.pause_id,
        "rollback": row.rollback_id,
    }
    ledger.append(session, at=at, kind=f"drill.{status.value}", actor=drill.by, agent=drill.agent, run_id="", body=body)
    return status


def claimed(session: Session, scratch: str) -> dict[str, EffectStatus]:
    """Every claim in the name of a scratch agent, by action."""
    found = select(col(EffectRow.action_id), col(EffectRow.status)).where(
        col(EffectRow.agent) == scratch, col(EffectRow.status).in_([each.value for each in EffectStatus])
    )
    return {action_id: EffectStatus(status) for action_id, status in session.execute(found)}


def runs_with(session: Session, scratch: str, status: str) -> set[str]:
    """The runs of a scratch agent that have an action of this status."""
    found = select(col(ActionRow.run_id)).where(col(ActionRow.status) == status, col(ActionRow.agent) == scratch)
    return set(session.execute(found).scalars())


def open_runs(session: Session, scratch: str) -> list[str]:
    """The runs of a scratch agent that have not ended."""
    found = select(col(RunRow.run_id)).where(col(RunRow.agent) == scratch, col(RunRow.ended_at).is_(None))
    return list(session.execute(found).scalars())


def _row(session: Session, drill_id: str) -> DrillRow:
    row = session.get(DrillRow, drill_id, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no drill {drill_id}.", where="drill", todo="`assent drill list` shows all of them.")
    return row

"""Undo: what will be undone, what cannot, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.effects import UndoStatus
from assent.domain.errors import AssentError, InvalidInput, NotFound
from assent.domain.people import Role
from assent.domain.rollbacks import RollbackPlan, RollbackScope, RollbackScopeKind, RollbackStatus, Undoable, UndoStep
from assent.domain.words import counted
from assent.store.queries import rollbacks, runs
from assent.store.queries.rollbacks import RollbackView
from assent_ui.pages.context import Here
from assent_ui.rendering.records import RecordRows, records

router = APIRouter()

_NEEDS_PERSON = {UndoStatus.CONFLICT, UndoStatus.IMPOSSIBLE, UndoStatus.FAILED, UndoStatus.UNKNOWN}
_LEFT = {Undoable.NO, Undoable.TOO_LATE, Undoable.CONFLICT, Undoable.UNKNOWN}


@dataclass(frozen=True, slots=True)
class StepRow:
    """One effect of a preview or a rollback."""

    ordinal: int
    step: UndoStep
    run_id: str
    key: str
    records: list[RecordRows]
    finished_at: datetime | None


@router.get("/rollbacks/new", response_class=HTMLResponse)
async def preview(here: Here, scope: str, id: str) -> HTMLResponse:
    """What a rollback would do; changes nothing."""
    plan = await here.gateway.preview_rollback(_scope(scope, id), by=here.viewer.actor)
    return await here.in_thread(lambda: _preview_page(here, plan))


@router.post("/rollbacks")
async def start(here: Here, scope: str = Form(""), id: str = Form(""), reason: str = Form("")) -> Response:
    """Undo a scope."""
    here.viewer.require(Role.OPERATOR, "undo")
    rollback_id = await here.gateway.rollback(_scope(scope, id), by=here.viewer.actor, reason=reason.strip())
    where = urlencode({"scope": scope, "id": id})
    return RedirectResponse(f"/rollbacks/{rollback_id}?{where}", status_code=303)


@router.get("/rollbacks/{rollback_id}", response_class=HTMLResponse)
def rollback(here: Here, rollback_id: str, scope: str = "", id: str = "") -> HTMLResponse:
    """A rollback: its progress, and what is left for a person.

    One that was started a moment ago has no row yet; ``scope`` and ``id`` then say what it is of.
    """
    with here.database.read() as session:
        try:
            found = rollbacks.one(session, rollback_id)
        except NotFound:
            if not scope:
                raise
            found = _starting(here, rollback_id, _scope(scope, id))
        steps = [_row(item.ordinal, item.step, item.finished_at) for item in found.steps]
        people = [row for row in steps if _needs_person(row.step)]
        run_id, goal = _run(session, found.scope)
        return here.show(
            session,
            "rollback.html",
            "runs",
            rollback=found,
            headline=_headline(found, steps, people),
            people=people,
            rest=[row for row in steps if row not in people],
            total=len(steps),
            finished=sum(row.finished_at is not None for row in steps),
            run_id=run_id,
            goal=goal,
        )


def _starting(here: Here, rollback_id: str, scope: RollbackScope) -> RollbackView:
    return RollbackView(
        id=rollback_id,
        scope=scope,
        status=RollbackStatus.RUNNING,
        reason="",
        requested_by=here.viewer.actor,
        requested_at=here.clock(),
        finished_at=None,
    )


def _preview_page(here: Here, plan: RollbackPlan, problem: AssentError | None = None) -> HTMLResponse:
    with here.database.read() as session:
        run_id, goal = _run(session, plan.scope)
        return here.show(
            session,
            "rollback_new.html",
            "runs",
            plan=plan,
            steps=[_row(place, step, None) for place, step in enumerate(plan.steps)],
            left=sum(step.verdict in _LEFT for step in plan.steps),
            run_id=run_id,
            goal=goal,
            back=f"/runs/{run_id}",
            still_running=plan.scope.kind is RollbackScopeKind.RUN and not runs.one(session, run_id).status.ended,
            problem=problem,
            may_operate=here.viewer.may(Role.OPERATOR),
        )


def _scope(kind: str, id: str) -> RollbackScope:
    if kind not in list(RollbackScopeKind) or not 1 <= len(id) <= 200:
        raise InvalidInput("A rollback is of an action or a run, by its id.", where="scope")
    return RollbackScope(kind=RollbackScopeKind(kind), id=id)


def _run(session: Session, scope: RollbackScope) -> tuple[str, str]:
    """The run behind a scope, and its goal."""
    run_id = scope.id.rsplit(":", 1)[0] if scope.kind is RollbackScopeKind.ACTION else scope.id
    try:
        return run_id, runs.one(session, run_id).goal or run_id
    except NotFound:
        return run_id, run_id


def _row(ordinal: int, step: UndoStep, finished_at: datetime | None) -> StepRow:
    run_id, _, key = step.action_id.rpartition(":")
    return StepRow(ordinal, step, run_id, key, records(step.changes), finished_at)


def _needs_person(step: UndoStep) -> bool:
    return step.status in _NEEDS_PERSON


def _headline(found: RollbackView, steps: Sequence[StepRow], people: Sequence[StepRow]) -> str:
    undone = sum(row.step.status is UndoStatus.UNDONE for row in steps)
    if found.status is RollbackStatus.RUNNING:
        return f"Undoing {counted(len(steps), 'effect')}" if steps else "Looking at what there is to undo"
    if not steps:
        return "There was nothing to undo"
    return f"{counted(undone, 'effect')} undone" + (f", {len(people):,} left for a person" if people else "")

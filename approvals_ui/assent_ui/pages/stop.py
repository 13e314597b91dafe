"""Stop: what is stopped, and how do I stop more?"""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.errors import AssentError, InvalidInput
from assent.domain.pauses import ResumeAnswers, Scope, ScopeKind
from assent.domain.people import Role
from assent.domain.runs import RunStatus
from assent.domain.words import counted
from assent.store.queries import approvals, pauses, runs
from assent.store.queries.paging import COUNT_CAP, PageRequest
from assent_ui.pages.context import Here

router = APIRouter()

PAST = 10
"""Earlier pauses shown."""

_OPEN = [status for status in RunStatus if not status.ended]


@router.get("/stop", response_class=HTMLResponse)
def stop(here: Here, scope: str = "everything", name: str = "") -> HTMLResponse:
    """What is stopped, and a form that stops more."""
    return _page(here, _scope(scope, name))


@router.post("/stop")
async def pause(here: Here, scope: str = Form("everything"), name: str = Form(""), cause: str = Form("")) -> Response:
    """Stop a scope."""
    here.viewer.require(Role.OPERATOR, "stop or resume")
    wanted = _scope(scope, name)
    try:
        pause_id = await here.gateway.pause(wanted, by=here.viewer.actor, cause=cause.strip())
    except AssentError as error:
        return await here.in_thread(partial(_page, here, wanted, problem=error))
    return RedirectResponse(f"/stop#{pause_id}", status_code=303)


@router.post("/stop/{pause_id}/resume")
async def resume(here: Here, pause_id: str, note: str = Form("")) -> Response:
    """Let a scope go on."""
    here.viewer.require(Role.OPERATOR, "stop or resume")
    try:
        if not note.strip():
            raise InvalidInput("Resuming needs a note.", where="note", todo="Say what was found and changed.")
        answers = ResumeAnswers(cause=note.strip(), changed=note.strip())
        await here.gateway.resume(pause_id, by=here.viewer.actor, answers=answers)
    except AssentError as error:
        return await here.in_thread(partial(_page, here, Scope(kind=ScopeKind.EVERYTHING), problem=error))
    return RedirectResponse("/stop", status_code=303)


def _scope(kind: str, name: str) -> Scope:
    if kind not in list(ScopeKind):
        raise InvalidInput(f"There is no scope {kind!r}.", where="scope", todo="Everything, an agent or a run.")
    if (kind != ScopeKind.EVERYTHING) != bool(name) or len(name) > 200:
        raise InvalidInput("An agent or a run is named, everything is not.", where="name")
    return Scope(kind=ScopeKind(kind), name=name)


def _page(here: Here, scope: Scope, *, problem: AssentError | None = None) -> HTMLResponse:
    with here.database.read() as session:
        active = pauses.active(session)
        held, open_runs = _held(session, scope)
        page = pauses.page(session, request=PageRequest(PAST + len(active)))
        return here.show(
            session,
            "stop.html",
            "stop",
            status=problem.status if problem else 200,
            active=active,
            past=[item for item in page.items if not item.active][:PAST],
            scope=scope,
            already=next((item for item in active if item.scope == scope), None),
            agents=here.agent_names(session),
            held=held,
            open_runs=open_runs,
            problem=problem,
            may_operate=here.viewer.may(Role.OPERATOR),
        )


def _held(session: Session, scope: Scope) -> tuple[list[tuple[str, str]], str]:
    """What a pause would hold, in figures, and the runs in words for the button."""
    if scope.kind is ScopeKind.RUN:
        found = runs.one(session, scope.name)
        waiting = sum(item.status.value == "pending" for item in approvals.of_run(session, scope.name))
        return [("Its status", found.status.value), ("Requests that would wait", str(waiting))], ""
    agent = scope.name if scope.kind is ScopeKind.AGENT else None
    under_way = {status: runs.count(session, agent=agent, status=status) for status in _OPEN}
    total = sum(under_way.values())
    capped = f"{total:,}" if max(under_way.values()) < COUNT_CAP else f"{COUNT_CAP:,}+"
    figures = [
        ("Runs under way", capped),
        ("Requests that would wait", f"{approvals.count_pending(session, agent=agent):,}"),
    ]
    return figures, "no run is under way" if not total else counted(
        total, "run"
    ) if capped == f"{total:,}" else f"{capped} runs"

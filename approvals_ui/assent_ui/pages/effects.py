"""Unknown effects: what does nobody know about, and what became of it?"""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.actions import ActionStatus
from assent.domain.effects import EffectStatus
from assent.domain.errors import AssentError, Conflict, Forbidden, InvalidInput, NotFound
from assent.domain.people import Role
from assent.store.queries import unknowns
from assent.store.queries.paging import PageRequest
from assent.store.queries.unknowns import UnknownView
from assent_ui.api.effects import in_full
from assent_ui.pages.context import Here, Place, typed
from assent_ui.rendering.records import records

router = APIRouter()

RECENT = 10
"""Settled effects shown below those that are unknown."""

IN_INBOX = 5
"""Unknown effects shown above the requests of an inbox."""

_LOOKED_AT = 20


@router.get("/effects", response_class=HTMLResponse)
def list_effects(here: Here, agent: str = "", cursor: str | None = None) -> HTMLResponse:
    """Effects that nobody knows about, the longest unknown first, and those that were found out lately."""
    with here.database.read() as session:
        page = unknowns.page(session, agent=agent or None, request=PageRequest(cursor=cursor))
        return here.show(
            session,
            "effects.html",
            "inbox",
            page=page,
            agent=agent,
            agents=here.agent_names(session),
            later=cursor is not None,
            settled=() if cursor else unknowns.settled(session, request=PageRequest(RECENT)).items,
        )


@router.get("/effects/{action_id}", response_class=HTMLResponse)
def effect(here: Here, action_id: str, asked: str = "") -> HTMLResponse:
    """One effect with everything that somebody needs to find out what became of it."""
    return _page(here, action_id, asked=asked == "1")


@router.post("/effects/{action_id}/reconcile")
async def reconcile(here: Here, action_id: str) -> Response:
    """Ask the connector."""
    try:
        await here.gateway.reconcile(action_id, by=here.viewer.actor)
    except NotFound:
        raise
    except AssentError as error:
        return await here.in_thread(partial(_page, here, action_id, problem=error))
    return RedirectResponse(f"/effects/{action_id}?asked=1", status_code=303)


@router.post("/effects/{action_id}/settle")
async def settle(
    here: Here, action_id: str, happened: str = Form(""), note: str = Form(""), reference: str = Form("")
) -> Response:
    """Say what became of it."""
    said = {"happened": happened, "note": typed(note), "reference": reference}
    try:
        if happened not in ("yes", "no"):
            raise InvalidInput("Say whether it happened.", where="happened", todo="Choose one of the two.")
        await here.gateway.settle_effect(
            action_id,
            by=here.viewer.actor,
            happened=happened == "yes",
            note=typed(note),
            reference=reference,
        )
    except NotFound:
        raise
    except AssentError as error:
        return await here.in_thread(partial(_page, here, action_id, problem=error, said=said))
    return RedirectResponse(f"/effects/{action_id}", status_code=303)


@router.post("/effects/{action_id}/retry")
async def retry(here: Here, action_id: str) -> Response:
    """Have it tried again."""
    try:
        await here.gateway.retry_effect(action_id, by=here.viewer.actor)
    except NotFound:
        raise
    except AssentError as error:
        return await here.in_thread(partial(_page, here, action_id, problem=error))
    run_id, _, key = action_id.rpartition(":")
    return RedirectResponse(f"/runs/{run_id}#{key}", status_code=303)


def tasks(here: Place, session: Session) -> list[UnknownView]:
    """The longest unknown effects that the viewer may settle, for their inbox; at most :data:`IN_INBOX` and one."""
    may: dict[tuple[str, str], bool] = {}
    mine = []
    for view in unknowns.page(session, request=PageRequest(_LOOKED_AT)).items:
        kind = (view.agent, view.type)
        if kind not in may:
            may[kind] = not here.gateway.why_not_settle(session, here.viewer.id, *kind, here.clock())
        if may[kind]:
            mine.append(view)
    return mine[: IN_INBOX + 1]


def _page(
    here: Place,
    action_id: str,
    *,
    asked: bool = False,
    problem: AssentError | None = None,
    said: dict[str, str] | None = None,
) -> HTMLResponse:
    with here.database.read() as session:
        found = unknowns.one(session, action_id)
        view = found.view
        why_not = here.gateway.why_not_settle(session, here.viewer.id, view.agent, view.type, here.clock())
        status = found.action.status
        retries = view.happened is False and status is ActionStatus.FAILED and not found.run.status.ended
        return here.show(
            session,
            "effect.html",
            "inbox",
            status=_status(problem),
            view=view,
            found=found,
            full=in_full(found, may_settle=not why_not),
            foreseen=records(found.foreseen),
            asked=asked,
            why_not=why_not,
            may_retry=retries and not why_not,
            may_undo=status is ActionStatus.DONE
            and found.effect is EffectStatus.DONE
            and here.viewer.may(Role.OPERATOR),
            problem=problem,
            answer={"happened": "", "note": "", "reference": ""} | (said or {}),
        )


def _status(problem: AssentError | None) -> int:
    kinds = (Conflict, Forbidden, InvalidInput)
    return problem.status if isinstance(problem, kinds) else 200 if problem is None else 503

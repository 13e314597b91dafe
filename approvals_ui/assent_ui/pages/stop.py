"""Stop: what is stopped, and how do I stop more?"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import AssentError, Forbidden
from assent.domain.pauses import MAX_CHECKS, PausePhase, ResumeAnswers, Scope, ScopeKind
from assent.domain.people import MAX_REASON
from assent.domain.scopes import read_disposition, read_scope
from assent.gateway import stop_rights
from assent.store.queries import pauses
from assent.store.queries.paging import PageRequest
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.stop_choices import choice, read_choice
from assent_ui.pages.stop_figures import figures
from assent_ui.pages.stop_view import DISPOSITIONS, card
from assent_ui.pages.times import moment
from assent_ui.stopping_rights import may_stop

router = APIRouter()

PAST = 10
"""Earlier pauses shown."""

DETAILED = 20
"""Pauses in force that are shown with everything there is to them."""

Text = Annotated[str, Form()]
EVERYTHING = Scope(kind=ScopeKind.EVERYTHING)


@router.get("/stop", response_class=HTMLResponse)
def stop(here: Here, scope: str = "everything", name: str = "") -> HTMLResponse:
    """What is stopped, and a form that stops more."""
    return _page(here, read_scope(scope, name))


@router.post("/stop")
async def pause(
    here: Here, scope: Text = "everything", name: Text = "", cause: Text = "", disposition: Text = ""
) -> Response:
    """Stop a scope."""
    return await _stop(here, read_scope(scope, name), cause, disposition)


@router.post("/stop/at-once")
async def pause_from_anywhere(here: Here, what: Text = "", cause: Text = "") -> Response:
    """Stop what the control of some page offered."""
    return await _stop(here, read_choice(what), cause, "")


@router.post("/stop/{pause_id}/disposition")
async def change_disposition(here: Here, pause_id: str, disposition: Text = "") -> Response:
    """Change what a pause does with the work in its scope."""
    doing = here.gateway.change_disposition(pause_id, read_disposition(disposition), by=here.viewer.actor)
    return await _done(here, pause_id, doing)


@router.post("/stop/{pause_id}/ask")
async def ask_to_stop(here: Here, pause_id: str) -> Response:
    """Ask what is under way to stop."""
    return await _done(here, pause_id, here.gateway.ask_to_stop(pause_id, by=here.viewer.actor))


@router.post("/stop/{pause_id}/resume")
async def resume(
    here: Here, pause_id: str, cause: Text = "", changed: Text = "", checks: Text = "", at_once: Text = ""
) -> Response:
    """Let a scope go on, or ask for the second person."""
    lines = [line.strip() for line in typed(checks).split("\n") if line.strip()]
    answers = ResumeAnswers(
        cause=typed(cause).strip()[:MAX_REASON], changed=typed(changed).strip()[:MAX_REASON], checks=lines[:MAX_CHECKS]
    )
    doing = here.gateway.resume(pause_id, by=here.viewer.actor, answers=answers, at_once=bool(at_once))
    kept = {"pause": pause_id, "cause": cause, "changed": changed, "checks": checks, "at_once": at_once}
    return await _done(here, pause_id, doing, kept)


@router.post("/stop/{pause_id}/agree")
async def agree(here: Here, pause_id: str, asked_at: Text = "") -> Response:
    """Give the second person's word on what the page showed them."""
    shown = moment(asked_at, "asked_at")
    return await _done(here, pause_id, here.gateway.second_resume(pause_id, by=here.viewer.actor, asked_at=shown))


async def _stop(here: Place, wanted: Scope, cause: str, disposition: str) -> Response:
    try:
        pause_id = await here.gateway.pause(
            wanted, by=here.viewer.actor, cause=cause.strip(), disposition=read_disposition(disposition)
        )
    except Forbidden:
        raise
    except AssentError as error:
        kept = {"cause": cause, "disposition": disposition}
        return await here.in_thread(partial(_page, here, wanted, problem=error, kept=kept))
    return RedirectResponse(f"/stop#{pause_id}", status_code=303)


async def _done(
    here: Place, pause_id: str, doing: Awaitable[object], kept: Mapping[str, str] | None = None
) -> Response:
    """Do something about a pause; what is wrong is shown on the page, with what was typed."""
    try:
        await doing
    except Forbidden:
        raise
    except AssentError as error:
        return await here.in_thread(partial(_page, here, EVERYTHING, problem=error, kept=kept))
    return RedirectResponse(f"/stop#{pause_id}", status_code=303)


def _page(
    here: Place, scope: Scope, *, problem: AssentError | None = None, kept: Mapping[str, str] | None = None
) -> HTMLResponse:
    actor, now = here.viewer.actor, here.clock()
    with here.database.read() as session:
        active = pauses.active(session)
        rules = stop_rights.rules_for(session, scope)
        page = pauses.page(session, request=PageRequest(PAST + len(active)))
        return here.show(
            session,
            "stop.html",
            "stop",
            status=problem.status if problem else 200,
            active=active,
            cards=[card(session, pause, actor, now) for pause in active[:DETAILED]],
            past=[item for item in page.items if not item.active][:PAST],
            chosen=choice(scope),
            kinds=[choice(Scope(kind=kind)) for kind in ScopeKind if kind is not ScopeKind.EVERYTHING],
            already=next((item for item in active if item.scope == scope), None),
            agents=here.agent_names(session),
            dispositions=[(each.value, *words) for each, words in DISPOSITIONS.items()],
            second_wanted=PausePhase.SECOND_WANTED,
            releasing=PausePhase.RELEASING,
            kept=kept or {},
            problem=problem,
            may_stop=may_stop(session, here.viewer, now) or stop_rights.may_pause(session, actor, rules, now),
            may_stop_this=stop_rights.may_pause(session, actor, rules, now),
            figures=figures(session, scope),
        )

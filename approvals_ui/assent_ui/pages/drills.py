"""Drills: does stopping work, and when was it last tried?"""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import AssentError, Forbidden, NotFound
from assent.domain.people import Role
from assent.store.queries import drills
from assent.store.queries.paging import PageRequest
from assent_ui.pages.context import Here, Place
from assent_ui.rendering.drill_times import bars, figures_of, marks

router = APIRouter()


@router.get("/drills", response_class=HTMLResponse)
def list_drills(here: Here, agent: str = "", cursor: str | None = None) -> HTMLResponse:
    """Drills, newest first, and where agents stand with them."""
    return _list(here, agent, cursor)


@router.get("/drills/{drill_id}", response_class=HTMLResponse)
def drill(here: Here, drill_id: str) -> HTMLResponse:
    """One drill: its times, figures and steps."""
    with here.database.read() as session:
        found = drills.one(session, drill_id)
        return here.show(
            session,
            "drill.html",
            "agents",
            drill=found,
            bars=bars(found, here.clock()),
            marks=marks(found),
            figures=figures_of(found),
        )


@router.post("/agents/{name}/drills")
async def hold(here: Here, name: str) -> Response:
    """Hold a drill."""
    if not here.viewer.may(Role.OPERATOR):
        raise Forbidden(
            "Only operators hold drills.", where="drill", todo="An admin gives roles with `assent people roles`."
        )
    try:
        drill_id = await here.gateway.start_drill(name, by=here.viewer.actor)
    except NotFound:
        raise
    except AssentError as error:
        return await here.in_thread(partial(_list, here, name, None, problem=error))
    return RedirectResponse(f"/drills/{drill_id}", status_code=303)


def _list(here: Place, agent: str, cursor: str | None, *, problem: AssentError | None = None) -> HTMLResponse:
    with here.database.read() as session:
        standings = drills.standings(session, now=here.clock())
        return here.show(
            session,
            "drills.html",
            "agents",
            status=problem.status if problem else 200,
            page=drills.page(session, agent=agent or None, request=PageRequest(cursor=cursor)),
            standings=[each for each in standings if not agent or each.agent == agent],
            agents=here.agent_names(session),
            agent=agent,
            later=cursor is not None,
            may_operate=here.viewer.may(Role.OPERATOR),
            problem=problem,
        )

"""Drills: an agent's stop and undo rehearsed, and what was measured."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from assent.domain.people import Role
from assent.store.queries import drills
from assent.store.queries.paging import PageRequest
from assent_ui.api import drill_schemas as schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import api_person, person_with
from assent_ui.api.schemas import Page
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere

router = APIRouter(tags=["drills"])

Operator = Annotated[Viewer, Depends(person_with(Role.OPERATOR, "hold drills"))]


@router.post("/drills", status_code=202, responses=problems(404))
async def hold_drill(
    body: schemas.DrillIn, viewer: Operator, deps: DepsHere, response: Response
) -> schemas.DrillStarted:
    """Rehearse the stop and the undo of an agent on a scratch copy of it. Needs the role operator."""
    drill_id = await deps.gateway.start_drill(body.agent, by=viewer.actor)
    here = f"/api/v1/drills/{drill_id}"
    response.headers["Location"] = here
    return schemas.DrillStarted(drill_id=drill_id, drill=here)


@router.get("/drills", responses=problems(), dependencies=[Depends(api_person)])
async def list_drills(
    deps: DepsHere,
    page: Annotated[PageRequest, Depends(page_request)],
    agent: Annotated[str | None, Query(max_length=60, description="Only this agent's.")] = None,
) -> Page[schemas.DrillOut]:
    """Drills, newest first."""
    return page_of(
        await deps.read(lambda session: drills.page(session, agent=agent, request=page)), schemas.DrillOut.of
    )


@router.get("/drills/due", responses=problems(), dependencies=[Depends(api_person)])
async def drills_due(deps: DepsHere) -> schemas.StandingsOut:
    """Where agents stand whose cards ask for drills: the last one, the next, and what is overdue."""
    found = await deps.read(lambda session: drills.standings(session, now=deps.clock()))
    return schemas.StandingsOut(items=[schemas.StandingOut.of(each) for each in found])


@router.get("/drills/{drill_id}", responses=problems(404), dependencies=[Depends(api_person)])
async def show_drill(drill_id: str, deps: DepsHere) -> schemas.DrillInFull:
    """One drill: every step, every figure, and why it failed."""
    return schemas.DrillInFull.of(await deps.read(lambda session: drills.one(session, drill_id)))

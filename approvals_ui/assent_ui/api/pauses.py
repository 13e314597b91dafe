"""Pauses: the kill switch."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy.orm import Session

from assent.domain.errors import InvalidInput
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Role
from assent.store.queries import pauses
from assent.store.queries.paging import Page, PageRequest
from assent.store.queries.pauses import PauseView
from assent_ui.api import schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import api_person, person_with
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere

router = APIRouter(tags=["pauses"])

Operator = Annotated[Viewer, Depends(person_with(Role.OPERATOR, "stop or resume"))]


@router.post("/pauses", status_code=201, responses=problems(404))
async def pause(body: schemas.PauseIn, viewer: Operator, deps: DepsHere, response: Response) -> schemas.PauseOut:
    """Stop everything, an agent or a run: when this answers, no effect in scope begins any more."""
    if (body.scope.kind is ScopeKind.EVERYTHING) != (body.scope.name == ""):
        raise InvalidInput(
            "An agent or a run is named, everything is not.", where="scope.name", todo="Give a name, or leave it out."
        )
    scope = Scope(kind=body.scope.kind, name=body.scope.name)
    pause_id = await deps.gateway.pause(scope, by=viewer.actor, cause=body.cause)
    response.headers["Location"] = f"/api/v1/pauses/{pause_id}"
    return schemas.PauseOut.model_validate(await deps.read(lambda session: pauses.one(session, pause_id)))


@router.get("/pauses", responses=problems(), dependencies=[Depends(api_person)])
async def list_pauses(
    deps: DepsHere, page: Annotated[PageRequest, Depends(page_request)], active: bool = False
) -> schemas.Page[schemas.PauseOut]:
    """Pauses, newest first; with `active`, those in force, the widest first and at most 200."""

    def look(session: Session) -> Page[PauseView]:
        return Page(pauses.active(session)) if active else pauses.page(session, request=page)

    return page_of(await deps.read(look), schemas.PauseOut.model_validate)


@router.get("/pauses/{pause_id}", responses=problems(404), dependencies=[Depends(api_person)])
async def show_pause(pause_id: str, deps: DepsHere) -> schemas.PauseOut:
    """One pause with its times: requested, fenced, quiesced."""
    return schemas.PauseOut.model_validate(await deps.read(lambda session: pauses.one(session, pause_id)))


@router.post("/pauses/{pause_id}/resume", responses=problems(404, 409))
async def resume(pause_id: str, body: schemas.ResumeIn, viewer: Operator, deps: DepsHere) -> schemas.PauseOut:
    """End a pause; the runs it held go on."""
    if not body.note.strip():
        raise InvalidInput("Resuming needs a note.", where="note", todo="Say what was found and changed.")
    await deps.gateway.resume(pause_id, by=viewer.actor, note=body.note.strip())
    return schemas.PauseOut.model_validate(await deps.read(lambda session: pauses.one(session, pause_id)))

"""Pauses: the kill switch."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy.orm import Session

from assent.domain.pauses import ResumeAnswers, Scope
from assent.store.queries import pauses, stopping
from assent.store.queries.paging import Page, PageRequest
from assent.store.queries.pauses import PauseView
from assent_ui.api import pause_schemas, schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import api_person
from assent_ui.auth import Viewer
from assent_ui.deps import Deps, DepsHere

router = APIRouter(tags=["pauses"])

Person = Annotated[Viewer, Depends(api_person)]
PageWanted = Annotated[PageRequest, Depends(page_request)]


@router.post("/pauses", status_code=201, responses=problems(404))
async def pause(body: schemas.PauseIn, viewer: Person, deps: DepsHere, response: Response) -> schemas.PauseOut:
    """Stop a scope: when this answers, no effect in it begins any more, but for what a drain lets finish.

    The cards concerned say who may: nearly everybody, unless they name somebody.
    """
    scope = Scope(kind=body.scope.kind, name=body.scope.name.strip())
    pause_id = await deps.gateway.pause(scope, by=viewer.actor, cause=body.cause, disposition=body.disposition)
    response.headers["Location"] = f"/api/v1/pauses/{pause_id}"
    return await _shown(deps, pause_id)


@router.get("/pauses", responses=problems(), dependencies=[Depends(api_person)])
async def list_pauses(deps: DepsHere, page: PageWanted, active: bool = False) -> schemas.Page[schemas.PauseOut]:
    """Pauses, newest first; with `active`, those in force, the widest first and at most 200."""

    def look(session: Session) -> Page[PauseView]:
        return Page(pauses.active(session)) if active else pauses.page(session, request=page)

    return page_of(await deps.read(look), schemas.PauseOut.model_validate)


@router.get("/pauses/{pause_id}", responses=problems(404), dependencies=[Depends(api_person)])
async def show_pause(pause_id: str, deps: DepsHere) -> schemas.PauseOut:
    """One pause with its times: requested, fenced, quiesced."""
    return await _shown(deps, pause_id)


@router.get("/pauses/{pause_id}/claims", responses=problems(404), dependencies=[Depends(api_person)])
async def list_claims(pause_id: str, deps: DepsHere, page: PageWanted) -> schemas.Page[pause_schemas.ClaimOut]:
    """Effects that were under way when it began or have been found since, the oldest first, and how each ended."""
    found = await deps.read(lambda session: stopping.claims(session, pause_id, request=page))
    return page_of(found, pause_schemas.ClaimOut.model_validate)


@router.get("/pauses/{pause_id}/held", responses=problems(404), dependencies=[Depends(api_person)])
async def list_held(pause_id: str, deps: DepsHere, page: PageWanted) -> schemas.Page[pause_schemas.HeldRunOut]:
    """Runs that it holds, by agent and id, and what each of them waits for."""
    found = await deps.read(lambda session: stopping.held_runs(session, pause_id, request=page))
    return page_of(found, pause_schemas.HeldRunOut.model_validate)


@router.get("/pauses/{pause_id}/rollbacks", responses=problems(404), dependencies=[Depends(api_person)])
async def list_pause_rollbacks(
    pause_id: str, deps: DepsHere, page: PageWanted
) -> schemas.Page[pause_schemas.PauseRollbackOut]:
    """Rollbacks of the runs in scope, where it compensates, and what came of each."""
    found = await deps.read(lambda session: stopping.rollbacks(session, pause_id, request=page))
    return page_of(found, pause_schemas.PauseRollbackOut.model_validate)


@router.post("/pauses/{pause_id}/disposition", responses=problems(404, 409))
async def change_disposition(
    pause_id: str, body: pause_schemas.DispositionIn, viewer: Person, deps: DepsHere
) -> schemas.PauseOut:
    """Change what it does with the work in its scope; to drain lets effects go, so it needs who may resume."""
    await deps.gateway.change_disposition(pause_id, body.disposition, by=viewer.actor)
    return await _shown(deps, pause_id)


@router.post("/pauses/{pause_id}/ask-to-stop", responses=problems(404, 409))
async def ask_to_stop(pause_id: str, viewer: Person, deps: DepsHere) -> pause_schemas.AskedOut:
    """Ask effects under way to stop; each counts as under way until its connector says how it ended."""
    return pause_schemas.AskedOut(asked=await deps.gateway.ask_to_stop(pause_id, by=viewer.actor))


@router.post("/pauses/{pause_id}/resume", responses=problems(404, 409))
async def resume(pause_id: str, body: schemas.ResumeIn, viewer: Person, deps: DepsHere) -> pause_schemas.ResumeOut:
    """Let its runs go: one, then a few, then all; or ask for the second person that the card wants."""
    answers = ResumeAnswers(cause=body.cause.strip(), changed=body.changed.strip(), checks=list(body.checks))
    state = await deps.gateway.resume(pause_id, by=viewer.actor, answers=answers, at_once=body.at_once)
    return pause_schemas.ResumeOut(state=state, pause=await _shown(deps, pause_id))


@router.post("/pauses/{pause_id}/second-resume", responses=problems(404, 409))
async def second_resume(
    pause_id: str, viewer: Person, deps: DepsHere, body: pause_schemas.SecondResumeIn | None = None
) -> pause_schemas.ResumeOut:
    """Agree to a resume that somebody else asked for."""
    asked_at = body.asked_at if body else None
    state = await deps.gateway.second_resume(pause_id, by=viewer.actor, asked_at=asked_at)
    return pause_schemas.ResumeOut(state=state, pause=await _shown(deps, pause_id))


async def _shown(deps: Deps, pause_id: str) -> schemas.PauseOut:
    return schemas.PauseOut.model_validate(await deps.read(lambda session: pauses.one(session, pause_id)))

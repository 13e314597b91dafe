"""Rollbacks: taking effects back, previewed first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from assent.domain.people import Role
from assent.domain.rollbacks import RollbackScope
from assent.store.queries import rollbacks
from assent.store.queries.paging import PageRequest
from assent_ui.api import schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import api_person, person_with
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere

router = APIRouter(tags=["rollbacks"])

Operator = Annotated[Viewer, Depends(person_with(Role.OPERATOR, "undo"))]


@router.post(
    "/rollbacks",
    status_code=202,
    responses={200: {"model": schemas.PreviewOut, "description": "The preview"}, **problems(404)},
)
async def roll_back(
    body: schemas.RollbackIn, viewer: Operator, deps: DepsHere, response: Response
) -> schemas.PreviewOut | schemas.RollbackStarted:
    """Undo an action or a run, newest effect first; with `preview`, only say what would be undone."""
    scope = RollbackScope(kind=body.scope.kind, id=body.scope.id)
    if body.preview:
        plan = await deps.gateway.preview_rollback(scope, by=viewer.actor)
        response.status_code = 200
        return schemas.PreviewOut.model_validate(plan)
    rollback_id = (await deps.gateway.rollback(scope, by=viewer.actor, reason=body.reason)).id
    here = f"/api/v1/rollbacks/{rollback_id}"
    response.headers["Location"] = here
    return schemas.RollbackStarted(rollback_id=rollback_id, rollback=here)


@router.get("/rollbacks", responses=problems(), dependencies=[Depends(api_person)])
async def list_rollbacks(
    deps: DepsHere, page: Annotated[PageRequest, Depends(page_request)]
) -> schemas.Page[schemas.RollbackOut]:
    """Rollbacks, newest first."""
    found = await deps.read(lambda session: rollbacks.page(session, request=page))
    return page_of(found, schemas.RollbackOut.model_validate)


@router.get("/rollbacks/{rollback_id}", responses=problems(404), dependencies=[Depends(api_person)])
async def show_rollback(rollback_id: str, deps: DepsHere) -> schemas.RollbackInFull:
    """One rollback with its effects. A rollback that was started a moment ago may take a moment to be here."""
    found = await deps.read(lambda session: rollbacks.one(session, rollback_id))
    return schemas.RollbackInFull.model_validate(found)

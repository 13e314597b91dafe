"""Rollbacks: taking effects back, previewed first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy.orm import Session

from assent.domain.rollbacks import RollbackStatus
from assent.domain.undo_steps import StepOutcome, Undoable
from assent.store.queries import rollback_steps, rollbacks
from assent.store.queries.paging import PageRequest
from assent_ui.api import rollback_schemas as shapes
from assent_ui.api import schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import api_person
from assent_ui.auth import Viewer
from assent_ui.deps import Deps, DepsHere

router = APIRouter(tags=["rollbacks"])

Person = Annotated[Viewer, Depends(api_person)]
PageWanted = Annotated[PageRequest, Depends(page_request)]


@router.post(
    "/rollbacks",
    status_code=202,
    responses={200: {"model": shapes.PreviewOut, "description": "The preview"}, **problems(404, 409)},
)
async def roll_back(
    body: shapes.RollbackIn, viewer: Person, deps: DepsHere, response: Response
) -> shapes.PreviewOut | shapes.RollbackStarted:
    """Undo a scope, newest effect first; with `preview`, only say what would be undone.

    With `preview_id` and `digest` nothing is undone unless the world still is as that preview showed it; else the
    answer is 409, and the problem names the new preview.
    """
    scope = body.scope.scope()
    if body.preview:
        plan = await deps.gateway.preview_rollback(scope, by=viewer.actor)
        response.status_code = 200
        return shapes.PreviewOut.model_validate(plan)
    begun = await deps.gateway.rollback(
        scope, by=viewer.actor, reason=body.reason, preview_id=body.preview_id, digest=body.digest
    )
    here = f"/api/v1/rollbacks/{begun.id}"
    response.headers["Location"] = here
    return shapes.RollbackStarted(rollback_id=begun.id, rollback=here, state=begun.state, needs=begun.needs)


@router.get("/rollbacks", responses=problems(), dependencies=[Depends(api_person)])
async def list_rollbacks(
    deps: DepsHere,
    page: PageWanted,
    status: Annotated[RollbackStatus | None, Query(description="Only those of this status.")] = None,
) -> schemas.Page[shapes.RollbackOut]:
    """Rollbacks, newest first; previews only if asked for by their status."""
    found = await deps.read(lambda session: rollbacks.page(session, status=status, request=page))
    return page_of(found, shapes.RollbackOut.model_validate)


@router.get("/rollbacks/{rollback_id}", responses=problems(404), dependencies=[Depends(api_person)])
async def show_rollback(rollback_id: str, deps: DepsHere) -> shapes.RollbackInFull:
    """One rollback or preview with its first effects, who must agree to it and who has."""
    return await _shown(deps, rollback_id)


@router.get("/rollbacks/{rollback_id}/steps", responses=problems(404), dependencies=[Depends(api_person)])
async def list_steps(
    rollback_id: str,
    deps: DepsHere,
    page: PageWanted,
    verdict: Annotated[Undoable | None, Query(description="Only those of this verdict.")] = None,
    outcome: Annotated[StepOutcome | None, Query(description="Only those that have come to this.")] = None,
) -> schemas.Page[shapes.StepOut]:
    """Effects of a rollback or a preview in the order of undoing."""

    def look(session: Session) -> schemas.Page[shapes.StepOut]:
        rollbacks.header(session, rollback_id)
        found = rollback_steps.page(session, rollback_id, verdict=verdict, outcome=outcome, request=page)
        return page_of(found, shapes.StepOut.model_validate)

    return await deps.read(look)


@router.post("/rollbacks/{rollback_id}/decisions", responses=problems(404, 409))
async def decide_rollback(
    rollback_id: str, body: shapes.RollbackDecisionIn, viewer: Person, deps: DepsHere
) -> shapes.RollbackInFull:
    """Agree to a rollback that awaits approval, or refuse it; the last agreement that is needed lets it run."""
    await deps.gateway.decide_rollback(
        rollback_id, verb=body.verb, digest=body.digest, by=viewer.actor, reason=body.reason
    )
    return await _shown(deps, rollback_id)


@router.post("/rollbacks/{rollback_id}/withdrawal", responses=problems(404, 409))
async def withdraw_rollback(
    rollback_id: str, body: shapes.WithdrawRollbackIn, viewer: Person, deps: DepsHere
) -> shapes.RollbackInFull:
    """Take back a rollback that has not begun to undo."""
    await deps.gateway.withdraw_rollback(rollback_id, by=viewer.actor, reason=body.reason)
    return await _shown(deps, rollback_id)


@router.post("/rollbacks/{rollback_id}/hold", responses=problems(404, 409))
async def hold_rollback(rollback_id: str, viewer: Person, deps: DepsHere) -> shapes.RollbackInFull:
    """Let a rollback undo no further effect; those under way come to their end."""
    await deps.gateway.hold_rollback(rollback_id, by=viewer.actor)
    return await _shown(deps, rollback_id)


@router.post("/rollbacks/{rollback_id}/continue", responses=problems(404, 409))
async def continue_rollback(rollback_id: str, viewer: Person, deps: DepsHere) -> shapes.RollbackInFull:
    """Let a held rollback go on."""
    await deps.gateway.continue_rollback(rollback_id, by=viewer.actor)
    return await _shown(deps, rollback_id)


@router.post("/rollbacks/{rollback_id}/retries", status_code=202, responses=problems(404, 409))
async def retry_steps(rollback_id: str, body: shapes.RetryIn, viewer: Person, deps: DepsHere) -> shapes.RetriedOut:
    """Try again what was left for people: these steps, or all of them."""
    count = await deps.gateway.retry_steps(rollback_id, body.ordinals, by=viewer.actor)
    return shapes.RetriedOut(steps=count)


@router.post("/rollbacks/{rollback_id}/steps/{ordinal}/settlement", responses=problems(404, 409))
async def settle_step(
    rollback_id: str, ordinal: int, body: shapes.SettleStepIn, viewer: Person, deps: DepsHere
) -> shapes.StepSettledOut:
    """Close a step that was left: done by hand, or accepted as it is."""
    status = await deps.gateway.settle_step(
        rollback_id, ordinal, by=viewer.actor, how=body.how, note=body.note, evidence=body.evidence
    )
    return shapes.StepSettledOut(status=status)


async def _shown(deps: Deps, rollback_id: str) -> shapes.RollbackInFull:
    def look(session: Session) -> shapes.RollbackInFull:
        found = shapes.RollbackInFull.model_validate(rollbacks.one(session, rollback_id))
        return found.model_copy(update={"votes": list(rollbacks.votes(session, rollback_id))})

    return await deps.read(look)

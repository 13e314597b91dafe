"""Editing the arguments of pending requests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy.orm import Session

from assent.domain.errors import Conflict, NotFound
from assent.store.keys import KeyScope
from assent.store.queries import approvals, revisions
from assent.store.queries.checks_shown import first_revision
from assent.store.queries.revisions import EditView, RevisionView
from assent_ui.api import checks
from assent_ui.api import talk_schemas as schemas
from assent_ui.api.answers import problems
from assent_ui.api.callers import Caller, api_person, require_scope
from assent_ui.api.runs import MAX_WAIT
from assent_ui.auth import Viewer
from assent_ui.clicks import own_decision_id
from assent_ui.deps import Deps, DepsHere

router = APIRouter(tags=["approvals"])

Reader = Annotated[Caller, Depends(require_scope(KeyScope.RUNS_READ))]
ApprovalId = Annotated[str, Path(max_length=80)]
EditId = Annotated[str, Path(max_length=80)]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for the run to say what came of it.")]


@router.get("/approvals/{approval_id}/revisions", responses=problems(404))
async def list_revisions(approval_id: ApprovalId, caller: Reader, deps: DepsHere) -> schemas.Revisions:
    """Every revision of a request as it was shown, and edits that were refused."""

    def look(session: Session) -> tuple[str, tuple[RevisionView, ...], tuple[EditView, ...]]:
        found = approvals.one(session, approval_id)
        return found.agent, revisions.of_request(session, approval_id), revisions.edits(session, approval_id)

    try:
        agent, kept, edits = await deps.read(look)
    except NotFound:
        if (check := await checks.own(deps, approval_id, caller)) is None:
            raise
        return schemas.Revisions(revisions=[schemas.RevisionOut.model_validate(first_revision(check))], refused=[])
    caller.require_agent(agent, f"approval request {approval_id!r}", "approval_id")
    return schemas.Revisions(
        revisions=[schemas.RevisionOut.model_validate(each) for each in kept],
        refused=[schemas.RefusedEditOut.model_validate(each) for each in edits if each.revision is None],
    )


@router.post(
    "/approvals/{approval_id}/revisions",
    status_code=201,
    responses={
        202: {"model": schemas.EditOut, "description": "The run has not said yet; `wait` says where to look"},
        **problems(404, 409),
    },
)
async def revise(
    approval_id: ApprovalId,
    body: schemas.RevisionIn,
    viewer: Annotated[Viewer, Depends(api_person)],
    deps: DepsHere,
    response: Response,
    wait: Wait = 10,
) -> schemas.EditOut:
    """Edit a pending request's arguments: a new revision, for which earlier votes do not count.

    Whoever may approve it may edit it. The card's rules weigh the arguments again; what they refuse is answered with
    409, and the request stays as it was.
    """
    try:
        edit = await deps.gateway.revise(
            approval_id,
            body.arguments,
            digest=body.digest,
            by=viewer.actor,
            reason=body.reason,
            edit_id=own_decision_id(body.id, viewer.id),
        )
    except NotFound as error:
        return await checks.change(deps, approval_id, body, viewer.actor, error)
    view = await deps.gateway.edited(edit.id, wait_seconds=wait)
    if view is None:
        response.status_code = 202
        here = f"/api/v1/approvals/{approval_id}/revisions/{edit.id}?wait=10"
        return schemas.EditOut(
            id=edit.id,
            approval_id=approval_id,
            revision=None,
            digest=None,
            by=edit.by,
            reason=edit.reason,
            at=edit.at,
            wait=here,
        )
    return await _made(view, deps)


@router.get(
    "/approvals/{approval_id}/revisions/{edit_id}",
    responses=problems(404, 409),
)
async def show_edit(
    approval_id: ApprovalId,
    edit_id: EditId,
    viewer: Annotated[Viewer, Depends(api_person)],
    deps: DepsHere,
    wait: Wait = 0,
) -> schemas.EditOut:
    """What became of an edit that was sent: the revision it made, or 409 with the reason why it made none."""
    view = await deps.gateway.edited(edit_id, wait_seconds=wait)
    if view is None or view.approval_id != approval_id:
        raise NotFound("The run has not said yet.", where="edit", todo="Ask again; `wait` waits for it.")
    return await _made(view, deps)


async def _made(view: EditView, deps: Deps) -> schemas.EditOut:
    """An edit that the run has looked at.

    Raises:
        Conflict: It made no revision.
    """
    revision = view.revision
    if revision is None:
        raise Conflict(view.why_not, where="edit", todo="The request stays as it was.")
    made = await deps.read(lambda session: revisions.one(session, view.approval_id, revision))
    return schemas.EditOut(
        id=view.id,
        approval_id=view.approval_id,
        revision=revision,
        digest=made.digest,
        by=view.by,
        reason=view.reason,
        at=view.at,
        wait=None,
    )

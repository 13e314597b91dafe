"""How a vote stands, what became of a decision, and who else decides."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.orm import Session

from assent.domain.assurance import of_actor
from assent.domain.errors import NotFound
from assent.domain.voting import why_not_sure
from assent.store import people
from assent.store.keys import KeyScope
from assent.store.queries import approvals
from assent.store.queries.checks_shown import may_do_with, standing_of
from assent.store.queries.standing import MayDo, Standing, may_do, standing
from assent_ui.api import checks
from assent_ui.api import voting_schemas as schemas
from assent_ui.api.answers import problems
from assent_ui.api.callers import Caller, api_person, require_scope
from assent_ui.api.runs import MAX_WAIT
from assent_ui.auth import Viewer
from assent_ui.deps import Deps, DepsHere

router = APIRouter(tags=["approvals"])

Reader = Annotated[Caller, Depends(require_scope(KeyScope.RUNS_READ))]
ApprovalId = Annotated[str, Path(max_length=80)]
DecisionId = Annotated[str, Path(max_length=80)]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for the run to take it up.")]


@router.get("/approvals/{approval_id}/standing", responses=problems(404))
async def show_standing(approval_id: ApprovalId, caller: Reader, deps: DepsHere) -> schemas.StandingForYou:
    """Who is still needed, what time brings next, what silence means; and what you may do about it."""
    now = deps.clock()

    def look(session: Session) -> tuple[str, Standing, MayDo | None]:
        found = approvals.one(session, approval_id)
        viewer = caller.viewer
        mine = None
        if viewer is not None:
            mine = may_do(session, approval_id, viewer.id, of_actor(viewer.actor), now)
        return found.agent, standing(session, approval_id, now), mine

    try:
        agent, found, mine = await deps.read(look)
    except NotFound:
        if (check := await checks.own(deps, approval_id, caller)) is None or caller.viewer is None:
            raise
        actor = caller.viewer.actor
        why_not = why_not_sure(check.rules.electorate, of_actor(actor)) if not check.over else ""
        agent, found, mine = check.agent, standing_of(check), may_do_with(why_not)
    caller.require_agent(agent, f"approval request {approval_id!r}", "approval_id")
    stands = schemas.StandingOut.model_validate(found)
    you = None if mine is None else schemas.MayDoOut.model_validate(mine)
    return schemas.StandingForYou(**dict(stands), you=you)


@router.get("/approvals/{approval_id}/decisions/{decision_id}", responses=problems(404))
async def show_fate(
    approval_id: ApprovalId,
    decision_id: DecisionId,
    viewer: Annotated[Viewer, Depends(api_person)],
    deps: DepsHere,
    wait: Wait = 0,
) -> schemas.FateOut:
    """What became of a decision that was sent: whether it counted, and if not, why not."""
    found = await deps.gateway.fate(decision_id, wait_seconds=wait)
    if found is None or found.approval_id != approval_id:
        raise NotFound("The run has not taken it up yet.", where="decision", todo="Ask again; `wait` waits for it.")
    return schemas.FateOut.model_validate(found)


@router.post("/approvals/{approval_id}/reassignments", status_code=201, responses=problems(404, 409))
async def reassign(
    approval_id: ApprovalId, body: schemas.HandOnIn, viewer: Annotated[Viewer, Depends(api_person)], deps: DepsHere
) -> schemas.HandedOut:
    """Let somebody decide a pending request in your place; operators and owners may do it for others."""
    to = await _person(deps, body.to, "to")
    giver = None if body.from_person is None else await _person(deps, body.from_person, "from_person")
    try:
        await deps.gateway.reassign(approval_id, to=to, from_person=giver, by=viewer.actor, reason=body.reason)
    except NotFound as error:
        return await checks.hand(deps, approval_id, to, body.reason, viewer.actor, error)
    return schemas.HandedOut(approval_id=approval_id, to=to)


@router.post("/approvals/{approval_id}/asked", status_code=201, responses=problems(404, 409))
async def ask_also(
    approval_id: ApprovalId, body: schemas.AskAlsoIn, viewer: Annotated[Viewer, Depends(api_person)], deps: DepsHere
) -> schemas.HandedOut:
    """Ask somebody else besides: either of you decides it, as one voice."""
    to = await _person(deps, body.to, "to")
    try:
        await deps.gateway.ask_also(approval_id, to=to, by=viewer.actor, reason=body.reason)
    except NotFound as error:
        return await checks.hand(deps, approval_id, to, body.reason, viewer.actor, error)
    return schemas.HandedOut(approval_id=approval_id, to=to)


async def _person(deps: Deps, who: str, where: str) -> str:
    """Somebody's id, by id or address.

    Raises:
        NotFound: There is nobody like that.
    """
    found = await deps.read(lambda session: people.one(session, who) or people.by_email(session, who))
    if found is None:
        raise NotFound(f"There is no person {who!r}.", where=where, todo="Give their id or address.")
    return found.id

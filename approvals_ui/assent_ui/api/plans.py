"""Plans approved as a whole, and several requests decided at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from sqlalchemy.orm import Session

from assent.domain.errors import NotFound
from assent.gateway import ManyResult, OneOfMany
from assent.store.keys import KeyScope
from assent.store.queries import grants, runs
from assent.store.queries.grants import PlanApprovalView
from assent_ui.api import grant_schemas
from assent_ui.api.answers import problems
from assent_ui.api.callers import Caller, require_scope
from assent_ui.api.grants import Person, Revoker
from assent_ui.api.schemas import CheckOut, DecisionOut
from assent_ui.clicks import own_decision_id
from assent_ui.deps import DepsHere

router = APIRouter(tags=["approvals"])

Reader = Annotated[Caller, Depends(require_scope(KeyScope.RUNS_READ))]
RunId = Annotated[str, Path(max_length=100)]


@router.post("/approvals/decisions", responses=problems())
async def decide_many(body: grant_schemas.DecisionsIn, viewer: Person, deps: DepsHere) -> grant_schemas.DecisionsOut:
    """Send the same verdict on up to 200 requests, each bound to its own digest.

    Each is checked and recorded by itself; one that is refused does not keep the others from being sent. `check` in a
    decision says if it was a check that you were shown.
    """
    results = await deps.gateway.decide_many(
        [OneOfMany(approval_id=item.approval_id, digest=item.digest) for item in body.items],
        verb=body.verdict,
        by=viewer.actor,
        reason=body.reason,
        decision_id=own_decision_id(body.id, viewer.id),
    )
    items = [item_of(result) for result in results]
    sent = sum(1 for item in items if item.decision is not None)
    return grant_schemas.DecisionsOut(items=items, sent=sent, refused=len(items) - sent)


@router.get("/runs/{run_id}/plan", responses=problems(404))
async def show_plan(run_id: RunId, caller: Reader, deps: DepsHere) -> grant_schemas.PlanOut:
    """A run's whole plan with the steps that ask, and what approving it at once takes."""
    found = await deps.read(lambda session: runs.one(session, run_id))
    caller.require_agent(found.agent, f"run {run_id!r}", "run_id")
    offer = await deps.gateway.plan_offer(run_id)
    if offer is None:
        raise NotFound(
            f"The run {run_id} has no plan that asks for approval.",
            where="run_id",
            todo="A plan has several steps, at least one of which asks.",
        )

    def look(session: Session) -> tuple[PlanApprovalView, ...]:
        return grants.plan_approvals(session, run_id, now=deps.clock())

    given = await deps.read(look)
    return grant_schemas.PlanOut(
        **{name: getattr(offer, name) for name in ("run_id", "needs", "assurance", "digest", "ahead")},
        steps=[grant_schemas.PlanStepOut.model_validate(step, from_attributes=True) for step in offer.steps],
        approvals=[grant_schemas.PlanApprovalOut.model_validate(each) for each in given],
    )


@router.post("/runs/{run_id}/plan/approvals", status_code=201, responses=problems(404, 409))
async def approve_plan(
    run_id: RunId, body: grant_schemas.PlanApprovalIn, viewer: Person, deps: DepsHere
) -> grant_schemas.PlanApprovedOut:
    """Approve a run's whole plan, bound to its digest; the last person that is needed puts it in force.

    From then on the steps that match it exactly are not asked for, and those that wait already are approved.
    """
    made = await deps.gateway.approve_plan(run_id, digest=body.digest, by=viewer.actor, reason=body.reason)
    found = await deps.read(lambda session: grants.plan_approval(session, made.plan_approval_id, now=deps.clock()))
    return grant_schemas.PlanApprovedOut(
        approval=grant_schemas.PlanApprovalOut.model_validate(found), sent=[item_of(result) for result in made.sent]
    )


@router.post("/runs/{run_id}/plan/approvals/{plan_approval_id}/revocation", responses=problems(404, 409))
async def revoke_plan(
    run_id: RunId,
    plan_approval_id: Annotated[str, Path(max_length=80)],
    body: grant_schemas.RevocationIn,
    viewer: Revoker,
    deps: DepsHere,
) -> grant_schemas.PlanApprovalOut:
    """Revoke the approval of a plan: when this answers, it covers nothing that is not claimed.

    Needs the role approver, operator or owner.
    """
    found = await deps.read(lambda session: grants.plan_approval(session, plan_approval_id, now=deps.clock()))
    if found.run_id != run_id:
        raise NotFound(f"There is no approval {plan_approval_id!r} of this run's plan.", where="plan")
    made = await deps.gateway.revoke_plan(plan_approval_id, by=viewer.actor, reason=body.reason)
    return grant_schemas.PlanApprovalOut.model_validate(made)


def item_of(result: ManyResult) -> grant_schemas.ItemOut:
    """What came of one of several, as the API tells it."""
    made = result.decision
    return grant_schemas.ItemOut(
        approval_id=result.approval_id,
        decision=DecisionOut(
            id=made.id,
            approval_id=made.approval_id,
            action_id=made.action_id,
            verdict=made.verb,
            reason=made.reason,
            by=made.by,
            at=made.at,
            check=None if result.check is None else CheckOut.of(result.check),
        )
        if made
        else None,
        refusal=None if made else grant_schemas.RefusalOut(code=result.code, what=result.what, todo=result.todo),
    )

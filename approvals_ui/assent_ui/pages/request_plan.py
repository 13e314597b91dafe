"""Approving the whole plan that a request belongs to."""

from __future__ import annotations

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import AssentError
from assent.gateway import PlanOffer
from assent.store.queries import approvals, grants
from assent.store.queries.grants import PlanApprovalView
from assent_ui.pages import checks
from assent_ui.pages.context import Here, Place
from assent_ui.pages.request_parts import refused_in_thread, request_context

router = APIRouter()


@router.get("/approvals/{approval_id}/plan", response_class=HTMLResponse)
async def show(here: Here, approval_id: str) -> Response:
    """Every step of the plan, and which of them would ask."""
    if (back := await here.in_thread(lambda: checks.instead(here, approval_id))) is not None:
        return back
    run_id = await here.in_thread(lambda: _run_of(here, approval_id))
    offer = await here.gateway.plan_offer(run_id)
    return await here.in_thread(lambda: _page(here, approval_id, offer))


@router.post("/approvals/{approval_id}/plan")
async def approve(here: Here, approval_id: str, digest: str = Form(""), reason: str = Form("")) -> Response:
    """Approve the plan as it was shown."""
    try:
        run_id = await here.in_thread(lambda: _run_of(here, approval_id))
        await here.gateway.approve_plan(run_id, digest=digest, by=here.viewer.actor, reason=reason)
    except AssentError as error:
        return await refused_in_thread(here, approval_id, error, typed={"reason": reason})
    return RedirectResponse(f"/approvals/{approval_id}/plan", status_code=303)


def _page(here: Place, approval_id: str, offer: PlanOffer | None) -> HTMLResponse:
    with here.database.read() as session:
        context = request_context(here, session, approvals.one(session, approval_id))
        given: PlanApprovalView | None = None
        if offer is not None and offer.approval_id:
            given = grants.plan_approval(session, offer.approval_id, now=here.clock())
        context |= {"offer": offer, "given": given}
        return here.show(session, "request_plan.html", "inbox", **context)


def _run_of(here: Place, approval_id: str) -> str:
    with here.database.read() as session:
        return approvals.one(session, approval_id).run_id

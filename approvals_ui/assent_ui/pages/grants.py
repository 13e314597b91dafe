"""Grants: what runs without being asked for, and who said so?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.errors import AssentError, Conflict, Forbidden, NeedsProof, NotFound
from assent.domain.grants import GrantStatus
from assent.domain.people import Role
from assent.domain.plans import PlanApprovalStatus
from assent.gateway import PlanOffer
from assent.store.queries import grants, words_wanted
from assent.store.queries.grants import GrantView, PlanApprovalView
from assent.store.queries.paging import PageRequest
from assent_ui.api.grants import may_revoke
from assent_ui.pages.context import Here, Place, typed
from assent_ui.rendering.faces import GRANT

router = APIRouter()

USES = 25
"""Uses on a page."""

IN_INBOX = 3
"""Grants that wait for the viewer's word, shown above the requests of their inbox."""


@router.get("/grants", response_class=HTMLResponse)
def list_grants(here: Here, agent: str = "", status: str = "", cursor: str | None = None) -> HTMLResponse:
    """Standing grants, newest first."""
    chosen = GrantStatus(status) if status in list(GrantStatus) else None
    with here.database.read() as session:
        page = grants.page(
            session, now=here.clock(), agent=agent or None, status=chosen, request=PageRequest(cursor=cursor)
        )
        return here.show(
            session,
            "grants.html",
            "agents",
            page=page,
            agents=here.agent_names(session),
            agent=agent,
            chosen=chosen.value if chosen else "",
            statuses=[("", "All"), *((each.value, GRANT[each].word) for each in GrantStatus)],
            later=cursor is not None,
        )


@router.get("/grants/{grant_id}", response_class=HTMLResponse)
def grant(here: Here, grant_id: str, cursor: str | None = None) -> HTMLResponse:
    """One grant: what it covers, who gave their word, and each use."""
    return _grant(here, grant_id, cursor=cursor)


@router.post("/grants/{grant_id}/confirm")
async def confirm(here: Here, grant_id: str, digest: str = Form("")) -> Response:
    """Give one's word for a pending grant."""
    try:
        await here.gateway.confirm_grant(grant_id, digest=digest, by=here.viewer.actor)
    except (NotFound, NeedsProof):
        raise
    except AssentError as error:
        return await here.in_thread(partial(_grant, here, grant_id, problem=error))
    return RedirectResponse(f"/grants/{grant_id}", status_code=303)


@router.post("/grants/{grant_id}/revoke")
async def revoke(here: Here, grant_id: str, reason: str = Form("")) -> Response:
    """Revoke a grant."""
    _require_revoker(here)
    revoking = here.gateway.revoke_grant(grant_id, by=here.viewer.actor, reason=typed(reason))

    def again(error: AssentError) -> Awaitable[HTMLResponse]:
        return here.in_thread(partial(_grant, here, grant_id, problem=error))

    return await _revoked(revoking, again, f"/grants/{grant_id}")


@router.get("/plans/{plan_approval_id}", response_class=HTMLResponse)
async def plan(here: Here, plan_approval_id: str, cursor: str | None = None) -> HTMLResponse:
    """The approval of a run's whole plan: who gave their word, each step that it covered, or would cover."""
    return await _plan(here, plan_approval_id, cursor=cursor)


@router.post("/plans/{plan_approval_id}/confirm")
async def confirm_plan(here: Here, plan_approval_id: str, digest: str = Form("")) -> Response:
    """Approve a plan, too, that waits for further people."""
    try:
        found = await here.in_thread(partial(_plan_approval, here, plan_approval_id))
        if found.status is not PlanApprovalStatus.PENDING:
            raise Conflict(f"The approval is {found.status.value}.", where="plan", todo="Nothing was changed.")
        await here.gateway.approve_plan(found.run_id, digest=digest, by=here.viewer.actor)
    except (NotFound, NeedsProof):
        raise
    except AssentError as error:
        return await _plan(here, plan_approval_id, problem=error)
    return RedirectResponse(f"/plans/{plan_approval_id}", status_code=303)


@router.post("/plans/{plan_approval_id}/revoke")
async def revoke_plan(here: Here, plan_approval_id: str, reason: str = Form("")) -> Response:
    """Revoke the approval of a plan."""
    _require_revoker(here)
    revoking = here.gateway.revoke_plan(plan_approval_id, by=here.viewer.actor, reason=typed(reason))

    def again(error: AssentError) -> Awaitable[HTMLResponse]:
        return _plan(here, plan_approval_id, problem=error)

    return await _revoked(revoking, again, f"/plans/{plan_approval_id}")


async def _revoked(
    revoking: Awaitable[object], again: Callable[[AssentError], Awaitable[HTMLResponse]], address: str
) -> Response:
    """Lead back to what was revoked, or show it with the reason why it could not be."""
    try:
        await revoking
    except NotFound:
        raise
    except AssentError as error:
        return await again(error)
    return RedirectResponse(address, status_code=303)


def waiting_for(here: Place, session: Session) -> tuple[GrantView, ...]:
    """The grants that the viewer's word would bring nearer, for their inbox."""
    if not here.viewer.may(Role.APPROVER):
        return ()
    return words_wanted.grants_for(session, here.viewer.id, here.clock())


def _require_revoker(here: Place) -> None:
    if not may_revoke(here.viewer):
        raise Forbidden("You may not revoke it.", where="role", todo="It needs the role approver, operator or owner.")


def _grant(
    here: Place, grant_id: str, *, cursor: str | None = None, problem: AssentError | None = None
) -> HTMLResponse:
    with here.database.read() as session:
        found = grants.one(session, grant_id, now=here.clock())
        mine = any(word.by.id == here.viewer.id for word in found.words)
        return here.show(
            session,
            "grant.html",
            "agents",
            status=problem.status if problem else 200,
            grant=found,
            uses=grants.uses(session, grant_id, request=PageRequest(USES, cursor)),
            later=cursor is not None,
            open=found.status in (GrantStatus.PENDING, GrantStatus.ACTIVE, GrantStatus.SPENT),
            may_confirm=found.status is GrantStatus.PENDING and here.viewer.may(Role.APPROVER) and not mine,
            may_revoke=may_revoke(here.viewer),
            problem=problem,
        )


async def _plan(
    here: Place, plan_approval_id: str, *, cursor: str | None = None, problem: AssentError | None = None
) -> HTMLResponse:
    found = await here.in_thread(partial(_plan_approval, here, plan_approval_id))
    offer: PlanOffer | None = None
    if found.status is PlanApprovalStatus.PENDING:
        offer = await here.gateway.plan_offer(found.run_id)
    # What would be weighed otherwise by now is approved anew, from a request.
    shown = offer if offer is not None and offer.digest == found.digest else None
    return await here.in_thread(partial(_plan_page, here, found, shown, cursor, problem))


def _plan_page(
    here: Place, found: PlanApprovalView, offer: PlanOffer | None, cursor: str | None, problem: AssentError | None
) -> HTMLResponse:
    mine = any(word.by.id == here.viewer.id for word in found.words)
    with here.database.read() as session:
        return here.show(
            session,
            "plan_approval.html",
            "runs",
            status=problem.status if problem else 200,
            plan=found,
            offer=offer,
            uses=grants.uses(session, found.id, request=PageRequest(USES, cursor)),
            later=cursor is not None,
            open=found.status is not PlanApprovalStatus.REVOKED,
            may_confirm=here.viewer.may(Role.APPROVER) and not mine,
            may_revoke=may_revoke(here.viewer),
            problem=problem,
        )


def _plan_approval(here: Place, plan_approval_id: str) -> PlanApprovalView:
    with here.database.read() as session:
        return grants.plan_approval(session, plan_approval_id, now=here.clock())

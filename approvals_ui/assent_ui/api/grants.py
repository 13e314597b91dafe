"""Standing grants: what people approve from now on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy.orm import Session

from assent.domain.errors import Forbidden
from assent.domain.grants import GrantStatus
from assent.domain.people import Role
from assent.store.keys import KeyScope
from assent.store.queries import grants
from assent.store.queries.grants import GrantView, UseView
from assent.store.queries.paging import Page, PageRequest
from assent_ui.api import grant_schemas, schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import Caller, api_person, require_scope
from assent_ui.auth import Viewer
from assent_ui.clicks import own_decision_id
from assent_ui.deps import DepsHere

router = APIRouter(tags=["grants"])

Reader = Annotated[Caller, Depends(require_scope(KeyScope.RUNS_READ))]
Person = Annotated[Viewer, Depends(api_person)]
GrantId = Annotated[str, Path(max_length=80)]


def may_revoke(viewer: Viewer) -> bool:
    """Whether a person may revoke grants and approvals of plans: anybody who decides, operates or owns."""
    return any(viewer.may(role) for role in (Role.APPROVER, Role.OPERATOR, Role.OWNER))


async def revoker(viewer: Person) -> Viewer:
    """The signed-in person, who may revoke.

    Raises:
        Forbidden: They may not.
    """
    if not may_revoke(viewer):
        raise Forbidden("You may not revoke it.", where="role", todo="It needs the role approver, operator or owner.")
    return viewer


Revoker = Annotated[Viewer, Depends(revoker)]


@router.get("/approvals/{approval_id}/grant", responses=problems(404))
async def grant_offer(
    approval_id: Annotated[str, Path(max_length=80)], viewer: Person, deps: DepsHere
) -> grant_schemas.GrantOfferOut:
    """What you may grant on the occasion of a request, or why not."""
    offer = await deps.gateway.grant_offer(approval_id, by=viewer.actor)
    return grant_schemas.GrantOfferOut.model_validate(offer)


@router.get("/grants", responses=problems())
async def list_grants(
    caller: Reader,
    deps: DepsHere,
    page: Annotated[PageRequest, Depends(page_request)],
    agent: Annotated[str | None, Query(max_length=200)] = None,
    status: GrantStatus | None = None,
) -> schemas.Page[grant_schemas.GrantOut]:
    """Standing grants, newest first. A key shows those of its own agent."""
    now = deps.clock()

    def look(session: Session) -> Page[GrantView]:
        return grants.page(session, now=now, agent=caller.agent or agent, status=status, request=page)

    return page_of(await deps.read(look), grant_schemas.GrantOut.model_validate)


@router.post("/grants", status_code=201, responses=problems(404, 409))
async def give(
    body: grant_schemas.GrantIn, viewer: Person, deps: DepsHere, response: Response
) -> grant_schemas.GrantOut:
    """Give a standing grant: within what the card allows, and no further than you may approve.

    Where the card asks for several people it is pending until as many have confirmed it.
    """
    click = own_decision_id(body.id, viewer.id)
    made = await deps.gateway.grant(
        body.terms,
        by=viewer.actor,
        note=body.note,
        approval_id=body.approval_id,
        grant_id=f"grant-{click[:20]}" if click else None,
    )
    response.headers["Location"] = f"/api/v1/grants/{made.id}"
    return grant_schemas.GrantOut.model_validate(made)


@router.get("/grants/{grant_id}", responses=problems(404))
async def show_grant(grant_id: GrantId, caller: Reader, deps: DepsHere) -> grant_schemas.GrantOut:
    """One grant, with who gave their word and who must still."""
    return grant_schemas.GrantOut.model_validate(await _seen(grant_id, caller, deps, deps.clock()))


@router.get("/grants/{grant_id}/uses", responses=problems(404))
async def list_uses(
    grant_id: GrantId, caller: Reader, deps: DepsHere, page: Annotated[PageRequest, Depends(page_request)]
) -> schemas.Page[grant_schemas.UseOut]:
    """Every action that a grant covered, newest first."""
    await _seen(grant_id, caller, deps, deps.clock())

    def look(session: Session) -> Page[UseView]:
        return grants.uses(session, grant_id, request=page)

    return page_of(await deps.read(look), grant_schemas.UseOut.model_validate)


@router.post("/grants/{grant_id}/confirmations", responses=problems(404, 409))
async def confirm(
    grant_id: GrantId, body: grant_schemas.ConfirmationIn, viewer: Person, deps: DepsHere
) -> grant_schemas.GrantOut:
    """Give your word for a pending grant; the last one that is needed makes it active."""
    made = await deps.gateway.confirm_grant(grant_id, digest=body.digest, by=viewer.actor)
    return grant_schemas.GrantOut.model_validate(made)


@router.post("/grants/{grant_id}/revocation", responses=problems(404, 409))
async def revoke(
    grant_id: GrantId, body: grant_schemas.RevocationIn, viewer: Revoker, deps: DepsHere
) -> grant_schemas.GrantOut:
    """Revoke a grant: when this answers, it covers nothing that is not claimed.

    Needs the role approver, operator or owner.
    """
    made = await deps.gateway.revoke_grant(grant_id, by=viewer.actor, reason=body.reason)
    return grant_schemas.GrantOut.model_validate(made)


async def _seen(grant_id: str, caller: Caller, deps: DepsHere, now: datetime) -> GrantView:
    found = await deps.read(lambda session: grants.one(session, grant_id, now=now))
    caller.require_agent(found.terms.agent, f"grant {grant_id!r}", "grant")
    return found

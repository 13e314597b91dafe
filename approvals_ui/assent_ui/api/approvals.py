"""Approval requests and decisions on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, FiniteFloat
from sqlalchemy.orm import Session

from assent.domain.approvals import ApprovalStatus
from assent.domain.errors import InvalidInput, NotFound
from assent.store import electorate, openings
from assent.store.keys import KeyScope
from assent.store.queries import approvals, checks_shown, inbox
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.inbox import Wanted
from assent.store.queries.inbox_walk import Bounds
from assent.store.queries.paging import Page, PageRequest
from assent_ui.api import checks, schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import Caller, api_person, require_scope
from assent_ui.auth import Viewer
from assent_ui.clicks import own_decision_id
from assent_ui.deps import DepsHere

router = APIRouter(tags=["approvals"])

Reader = Annotated[Caller, Depends(require_scope(KeyScope.RUNS_READ))]


LONGEST = 200
"""Characters of the words that are searched for."""

SEARCHED = (
    "Words that requests have, waiting or decided: of their headlines, and of names and ids of their records; "
    "beginnings are enough. People only."
)

Amount = Annotated[FiniteFloat | None, Query(description="Of those that wait: moving this much, or more or less.")]
Before = Annotated[AwareDatetime | None, Query(description="Of those that wait: before this time, with its zone.")]


def wanted_bounds(
    agent: str | None = None,
    type: Annotated[str | None, Query(description="Of those that wait: of this action type.")] = None,
    least: Amount = None,
    most: Amount = None,
    asked_before: Before = None,
    due_before: Before = None,
) -> Bounds:
    """What requests must be."""
    return Bounds(agent, type, least, most, asked_before, due_before)


@router.get("/approvals", responses=problems())
async def list_approvals(
    caller: Reader,
    deps: DepsHere,
    page: Annotated[PageRequest, Depends(page_request)],
    bounds: Annotated[Bounds, Depends(wanted_bounds)],
    status: Annotated[
        ApprovalStatus | None, Query(description="Those in this status; `pending`, or any of them with `search`.")
    ] = None,
    mine: Annotated[bool, Query(description="Of those that wait: for you, or for whom you stand in.")] = False,
    search: Annotated[str, Query(max_length=LONGEST, description=SEARCHED)] = "",
) -> schemas.Page[schemas.ApprovalOut]:
    """Requests: pending ones soonest due first, others newest first, by `agent` alone; with `search` newest first.

    A page may hold fewer than asked for; go on as long as there is a `next_cursor`.
    """
    viewer, now = caller.viewer, deps.clock()
    bounds = replace(bounds, agent=caller.agent or bounds.agent)
    if mine and caller.viewer is None:
        raise InvalidInput("Nothing waits for an agent.", where="mine", todo="Leave it out, or sign in as a person.")
    words = search.strip()
    if words and viewer is None:
        # However few it were shown, how many pages there are would tell of the requests of others.
        raise InvalidInput("Agents search no requests.", where="search", todo="Leave it out, or sign in as a person.")
    if words and mine:
        raise InvalidInput("Searching looks at all requests.", where="mine", todo="Leave out one of the two.")

    def look(session: Session) -> Page[ApprovalView]:
        if words and viewer is not None:
            return checks_shown.found(session, viewer.id, words, now, status=status, bounds=bounds, request=page)
        if status not in (None, ApprovalStatus.PENDING):
            return approvals.closed(session, status=status, agent=bounds.agent, request=page)
        tokens: tuple[str, ...] | None = None
        if mine and viewer is not None:
            tokens = inbox.asked_now(session, electorate.tokens_of(session, viewer.id, now))
        whose = viewer.id if viewer is not None else ""
        return checks_shown.waiting(session, whose, Wanted(bounds, tokens), now, request=page)

    return page_of(await deps.read(look), schemas.ApprovalOut.model_validate)


@router.get("/approvals/{approval_id}", responses=problems(404))
async def show_approval(approval_id: str, caller: Reader, deps: DepsHere) -> schemas.ApprovalInFull:
    """One request with everything an approver is shown, and its votes."""
    try:
        found = await deps.read(lambda session: approvals.one(session, approval_id))
    except NotFound:
        if (check := await checks.own(deps, approval_id, caller)) is None:
            raise
        return await checks.in_full(deps, check)
    caller.require_agent(found.agent, f"approval request {approval_id!r}", "approval_id")
    if (viewer := caller.viewer) is not None:
        await run_sync(lambda: openings.note(deps.database, approval_id, viewer.id, deps.clock()))
    return schemas.ApprovalInFull.model_validate(found)


@router.post("/approvals/{approval_id}/decisions", status_code=202, responses=problems(404, 409))
async def decide(
    approval_id: str, body: schemas.DecisionIn, viewer: Annotated[Viewer, Depends(api_person)], deps: DepsHere
) -> schemas.DecisionOut:
    """Approve or reject. Needs the role approver, and the digest of what was shown.

    If it was a seeded check, `check` says so at once.
    """
    try:
        decision = await deps.gateway.decide(
            approval_id,
            verb=body.verdict,
            digest=body.digest,
            by=viewer.actor,
            reason=body.reason,
            decision_id=own_decision_id(body.id, viewer.id),
        )
    except NotFound as error:
        return await checks.decide(deps, approval_id, body, viewer.actor, error)
    return schemas.DecisionOut(
        id=decision.id,
        approval_id=decision.approval_id,
        action_id=decision.action_id,
        verdict=decision.verb,
        reason=decision.reason,
        by=decision.by,
        at=decision.at,
    )

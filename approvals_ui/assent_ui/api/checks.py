"""Seeded checks over the API: shown to their person like requests, and told for what they are in the answer."""

from __future__ import annotations

import uuid

from assent.domain.approvals import Verb
from assent.domain.checks import Check, handed
from assent.domain.errors import NotFound
from assent.domain.people import Actor
from assent.domain.talk import CommentKind
from assent.store.queries.checks_shown import as_request
from assent_ui.api import schemas, talk_schemas
from assent_ui.api.callers import Caller
from assent_ui.api.voting_schemas import HandedOut
from assent_ui.deps import Deps


async def own(deps: Deps, approval_id: str, caller: Caller) -> Check | None:
    """The caller's own check of this id; ``None`` if it is none, another's, or they are an agent."""
    return None if caller.viewer is None else await deps.gateway.check_of(approval_id, caller.viewer.id)


async def in_full(deps: Deps, check: Check) -> schemas.ApprovalInFull:
    """A check as its person sees it."""
    found = schemas.ApprovalInFull.model_validate(await deps.read(lambda session: as_request(session, check)))
    return found.model_copy(update={"check": _told(check)})


async def decide(
    deps: Deps, approval_id: str, body: schemas.DecisionIn, by: Actor, unknown: NotFound
) -> schemas.DecisionOut:
    """Decide a check of somebody's.

    Raises:
        NotFound: They have none such: the error that was given.
        AssentError: As for a request.
    """
    if await deps.gateway.check_of(approval_id, by.id) is None:
        raise unknown
    check = await deps.gateway.decide_check(
        approval_id, verb=body.verdict, digest=body.digest, by=by, reason=body.reason
    )
    return await decision_of(deps, check, body.verdict, by, body.reason, id=body.id)


async def decision_of(
    deps: Deps, check: Check, verb: Verb, by: Actor, reason: str, *, id: str | None
) -> schemas.DecisionOut:
    """A verdict on a check, which went to no run."""
    shown = await deps.read(lambda session: as_request(session, check))
    return schemas.DecisionOut(
        id=id or uuid.uuid4().hex,
        approval_id=check.id,
        action_id=shown.action_id,
        verdict=verb,
        reason=reason.strip(),
        by=by,
        at=check.ended_at or deps.clock(),
        check=_told(check),
    )


async def ask(
    deps: Deps, approval_id: str, kind: CommentKind, text: str, by: Actor, *, id: str | None
) -> talk_schemas.CommentOut:
    """Write about a check of one's own, or ask: that ends it, and no agent is asked.

    Raises:
        NotFound: They have no such check.
        AssentError: As for a request.
    """
    check = await deps.gateway.ask_about_check(approval_id, text, by=by)
    return talk_schemas.CommentOut(
        id=id or f"c-{uuid.uuid4().hex[:16]}",
        approval_id=check.id,
        run_id=check.card.run_id,
        kind=kind,
        by=by,
        by_agent=False,
        text=text.strip(),
        at=check.ended_at or deps.clock(),
        reply_to=None,
        answered_at=None,
        check=_told(check),
    )


async def hand(deps: Deps, approval_id: str, to: str, reason: str, by: Actor, unknown: NotFound) -> HandedOut:
    """Ask somebody else to decide a check of one's own: that ends it, and nobody else is asked.

    Raises:
        NotFound: They have none such: the error that was given.
        AssentError: As for a request.
    """
    if await deps.gateway.check_of(approval_id, by.id) is None:
        raise unknown
    check = await deps.gateway.ask_about_check(approval_id, handed(reason), by=by)
    return HandedOut(approval_id=check.id, to=to, check=_told(check))


async def change(
    deps: Deps, approval_id: str, body: talk_schemas.RevisionIn, by: Actor, unknown: NotFound
) -> talk_schemas.EditOut:
    """Set out to change a check of one's own: that ends it, and nothing is changed.

    Raises:
        NotFound: They have none such: the error that was given.
        AssentError: As for a request.
    """
    if await deps.gateway.check_of(approval_id, by.id) is None:
        raise unknown
    check = await deps.gateway.change_check(approval_id, body.arguments, digest=body.digest, by=by, reason=body.reason)
    return talk_schemas.EditOut(
        id=body.id or uuid.uuid4().hex,
        approval_id=check.id,
        revision=None,
        digest=None,
        by=by,
        reason=body.reason.strip(),
        at=check.ended_at or deps.clock(),
        wait=None,
        check=_told(check),
    )


def _told(check: Check) -> schemas.CheckOut | None:
    """What is told of a check: nothing while it waits."""
    return schemas.CheckOut.of(check) if check.over else None

"""Runs and their actions."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Path, Query, Response

from assent.domain.actions import ActionOutcome, ProposedAction
from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from assent.domain.people import Role
from assent.domain.runs import RunStatus
from assent.gateway import StartRun
from assent.store.keys import KeyScope
from assent.store.queries import runs, timeline
from assent.store.queries.paging import PageRequest
from assent.store.queries.runs import RunView
from assent.store.queries.timeline import TIMELINE_LIMIT
from assent_ui.api import schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import Caller, require_scope
from assent_ui.deps import Deps, DepsHere

router = APIRouter(tags=["runs"])

MAX_WAIT = 60.0
"""Seconds one request waits for an outcome at most; wait again for longer."""

_LOOK_EVERY = 0.02
_LOOKS = 100

KEY = r"^[A-Za-z0-9._-]{1,80}$"

Reader = Annotated[Caller, Depends(require_scope(KeyScope.RUNS_READ))]
Writer = Annotated[Caller, Depends(require_scope(KeyScope.RUNS_WRITE))]
RunId = Annotated[str, Path(max_length=200)]
ActionKey = Annotated[str, Path(pattern=KEY)]
PageWanted = Annotated[PageRequest, Depends(page_request)]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for the action to settle.")]


@router.post("/runs", status_code=201, responses=problems(404, 409))
async def start_run(body: schemas.RunIn, caller: Writer, deps: DepsHere, response: Response) -> schemas.RunStarted:
    """Start a run.

    Sending the same `run_id` again gives the same run. Agents start their own runs, people need the role operator.
    """
    agent = _own_agent(body.agent, caller)
    if body.run_id is not None:
        await _refuse_foreign(body.run_id, agent, deps)
    request = StartRun(
        agent=agent,
        goal=body.goal,
        received=body.received,
        plan=[_proposed(action) for action in body.plan],
        open=not body.plan if body.open is None else body.open,
        on_failure=body.on_failure,
        run_id=body.run_id,
        idle_seconds=body.idle_seconds,
        labels=body.labels,
    )
    run_id = await deps.gateway.start_run(request, by=caller.actor)
    if body.run_id is None:
        deps.owners.remember(run_id, agent)
    else:
        deps.owners.claim(run_id, agent)
    here = f"/api/v1/runs/{run_id}"
    response.headers["Location"] = here
    return schemas.RunStarted(
        run_id=run_id,
        agent=agent,
        actions=f"{here}/actions",
        timeline=f"{here}/timeline",
        events=f"{here}/events",
        page=f"{deps.public_url}/runs/{run_id}",
    )


@router.get("/runs", responses=problems())
async def list_runs(
    caller: Reader, deps: DepsHere, page: PageWanted, agent: str | None = None, status: RunStatus | None = None
) -> schemas.Page[schemas.RunOut]:
    """Runs, newest first; an agent's key shows its own."""
    agent = caller.agent or agent
    found = await deps.read(lambda session: runs.page(session, agent=agent, status=status, request=page))
    return page_of(found, schemas.RunOut.model_validate)


@router.get("/runs/{run_id}", responses=problems(404))
async def show_run(run_id: RunId, caller: Reader, deps: DepsHere) -> schemas.RunOut:
    """One run."""
    found = await _found(run_id, caller, deps)
    caller.require_agent(found.agent, f"run {run_id!r}", "run_id")
    return schemas.RunOut.model_validate(found)


@router.post("/runs/{run_id}/end", status_code=202, responses=problems(404))
async def end_run(run_id: RunId, body: schemas.EndIn, caller: Writer, deps: DepsHere) -> schemas.Ending:
    """Let a run take no more proposals; one that has ended stays as it is. People need the role operator."""
    await own_run(run_id, caller, deps)
    _require_operator(caller, "end a run")
    # The run exists, so one that cannot be found any more has ended, perhaps by this request's first try.
    with suppress(NotFound):
        await deps.gateway.end_run(run_id, by=caller.actor, summary=body.summary, stop=body.stop)
    return schemas.Ending(run_id=run_id)


@router.get("/runs/{run_id}/timeline", responses=problems(404))
async def show_timeline(
    run_id: RunId,
    caller: Reader,
    deps: DepsHere,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=1, le=TIMELINE_LIMIT)] = TIMELINE_LIMIT,
) -> schemas.Timeline:
    """What happened in a run, oldest first."""
    await own_run(run_id, caller, deps)
    events = await deps.read(lambda session: timeline.of_run(session, run_id, after=after, limit=limit))
    shown = [schemas.EventOut.model_validate(event) for event in events]
    return schemas.Timeline(events=shown, next_after=events[-1].id if len(events) == limit else None)


@router.post(
    "/runs/{run_id}/actions",
    responses={
        200: {"description": "What became of it"},
        202: {"model": schemas.OutcomeOut, "description": "It waits; `wait` and `Location` say where to wait for it"},
        **problems(404, 409),
    },
)
async def propose(
    run_id: RunId, body: schemas.ActionIn, caller: Writer, deps: DepsHere, response: Response, wait: Wait = 0
) -> schemas.OutcomeOut:
    """Propose an action: an automatic one answers with its outcome, others with `awaiting` and where to wait.

    Sending the same key again is safe and gives what became of the action. People need the role operator, and propose
    only in runs that they started: whoever started a run is who asks, and must not approve what they ask.
    """
    await own_run(run_id, caller, deps)
    _require_operator(caller, "propose an action")
    await _require_starter(run_id, caller, deps)
    action = ProposedAction(
        key=body.key or f"a-{uuid.uuid4().hex[:12]}",
        type=body.type,
        arguments=body.arguments,
        reason=body.reason,
        instead_of=body.instead_of,
    )
    outcome = await deps.gateway.propose(run_id, action, by=caller.actor)
    if wait and not outcome.status.settled:
        outcome = await deps.gateway.action(outcome.action_id, wait_seconds=wait)
    return _outcome(run_id, outcome, response)


@router.get("/runs/{run_id}/actions", responses=problems(404))
async def list_actions(
    run_id: RunId, caller: Reader, deps: DepsHere, page: PageWanted
) -> schemas.Page[schemas.ActionOut]:
    """The actions of a run, in the order they were proposed."""
    await own_run(run_id, caller, deps)
    found = await deps.read(lambda session: runs.actions(session, run_id, request=page))
    return page_of(found, schemas.ActionOut.model_validate)


@router.get(
    "/runs/{run_id}/actions/{key}",
    responses={202: {"model": schemas.OutcomeOut, "description": "It still waits"}, **problems(404)},
)
async def show_action(
    run_id: RunId, key: ActionKey, caller: Reader, deps: DepsHere, response: Response, wait: Wait = 0
) -> schemas.OutcomeOut:
    """What became of an action; with `wait`, answers when it settles or when the time is over."""
    await own_run(run_id, caller, deps)
    outcome = await deps.gateway.action(f"{run_id}:{key}", wait_seconds=wait)
    return _outcome(run_id, outcome, response)


async def own_run(run_id: str, caller: Caller, deps: Deps) -> str:
    """The agent of a run that the caller may see.

    Raises:
        NotFound: There is no such run, or it is another agent's.
        Unavailable: It was started, but no worker has taken it up yet.
    """
    agent = deps.owners.agent_of(run_id)
    if agent is None:
        agent = (await _found(run_id, caller, deps)).agent
    caller.require_agent(agent, f"run {run_id!r}", "run_id")
    return agent


async def _found(run_id: str, caller: Caller, deps: Deps) -> RunView:
    """A run; one that was started here a moment ago is waited for, until its first step has written it down."""
    started_by = deps.owners.agent_of(run_id) or deps.owners.claimed_by(run_id)
    expected = started_by is not None and caller.agent in (None, started_by)
    for _ in range(_LOOKS if expected else 1):
        try:
            found = await deps.read(lambda session: runs.one(session, run_id))
        except NotFound as error:
            missing = error
            await anyio.sleep(_LOOK_EVERY)
        else:
            deps.owners.remember(run_id, found.agent)
            return found
    if not expected:
        raise missing
    raise Unavailable(
        "The run was started, but no worker has taken it up yet.",
        where=f"run {run_id}",
        todo="Try again; if it lasts, see whether a worker runs (`assent doctor`).",
    )


async def _refuse_foreign(run_id: str, agent: str, deps: Deps) -> None:
    """An id that another agent's run has must not become a way into it."""
    owner = deps.owners.agent_of(run_id)
    if owner is None:
        try:
            owner = (await deps.read(lambda session: runs.one(session, run_id))).agent
        except NotFound:
            return
    if owner != agent:
        raise Conflict("This run id is taken.", where="run_id", todo="Choose another one, or leave it out.")


def _own_agent(wanted: str | None, caller: Caller) -> str:
    if caller.agent is not None:
        if wanted not in (None, caller.agent):
            raise Forbidden(
                f"This key belongs to the agent {caller.agent}.", where="agent", todo="Leave the field out."
            )
        return caller.agent
    _require_operator(caller, "start a run")
    if not wanted:
        raise InvalidInput("Which agent's run is it?", where="agent", todo="`GET /api/v1/agents` lists them.")
    return wanted


def _require_operator(caller: Caller, to: str) -> None:
    if caller.viewer is not None:
        caller.viewer.require(Role.OPERATOR, to)


async def _require_starter(run_id: str, caller: Caller, deps: Deps) -> None:
    """Refuse a person's proposal in the run of somebody else, who would then count as its requester."""
    if caller.viewer is not None and (await _found(run_id, caller, deps)).started_by.id != caller.viewer.id:
        raise Forbidden(
            "Only who started a run, and its agent, may propose in it.",
            where="run_id",
            todo="Start a run of your own, and propose there.",
        )


def _proposed(action: schemas.PlannedActionIn) -> ProposedAction:
    return ProposedAction(
        key=action.key, type=action.type, arguments=action.arguments, reason=action.reason, after=action.after
    )


def _outcome(run_id: str, outcome: ActionOutcome, response: Response) -> schemas.OutcomeOut:
    here = f"/api/v1/runs/{run_id}/actions/{outcome.key}"
    settled = outcome.status.settled
    if not settled:
        response.status_code = 202
        response.headers["Location"] = here
    return schemas.OutcomeOut(
        action_id=outcome.action_id,
        run_id=run_id,
        key=outcome.key,
        type=outcome.type,
        status=outcome.status,
        settled=settled,
        sentence=outcome.sentence,
        result=outcome.result,
        message=outcome.message,
        reasons=outcome.reasons,
        approval_id=outcome.approval_id,
        expires_in=outcome.expires_in,
        edited_by=outcome.edited_by,
        arguments=outcome.arguments,
        wait=None if settled else f"{here}?wait=30",
    )

"""Starting runs, proposing actions, ending runs."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from pydantic import BaseModel, Field
from temporalio.client import (
    RPCError,
    RPCTimeoutOrCancelledError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCStatusCode

from assent.domain.actions import REPLACEABLE, ActionOutcome, ActionStatus, ProposedAction
from assent.domain.canonical import Json
from assent.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from assent.domain.labels import Labels
from assent.domain.people import Actor
from assent.domain.ports import Queue, WorkflowName
from assent.domain.references import dependencies
from assent.domain.runs import AgentRunInput, EndRun, OnFailure, RunHeader
from assent.gateway.door import PROPOSE_TIMEOUT, RPC_TIMEOUT, Door, bounded, cause, shallow
from assent.store import reading

_AGENT = "agent"
_LOOK_EVERY = 0.1
"""Seconds between looks at an action that is waited for."""
_PROPOSE_AGAIN = 0.1
"""Seconds before a proposal is sent again that the server took back."""


class StartRun(BaseModel):
    """What starts a run.

    Attributes:
        agent: Name of an agent with a published card.
        goal: What the agent was asked to do.
        received: What it was given to start with.
        plan: Actions known from the start.
        open: Stay open for proposals.
        on_failure: What a plan does when an action does not succeed.
        run_id: An id of the caller's choice; the same id twice gives the same run.
        idle_seconds: An open run in which nothing happens ends itself after this time.
        labels: Words by which it can be found and paused, at most 20 of 60 characters.
    """

    agent: str
    goal: str = Field(default="", max_length=10_000)
    received: Json = None
    plan: list[ProposedAction] = Field(default_factory=list, max_length=10_000)
    open: bool = False
    on_failure: OnFailure = OnFailure.STOP
    run_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    idle_seconds: int = Field(default=86_400, ge=1, le=2_592_000)
    labels: Labels = Field(default_factory=list)


class RunDoor(Door):
    """What agents come through."""

    async def start_run(self, request: StartRun, *, by: Actor) -> str:
        """Start a run.

        Returns:
            Its id.

        Raises:
            NotFound: The agent has no published card.
            InvalidInput: The plan is broken, or an action in it is proposed instead of another.
            Conflict: The id belongs to a run of another agent.
            TooLarge: The plan or what the run is given is over :data:`MAX_PAYLOAD`.
            Unavailable: Temporal or the database is away; nothing was started.
        """
        shallow([action.arguments for action in request.plan], "plan")
        dependencies(request.plan)
        if any(action.instead_of for action in request.plan):
            raise InvalidInput(
                "A plan's actions replace none: in a new run nothing was refused yet.",
                where="plan",
                todo="Leave `instead_of` out.",
            )
        bounded([action.model_dump(mode="json") for action in request.plan], "plan")
        bounded(request.received, "received")
        await self._in_thread(lambda: self._require_agent(request.agent))
        run_id = request.run_id or f"run-{uuid.uuid4().hex[:12]}"
        header = RunHeader(
            run_id=run_id,
            agent=request.agent,
            goal=request.goal,
            received=request.received,
            started_by=by,
            started_at=self._clock(),
            labels=request.labels,
        )
        input = AgentRunInput(
            header=header,
            plan=request.plan,
            open=request.open,
            on_failure=request.on_failure,
            idle_seconds=request.idle_seconds,
        )
        async with self._temporal() as client:
            try:
                await client.start_workflow(
                    WorkflowName.AGENT_RUN,
                    input,
                    id=run_id,
                    task_queue=Queue.RUNS.under(self._prefix),
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    memo={_AGENT: request.agent},
                    request_eager_start=self._eager,
                    rpc_timeout=RPC_TIMEOUT,
                )
            except WorkflowAlreadyStartedError as error:
                found = await client.get_workflow_handle(run_id).describe(rpc_timeout=RPC_TIMEOUT)
                if (await found.memo()).get(_AGENT) != request.agent:
                    raise Conflict(
                        f"The id {run_id} belongs to another run.", where="run_id", todo="Choose another id."
                    ) from error
        return run_id

    async def propose(self, run_id: str, action: ProposedAction, *, by: Actor) -> ActionOutcome:
        """Propose an action in an open run; the same key again gives what became of it.

        Returns:
            The outcome of an automatic quick action; others are awaiting, held or cleared, and can be waited for
            with :meth:`action`.

        Raises:
            NotFound: There is no such run.
            Conflict: It takes no more proposals.
            InvalidInput: It is proposed instead of an action that the run does not have.
            TooLarge: The arguments are over :data:`MAX_PAYLOAD`.
            Unavailable: Temporal or every worker is away; proposing the same key again is safe.
        """
        bounded(action.arguments, "arguments")
        if action.instead_of is not None:
            await self._in_thread(lambda: self._require_replaceable(run_id, action.instead_of or ""))
        async with self._temporal() as client:
            try:
                outcome = await asyncio.wait_for(
                    _proposed(client.get_workflow_handle(run_id), action), PROPOSE_TIMEOUT.total_seconds()
                )
            except WorkflowUpdateFailedError as error:
                raise Conflict(cause(error), where=f"run {run_id}") from error
            except (TimeoutError, RPCTimeoutOrCancelledError) as error:
                raise Unavailable(
                    "No worker answered in time.",
                    where=f"run {run_id}",
                    todo="Propose the same key again: what was done is not done twice.",
                ) from error
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return await self._after_the_end(run_id, action.key)
        return outcome

    async def end_run(self, run_id: str, *, by: Actor, summary: str = "", stop: bool = False) -> None:
        """Let a run take no more proposals; if ``stop``, withdraw what waits.

        Raises:
            NotFound: There is no such run, or it has ended.
        """
        message = EndRun(id=uuid.uuid4().hex, by=by, summary=summary, stop=stop)
        await self._signal(run_id, "end", message, f"There is no open run {run_id}.")

    async def action(self, action_id: str, *, wait_seconds: float = 0) -> ActionOutcome:
        """What became of an action, from the projection.

        Args:
            action_id: Run id and key, joined by a colon.
            wait_seconds: Wait so long for it to settle.

        Raises:
            NotFound: No such action was admitted.
        """
        outcome = await self._look_until(
            lambda: reading.action_outcome(self._database, action_id, self._clock()),
            lambda found: found is not None and found.status.settled,
            wait_seconds=wait_seconds,
            every=_LOOK_EVERY,
        )
        if outcome is None:
            raise NotFound(f"There is no action {action_id}.", where="action")
        return outcome

    def _require_replaceable(self, run_id: str, key: str) -> None:
        """Refuse what names an action that is not there or came to something."""
        found = reading.action_outcome(self._database, f"{run_id}:{key}", self._clock())
        if found is None:
            raise InvalidInput(
                f"The run has no action {key} that this one could be proposed instead of.",
                where="instead_of",
                todo="Name the key of an action that was refused or rejected, or leave it out.",
            )
        if found.status not in REPLACEABLE:
            raise Conflict(
                f"The action {key} is {found.status}: only what was not done can be replaced.", where="instead_of"
            )

    async def _after_the_end(self, run_id: str, key: str) -> ActionOutcome:
        """A proposal for a run that is over: its own earlier outcome, or a clear refusal."""
        found = await self._in_thread(lambda: reading.action_outcome(self._database, f"{run_id}:{key}", self._clock()))
        if found is not None and found.status is not ActionStatus.PROPOSED:
            return found
        if await self._in_thread(lambda: reading.run_exists(self._database, run_id)):
            raise Conflict(f"The run {run_id} has ended.", where="run", todo="Start a new run.")
        raise NotFound(f"There is no run {run_id}.", where="run", todo="Start one with `POST /api/v1/runs`.")


async def _proposed(run: WorkflowHandle[Any, Any], action: ProposedAction) -> ActionOutcome:
    """Send a proposal, again where a workflow task failed under it, as one may at a run's continue-as-new.

    The server takes back an Update then; the key makes it safe to send another one.
    """
    while True:
        try:
            outcome: ActionOutcome = await run.execute_update(
                "propose", action, id=f"{run.id}:{action.key}:{uuid.uuid4().hex[:8]}", result_type=ActionOutcome
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
            await asyncio.sleep(_PROPOSE_AGAIN)
        else:
            return outcome

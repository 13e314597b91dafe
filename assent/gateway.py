"""The one door to running workflows: start, propose, decide, pause, roll back.

The web, Slack and the command line come through here, so that all of them decide by the same rules. The gateway checks
a message against the projection first, so that a bad one is refused on the spot; the run checks it again with
authority.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, Field
from temporalio.client import (
    Client,
    RPCError,
    RPCTimeoutOrCancelledError,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCStatusCode

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
from assent.domain.approvals import ApprovalStatus, Decision, Verb
from assent.domain.canonical import Json, canonical_json
from assent.domain.clock import Clock
from assent.domain.errors import AssentError, Conflict, Forbidden, InvalidInput, NotFound, TooLarge, Unavailable
from assent.domain.pauses import PauseInput, ResumePause, Scope, ScopeKind
from assent.domain.people import Actor
from assent.domain.ports import Queue, RollbackCount, WorkflowName
from assent.domain.references import dependencies
from assent.domain.rollbacks import RollbackPlan, RollbackRequest, RollbackScope, RollbackScopeKind
from assent.domain.runs import AgentRunInput, EndRun, OnFailure, RunHeader
from assent.store import approvals, cards, pauses, reading
from assent.store.database import Database

MAX_PAYLOAD = 1024 * 1024
"""Bytes of a plan, of what a run is given, or of an action's arguments; Temporal itself refuses 2 MiB."""

RPC_TIMEOUT = timedelta(seconds=10)
"""How long a call to Temporal may take before it counts as away."""

PROPOSE_TIMEOUT = timedelta(seconds=30)
"""How long a proposal may take; a worker that died is noticed by Temporal after about ten seconds."""

_LOOK_EVERY = 0.1
_T = TypeVar("_T")


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
    """

    agent: str
    goal: str = Field(default="", max_length=10_000)
    received: Json = None
    plan: list[ProposedAction] = Field(default_factory=list, max_length=10_000)
    open: bool = False
    on_failure: OnFailure = OnFailure.STOP
    run_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    idle_seconds: int = Field(default=86_400, ge=1, le=2_592_000)


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


class Gateway:
    """Sends people's and agents' messages to workflows.

    Args:
        client: Connected to Temporal, with the pydantic converter; ``None`` if it is away, then only pausing works.
        database: Assent's database.
        task_queue_prefix: What the task queues' names start with.
        clock: The time.
        eager: Ask for the first workflow task to be handed to a worker in this process.
    """

    def __init__(
        self,
        client: Client | None,
        database: Database,
        *,
        task_queue_prefix: str = "assent",
        clock: Clock = utc_now,
        eager: bool = False,
    ) -> None:
        self.client = client
        self._database = database
        self._prefix = task_queue_prefix
        self._clock = clock
        self._eager = eager
        self._ending = False

    def stop_waiting(self) -> None:
        """Let every :meth:`action` that waits answer with what there is: this process is about to end."""
        self._ending = True

    async def start_run(self, request: StartRun, *, by: Actor) -> str:
        """Start a run.

        Returns:
            Its id.

        Raises:
            NotFound: The agent has no published card.
            InvalidInput: The plan is broken.
            TooLarge: The plan or what the run is given is over :data:`MAX_PAYLOAD`.
            Unavailable: Temporal or the database is away; nothing was started.
        """
        dependencies(request.plan)
        _bounded([action.model_dump(mode="json") for action in request.plan], "plan")
        _bounded(request.received, "received")
        await self._in_thread(lambda: self._require_agent(request.agent))
        run_id = request.run_id or f"run-{uuid.uuid4().hex[:12]}"
        header = RunHeader(
            run_id=run_id,
            agent=request.agent,
            goal=request.goal,
            received=request.received,
            started_by=by,
            started_at=self._clock(),
        )
        input = AgentRunInput(
            header=header,
            plan=request.plan,
            open=request.open,
            on_failure=request.on_failure,
            idle_seconds=request.idle_seconds,
        )
        async with self._temporal() as client:
            with suppress(WorkflowAlreadyStartedError):
                await client.start_workflow(
                    WorkflowName.AGENT_RUN,
                    input,
                    id=run_id,
                    task_queue=Queue.RUNS.under(self._prefix),
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    request_eager_start=self._eager,
                    rpc_timeout=RPC_TIMEOUT,
                )
        return run_id

    async def propose(self, run_id: str, action: ProposedAction, *, by: Actor) -> ActionOutcome:
        """Propose an action in an open run; the same key again gives what became of it.

        Returns:
            The outcome of an automatic quick action; others are awaiting, held or cleared, and can be waited for
            with :meth:`action`.

        Raises:
            NotFound: There is no such run.
            Conflict: It takes no more proposals.
            TooLarge: The arguments are over :data:`MAX_PAYLOAD`.
            Unavailable: Temporal or every worker is away; proposing the same key again is safe.
        """
        _bounded(action.arguments, "arguments")
        async with self._temporal() as client:
            try:
                outcome: ActionOutcome = await asyncio.wait_for(
                    client.get_workflow_handle(run_id).execute_update(
                        "propose", action, id=f"{run_id}:{action.key}:{uuid.uuid4().hex[:8]}", result_type=ActionOutcome
                    ),
                    PROPOSE_TIMEOUT.total_seconds(),
                )
            except WorkflowUpdateFailedError as error:
                raise Conflict(_cause(error), where=f"run {run_id}") from error
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
        until = asyncio.get_running_loop().time() + wait_seconds
        while True:
            outcome = await self._in_thread(lambda: reading.action_outcome(self._database, action_id, self._clock()))
            over = self._ending or asyncio.get_running_loop().time() >= until
            if outcome is not None and (outcome.status.settled or over):
                return outcome
            if outcome is None and over:
                raise NotFound(f"There is no action {action_id}.", where="action")
            await asyncio.sleep(_LOOK_EVERY)

    async def decide(
        self,
        approval_id: str,
        *,
        verb: Verb,
        digest: str,
        by: Actor,
        reason: str = "",
        decision_id: str | None = None,
    ) -> Decision:
        """Send a person's verdict to the run.

        Args:
            approval_id: The request.
            verb: Approve or reject.
            digest: Digest of what the person was shown.
            by: The person.
            reason: Why; needed to reject, and given to the agent.
            decision_id: Id of this click, so that sending it twice counts once.

        Raises:
            NotFound: There is no such request.
            Conflict: It is decided, expired or withdrawn, or shows something else by now.
            Forbidden: The person may not decide it.
            InvalidInput: A rejection without a reason.
            Unavailable: Temporal or the database is away; nothing was decided.
        """
        if verb is Verb.REJECT and not reason.strip():
            raise InvalidInput("A rejection needs a reason.", where="reason", todo="The agent is given it.")
        if len(reason) > 4_000:
            raise TooLarge("A reason has at most 4,000 characters.", where="reason")
        action_id, run_id = await self._in_thread(lambda: self._check_decision(approval_id, digest, by))
        decision = Decision(
            id=decision_id or uuid.uuid4().hex,
            approval_id=approval_id,
            action_id=action_id,
            digest=digest,
            verb=verb,
            reason=reason.strip(),
            by=by,
            at=self._clock(),
        )
        await self._signal(run_id, "decide", decision, "The run that asked has ended; nothing will run.")
        return decision

    async def pause(self, scope: Scope, *, by: Actor, cause: str = "") -> str:
        """Pause everything, an agent or a run. From the moment this returns no claim in scope succeeds.

        The database alone suffices; a worker makes the pause known once Temporal is back.

        Returns:
            The pause's id.

        Raises:
            NotFound: There is no such agent or run.
            Unavailable: The database is away; nothing was paused.
        """
        pause_id = f"pause-{uuid.uuid4().hex[:12]}"
        at = self._clock()

        def fence() -> None:
            with self._database.write() as session:
                self._require_scope(scope)
                pauses.begin(self._database, session, pause_id=pause_id, scope=scope, cause=cause, by=by, at=at)

        await self._in_thread(fence)
        with suppress(AssentError):
            await self.announce_pause(PauseInput(pause_id=pause_id, scope=scope, cause=cause, by=by, requested_at=at))
        return pause_id

    async def announce_pause(self, input: PauseInput) -> None:
        """Start the workflow of a pause that is already in the database; starting it again changes nothing."""
        async with self._temporal() as client:
            await client.start_workflow(
                WorkflowName.PAUSE,
                input,
                id=input.pause_id,
                task_queue=Queue.CONTROL.under(self._prefix),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                rpc_timeout=RPC_TIMEOUT,
            )

    async def resume(self, pause_id: str, *, by: Actor, note: str = "") -> None:
        """End a pause; the runs it held go on.

        Raises:
            NotFound: There is no such pause.
            Conflict: It has already ended.
            Unavailable: The database is away; the pause still holds.
        """

        def lift() -> None:
            with self._database.write() as session:
                pauses.end(self._database, session, pause_id=pause_id, note=note, by=by, at=self._clock())

        await self._in_thread(lift)
        with suppress(AssentError):
            await self._signal(pause_id, "resume", ResumePause(id=uuid.uuid4().hex, by=by), "")

    async def preview_rollback(self, scope: RollbackScope, *, by: Actor) -> RollbackPlan:
        """What a rollback would do, effect by effect, newest first; changes nothing.

        Raises:
            NotFound: There is no such action or run.
            Unavailable: Temporal, the database or every worker is away.
        """
        request = self._rollback_request("preview", scope, by, "")
        await self._in_thread(lambda: self._require_rollback_scope(scope))
        async with self._temporal() as client:
            try:
                await asyncio.wait_for(
                    client.execute_workflow(
                        WorkflowName.PREVIEW_ROLLBACK,
                        request,
                        id=request.rollback_id,
                        task_queue=Queue.CONTROL.under(self._prefix),
                        result_type=RollbackCount,
                    ),
                    PROPOSE_TIMEOUT.total_seconds(),
                )
            except (TimeoutError, RPCTimeoutOrCancelledError) as error:
                raise Unavailable("No worker answered in time.", where="preview", todo="Try again.") from error
            except WorkflowFailureError as error:
                raise Unavailable(f"The preview failed: {_cause(error)}", where="preview", todo="Try again.") from error
        plan = await self._in_thread(lambda: reading.rollback_plan(self._database, request.rollback_id))
        assert plan is not None
        return plan

    async def rollback(self, scope: RollbackScope, *, by: Actor, reason: str = "") -> str:
        """Take back the effects of an action or a run, newest first.

        Returns:
            The rollback's id.

        Raises:
            NotFound: There is no such action or run.
            Unavailable: Temporal or the database is away; nothing was started.
        """
        await self._in_thread(lambda: self._require_rollback_scope(scope))
        request = self._rollback_request("rollback", scope, by, reason)
        async with self._temporal() as client:
            await client.start_workflow(
                WorkflowName.ROLLBACK,
                request,
                id=request.rollback_id,
                task_queue=Queue.CONTROL.under(self._prefix),
                rpc_timeout=RPC_TIMEOUT,
            )
        return request.rollback_id

    def _rollback_request(self, kind: str, scope: RollbackScope, by: Actor, reason: str) -> RollbackRequest:
        return RollbackRequest(
            rollback_id=f"{kind}-{uuid.uuid4().hex[:12]}",
            scope=scope,
            by=by,
            reason=reason,
            requested_at=self._clock(),
        )

    def _check_decision(self, approval_id: str, digest: str, by: Actor) -> tuple[str, str]:
        """Refuse what cannot count; gives the action's and the run's id."""
        with self._database.read() as session:
            request = approvals.request(session, approval_id)
            if request is None:
                raise NotFound(f"There is no approval request {approval_id}.", where="approval")
            if not approvals.may_decide(session, by.id):
                raise Forbidden(
                    f"{by.name} may not decide approval requests.",
                    where="approval",
                    todo="Ask an administrator for the role approver.",
                )
            if request.status is not ApprovalStatus.PENDING:
                who = f" by {request.decided_by}" if request.decided_by else ""
                raise Conflict(
                    f"The request is already {request.status}{who}.", where="approval", todo="Nothing was changed."
                )
            if request.digest != digest:
                raise Conflict(
                    "The request no longer shows what you saw.",
                    where="digest",
                    todo="Open it again and decide on what it shows now.",
                )
            return request.action_id, request.run_id

    def _require_agent(self, agent: str) -> None:
        with self._database.read() as session:
            if cards.version_in_force(session, agent) is None:
                raise NotFound(
                    f"There is no agent {agent}.",
                    where="agent",
                    todo="Publish its card with `assent agent publish FILE`; `assent agent list` shows all.",
                )

    def _require_scope(self, scope: Scope) -> None:
        if scope.kind is ScopeKind.AGENT:
            self._require_agent(scope.name)
        elif scope.kind is ScopeKind.RUN:
            self._require_run(scope.name)

    def _require_run(self, run_id: str) -> None:
        if not reading.run_exists(self._database, run_id):
            raise NotFound(f"There is no run {run_id}.", where="run", todo="`assent run list` shows the newest.")

    def _require_rollback_scope(self, scope: RollbackScope) -> None:
        if scope.kind is RollbackScopeKind.RUN:
            self._require_run(scope.id)
        elif reading.action_outcome(self._database, scope.id, self._clock()) is None:
            raise NotFound(f"There is no action {scope.id}.", where="action")

    async def _after_the_end(self, run_id: str, key: str) -> ActionOutcome:
        """A proposal for a run that is over: its own earlier outcome, or a clear refusal."""
        found = await self._in_thread(lambda: reading.action_outcome(self._database, f"{run_id}:{key}", self._clock()))
        if found is not None and found.status is not ActionStatus.PROPOSED:
            return found
        if await self._in_thread(lambda: reading.run_exists(self._database, run_id)):
            raise Conflict(f"The run {run_id} has ended.", where="run", todo="Start a new run.")
        raise NotFound(f"There is no run {run_id}.", where="run", todo="Start one with `POST /api/v1/runs`.")

    async def _signal(self, workflow_id: str, name: str, message: BaseModel, gone: str) -> None:
        async with self._temporal() as client:
            try:
                await client.get_workflow_handle(workflow_id).signal(name, message, rpc_timeout=RPC_TIMEOUT)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    raise NotFound(gone, where=workflow_id) from error
                raise

    @asynccontextmanager
    async def _temporal(self) -> AsyncIterator[Client]:
        if self.client is None:
            raise _away("it could not be reached at start")
        try:
            yield self.client
        except RPCError as error:
            raise _away(error.message) from error

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.to_thread(work)


def _bounded(value: Json, where: str) -> None:
    size = len(canonical_json(value))
    if size > MAX_PAYLOAD:
        raise TooLarge(
            f"This has {size:,} bytes; the limit is {MAX_PAYLOAD:,}.",
            where=where,
            todo="Store the content elsewhere and pass a reference to it.",
        )


def _away(why: str) -> Unavailable:
    return Unavailable(
        f"Temporal does not answer: {why}.",
        where="temporal",
        todo="Nothing was changed; try again, and see `assent doctor`.",
    )


def _cause(error: Exception) -> str:
    cause = error.__cause__
    while cause is not None and cause.__cause__ is not None and not isinstance(cause, ApplicationError):
        cause = cause.__cause__
    return str(cause or error)

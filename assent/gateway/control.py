"""Pausing, resuming, rolling back."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress

from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WorkflowFailureError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from assent.domain.errors import AssentError, NotFound, Unavailable
from assent.domain.pauses import PauseInput, ResumePause, Scope, ScopeKind
from assent.domain.people import Actor
from assent.domain.ports import Queue, RollbackCount, WorkflowName
from assent.domain.rollbacks import RollbackPlan, RollbackRequest, RollbackScope, RollbackScopeKind
from assent.gateway.door import PROPOSE_TIMEOUT, RPC_TIMEOUT, Door, cause
from assent.store import pauses, reading


class ControlDoor(Door):
    """What operators come through."""

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
                raise Unavailable(f"The preview failed: {cause(error)}", where="preview", todo="Try again.") from error
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

    def _require_scope(self, scope: Scope) -> None:
        if scope.kind is ScopeKind.AGENT:
            self._require_agent(scope.name)
        elif scope.kind is ScopeKind.RUN:
            self._require_run(scope.name)

    def _require_rollback_scope(self, scope: RollbackScope) -> None:
        if scope.kind is RollbackScopeKind.RUN:
            self._require_run(scope.id)
        elif reading.action_outcome(self._database, scope.id, self._clock()) is None:
            raise NotFound(f"There is no action {scope.id}.", where="action")

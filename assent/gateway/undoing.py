"""Rolling back."""

from __future__ import annotations

import asyncio
import uuid

from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WorkflowFailureError,
)

from assent.domain.errors import NotFound, Unavailable
from assent.domain.people import Actor
from assent.domain.ports import Queue, RollbackCount, WorkflowName
from assent.domain.rollbacks import RollbackPlan, RollbackRequest, RollbackScope, RollbackScopeKind
from assent.gateway.door import PROPOSE_TIMEOUT, RPC_TIMEOUT, Door, cause
from assent.store import reading


class UndoDoor(Door):
    """What takes effects back."""

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

    def _require_rollback_scope(self, scope: RollbackScope) -> None:
        if scope.kind is RollbackScopeKind.RUN:
            self._require_run(scope.id)
        elif reading.action_outcome(self._database, scope.id, self._clock()) is None:
            raise NotFound(f"There is no action {scope.id}.", where="action")

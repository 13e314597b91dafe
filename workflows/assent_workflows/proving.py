"""The workflow ``ProveUndos``: try the undos of an agent's actions on scratch records, one after the other."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from assent.domain.ports import ACTIVITY_PROVE_UNDO, Queue
    from assent.domain.proving import ProveUndo, ProveUndos, TriedUndo, TriedUndos
    from assent_workflows import calls

TRY_TIMEOUT = timedelta(seconds=60)
"""How long a connector may take to do an action on scratch records, take it back and look."""

_TWICE = RetryPolicy(maximum_attempts=2)
"""A worker that died is not what the undo is judged by."""


@workflow.defn(name="ProveUndos")
class ProveUndosWorkflow:
    """One round of proofs."""

    @workflow.run
    async def run(self, request: ProveUndos) -> TriedUndos:
        """Try each; one that breaks off was not tried."""
        return TriedUndos(items=[await self._try(request, type) for type in request.types])

    async def _try(self, request: ProveUndos, type: str) -> TriedUndo:
        try:
            tried: TriedUndo = await workflow.execute_activity(
                ACTIVITY_PROVE_UNDO,
                ProveUndo(agent=request.agent, type=type, by=request.by),
                result_type=TriedUndo,
                task_queue=calls.queue(Queue.UNDO),
                start_to_close_timeout=TRY_TIMEOUT,
                retry_policy=_TWICE,
            )
        except ActivityError as error:
            workflow.logger.warning("The undo of %s could not be tried: %s", type, error.cause or error)
            said = f"There was no answer within {TRY_TIMEOUT.seconds} seconds, or trying it broke off."
            return TriedUndo(type=type, worked=None, said=said, at=workflow.now())
        return tried

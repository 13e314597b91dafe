"""The workflow ``Settling``: ask the connector what became of an effect, let a person's answer count, tell the run."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from assent.domain.effects import EffectStatus
    from assent.domain.ports import (
        ACTIVITY_RECONCILE_EFFECT,
        ACTIVITY_RETRY_EFFECT,
        ACTIVITY_SETTLE_EFFECT,
        ACTIVITY_TELL_RUN,
        Queue,
    )
    from assent.domain.settling import Reconcile, Reconciled, SettlingRequest
    from assent_workflows import calls

_Out = TypeVar("_Out")

ASK_TIMEOUT = timedelta(seconds=12)
"""How long a connector may take to say what became of a call."""

_TIMEOUT = timedelta(seconds=15)
_ONCE = RetryPolicy(maximum_attempts=1)


@workflow.defn(name="Settling")
class Settling:
    """One look at an effect, or one answer to what became of it."""

    @workflow.run
    async def run(self, request: SettlingRequest) -> Reconciled:
        """Settle an effect as far as that is possible now.

        Returns:
            What is known of it; an answer that came second says who was first.
        """
        if request.retry is not None:
            done = await self._call(ACTIVITY_RETRY_EFFECT, request.retry, Reconciled)
        elif request.settlement is not None:
            by = request.settlement.by
            done = await self._ask(Reconcile(action_id=request.action_id, by=by))
            if done.status is EffectStatus.UNKNOWN:
                done = await self._call(ACTIVITY_SETTLE_EFFECT, request.settlement, Reconciled)
        else:
            assert request.reconcile is not None
            done = await self._ask(request.reconcile)
        if done.settled:
            asked = request.settlement or request.retry or request.reconcile
            assert asked is not None
            await self._call(ACTIVITY_TELL_RUN, Reconcile(action_id=request.action_id, by=asked.by), type(None))
        return done

    async def _ask(self, request: Reconcile) -> Reconciled:
        """Ask the connector once; one that hangs has not said anything."""
        try:
            asked: Reconciled = await workflow.execute_activity(
                ACTIVITY_RECONCILE_EFFECT,
                request,
                result_type=Reconciled,
                task_queue=calls.queue(Queue.UNDO),
                start_to_close_timeout=ASK_TIMEOUT,
                retry_policy=_ONCE,
            )
        except ActivityError as error:
            said = f"The system did not answer within {ASK_TIMEOUT.seconds} seconds, or asking it broke off."
            workflow.logger.warning("%s %s", said, error.cause or error)
            return Reconciled(action_id=request.action_id, status=EffectStatus.UNKNOWN, said=said)
        return asked

    async def _call(self, name: str, request: object, out: type[_Out]) -> _Out:
        result: _Out = await workflow.execute_activity(
            name,
            request,
            result_type=out,
            task_queue=calls.queue(Queue.UNDO),
            start_to_close_timeout=_TIMEOUT,
            retry_policy=calls.PATIENT,
        )
        return result

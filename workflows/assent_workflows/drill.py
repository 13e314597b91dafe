"""The workflows ``Drill`` and ``DrillsDue``: rehearsing an agent's stop and undo, one drill at a time."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from assent.domain.drills import REHEARSAL, DrillRequest, DrillStep, DrillStepRequest, DueDrills, drill_workflow_id
    from assent.domain.ports import ACTIVITY_DRILL_STEP, ACTIVITY_DRILLS_DUE, DrillWorkflow
    from assent_workflows.calls import PATIENT

_STEP_TIMEOUT = timedelta(minutes=65)
"""Longer than a card may give the last effect under way to end."""
_HEARTBEAT = timedelta(seconds=20)
_DUE_TIMEOUT = timedelta(seconds=30)
_A_FEW_TIMES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3)
"""A step that cannot be done three times is what the drill was to find out."""


@workflow.defn(name="Drill")
class Drill:
    """One drill. Its steps are done by workers through the same doors as people use; every figure is in its record."""

    @workflow.run
    async def run(self, request: DrillRequest) -> bool:
        """Rehearse until a step cannot be done, then clean up in any case; gives whether every step was done."""
        broken_off = ""
        for step in REHEARSAL:
            try:
                await _do(DrillStepRequest(drill=request, step=step), _A_FEW_TIMES)
            except ActivityError as error:
                broken_off = f"{step.words}: {error.cause or error}"
                break
        await _do(DrillStepRequest(drill=request, step=DrillStep.CLEAN_UP, broken_off=broken_off), PATIENT)
        return not broken_off


@workflow.defn(name="DrillsDue")
class DrillsDue:
    """Runs the drills that are due, one after the other; the schedule starts it."""

    @workflow.run
    async def run(self) -> int:
        """Run them; gives how many were run. One that is under way already is left for the next time."""
        due = await workflow.execute_activity(
            ACTIVITY_DRILLS_DUE, result_type=DueDrills, start_to_close_timeout=_DUE_TIMEOUT, retry_policy=PATIENT
        )
        id = drill_workflow_id(workflow.info().task_queue.rsplit("-", 1)[0])
        run = 0
        for drill in due.drills:
            try:
                await workflow.execute_child_workflow(
                    DrillWorkflow.DRILL,
                    drill,
                    id=id,
                    result_type=bool,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                )
            except WorkflowAlreadyStartedError:
                break
            run += 1
        return run


async def _do(request: DrillStepRequest, policy: RetryPolicy) -> None:
    await workflow.execute_activity(
        ACTIVITY_DRILL_STEP,
        request,
        result_type=bool,
        start_to_close_timeout=_STEP_TIMEOUT,
        heartbeat_timeout=_HEARTBEAT,
        retry_policy=policy,
    )

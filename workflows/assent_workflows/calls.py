"""How workflows call activities: timeouts, retries and queues, in one place."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy

from assent.domain.actions import ActionOutcome
from assent.domain.ports import (
    ACTIVITY_CLOSE,
    ACTIVITY_EXECUTE,
    ACTIVITY_FIND,
    ACTIVITY_FINISH_RUN,
    ACTIVITY_NOTE_RUN,
    ACTIVITY_REVISE,
    ACTIVITY_SUBMIT,
    CloseAction,
    ExecuteAction,
    FindAction,
    FinishRun,
    NoteRun,
    Queue,
    ReviseAction,
    SubmitAction,
)
from assent.domain.runs import WaitingAction
from assent.domain.tiers import Speed

QUICK_TIMEOUT = timedelta(seconds=10)
"""Time for one attempt of a quick activity; its lease is longer."""
LONG_TIMEOUT = timedelta(hours=6)
"""Time for one attempt of a long effect."""
HEARTBEAT_TIMEOUT = timedelta(seconds=30)
"""A long effect whose worker is silent for so long is tried elsewhere."""
PATIENT = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=10),
    non_retryable_error_types=["InvalidInput", "TooLarge"],
)
"""Try until it works: a database that is away loses nothing."""

_Out = TypeVar("_Out")


def queue(kind: Queue) -> str:
    """The task queue of a kind that belongs to the worker of this workflow."""
    own = workflow.info().task_queue
    return kind.under(own.rsplit("-", 1)[0])


async def submit(request: SubmitAction) -> ActionOutcome:
    """Admit an action and perform it if it is automatic and quick."""
    return await _local(ACTIVITY_SUBMIT, request, ActionOutcome)


async def execute(request: ExecuteAction, speed: Speed) -> ActionOutcome:
    """Perform a cleared action, where its speed belongs."""
    if speed is Speed.QUICK:
        return await _local(ACTIVITY_EXECUTE, request, ActionOutcome)
    outcome: ActionOutcome = await workflow.execute_activity(
        ACTIVITY_EXECUTE,
        request,
        result_type=ActionOutcome,
        task_queue=queue(Queue.LONG),
        start_to_close_timeout=LONG_TIMEOUT,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=PATIENT,
    )
    return outcome


async def close(request: CloseAction) -> ActionOutcome:
    """Record that an action ends without an effect, or that a decision lost."""
    return await _local(ACTIVITY_CLOSE, request, ActionOutcome)


async def revise(request: ReviseAction) -> WaitingAction:
    """Change the arguments of an action that waits for people, or record why they stay."""
    return await _local(ACTIVITY_REVISE, request, WaitingAction)


async def find(request: FindAction) -> WaitingAction | None:
    """Look for an action that the database has and this history may not."""
    found: WaitingAction | None = await workflow.execute_local_activity(
        ACTIVITY_FIND,
        request,
        result_type=WaitingAction | None,  # type: ignore[arg-type]
        start_to_close_timeout=QUICK_TIMEOUT,
        retry_policy=PATIENT,
    )
    return found


async def note_run(request: NoteRun) -> None:
    """Make the run visible."""
    await _local(ACTIVITY_NOTE_RUN, request, type(None))


async def finish_run(request: FinishRun) -> None:
    """Record the end of the run."""
    await _local(ACTIVITY_FINISH_RUN, request, type(None))


async def _local(name: str, request: BaseModel, out: type[_Out]) -> _Out:
    result: _Out = await workflow.execute_local_activity(
        name, request, result_type=out, start_to_close_timeout=QUICK_TIMEOUT, retry_policy=PATIENT
    )
    return result

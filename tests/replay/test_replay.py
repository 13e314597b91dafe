"""Yesterday's runs go on under today's code: every committed history is replayed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import NondeterminismError

from assent.domain.actions import ActionOutcome
from assent.domain.ports import ExecuteAction, NoteRun
from assent.domain.tiers import Speed
from assent.runtime.temporal.messages import DATA_CONVERTER
from assent.runtime.worker import WORKFLOWS as BY_QUEUE
from assent.runtime.worker import workflow_runner
from assent_workflows import calls
from tests.replay.record import HISTORIES, STORIES

WORKFLOWS = [each for together in BY_QUEUE.values() for each in together]
"""What a worker runs: one without a history fails here."""
FILES = sorted(HISTORIES.glob("*.json"))


class OnItsQueue(WorkflowRunner):
    """Runs workflow code as a worker does, on the task queue of a history: queues and ids are named after it."""

    def __init__(self, history: WorkflowHistory) -> None:
        self._runner = workflow_runner()
        self._queue = history.events[0].workflow_execution_started_event_attributes.task_queue.name

    def prepare_workflow(self, defn: workflow._Definition) -> None:
        self._runner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        info = dataclasses.replace(det.info, task_queue=self._queue)
        return self._runner.create_instance(dataclasses.replace(det, info=info))


async def replay(history: WorkflowHistory) -> None:
    """Run today's code on a history.

    Raises:
        NondeterminismError: It would do something else.
    """
    replayer = Replayer(workflows=WORKFLOWS, data_converter=DATA_CONVERTER, workflow_runner=OnItsQueue(history))
    await replayer.replay_workflow(history)


def history_of(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(file.stem, file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_committed_history_replays(file: Path) -> None:
    await replay(history_of(file))


def test_every_story_is_recorded() -> None:
    assert {file.stem.split("-")[0] for file in FILES} == {story.__name__ for story in STORIES}


@pytest.mark.parametrize("story", ["continued", "drained_and_continued", "undo_continued"])
def test_what_continued_as_new_is_among_them(story: str) -> None:
    assert len([file for file in FILES if file.stem.startswith(f"{story}-1-")]) > 1


def test_every_door_is_used_in_some_history() -> None:
    """Each workflow, and each message that one of them takes."""
    used: set[str | None] = set()
    for file in FILES:
        for event in history_of(file).events:
            used.add(event.workflow_execution_started_event_attributes.workflow_type.name)
            used.add(event.workflow_execution_signaled_event_attributes.signal_name)
            used.add(event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name)
    definitions = [workflow._Definition.must_from_class(one) for one in WORKFLOWS]
    doors = {name for definition in definitions for name in (definition.name, *definition.signals, *definition.updates)}
    assert not doors - used


async def test_a_change_in_how_an_effect_is_run_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quick action that became a long one, for runs that are under way."""
    execute = calls.execute

    async def execute_elsewhere(request: ExecuteAction, speed: Speed) -> ActionOutcome:
        return await execute(request, Speed.LONG)

    history = history_of(HISTORIES / "plan_approved-1-1.json")
    monkeypatch.setattr(calls, "execute", execute_elsewhere)
    with pytest.raises(NondeterminismError):
        await replay(history)


async def test_a_step_that_was_left_out_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def not_noted(request: NoteRun) -> None:
        return None

    history = history_of(HISTORIES / "proposals-1-1.json")
    monkeypatch.setattr(calls, "note_run", not_noted)
    with pytest.raises(NondeterminismError):
        await replay(history)


async def test_a_change_of_order_would_be_noticed() -> None:
    text = (HISTORIES / "plan_approved-1-1.json").read_text(encoding="utf-8")
    other = text.replace('"execute_action"', '"close_action"')
    assert other != text
    with pytest.raises(NondeterminismError):
        await replay(WorkflowHistory.from_json("changed", other))

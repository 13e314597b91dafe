"""Yesterday's runs go on under today's code: every committed history is replayed."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from assent.domain.actions import ActionOutcome
from assent.domain.ports import ExecuteAction, NoteRun
from assent.domain.tiers import Speed
from assent.runtime.temporal.messages import DATA_CONVERTER
from assent.runtime.worker import workflow_runner
from assent_workflows import calls
from assent_workflows.agent_run import AgentRun
from assent_workflows.pause import Pause
from assent_workflows.rollback import PreviewRollback, Rollback
from assent_workflows.settling import Settling
from tests.replay.record import HISTORIES, STORIES

WORKFLOWS: list[type] = [AgentRun, Pause, Rollback, PreviewRollback, Settling]
FILES = sorted(HISTORIES.glob("*.json"))


def replayer() -> Replayer:
    return Replayer(
        workflows=WORKFLOWS,
        data_converter=DATA_CONVERTER,
        workflow_runner=workflow_runner(),
    )


def history_of(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(file.stem, file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_committed_history_replays(file: Path) -> None:
    await replayer().replay_workflow(history_of(file))


def test_every_story_is_recorded() -> None:
    assert {file.stem.split("-")[0] for file in FILES} == {story.__name__ for story in STORIES}


def test_a_continued_run_is_among_them() -> None:
    assert len([file for file in FILES if file.stem.startswith("continued-1-")]) > 1


def test_every_door_is_used_in_some_history() -> None:
    """Each workflow, and each message that one of them takes."""
    used: set[str] = set()
    for file in FILES:
        for event in history_of(file).events:
            used.add(event.workflow_execution_started_event_attributes.workflow_type.name)
            used.add(event.workflow_execution_signaled_event_attributes.signal_name)
            used.add(event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name)
    definitions = [workflow._Definition.must_from_class(one) for one in WORKFLOWS]
    doors = {name for definition in definitions for name in (definition.name, *definition.signals, *definition.updates)}
    assert doors <= used


async def test_a_change_in_how_an_effect_is_run_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quick action that became a long one, for runs that are under way."""
    execute = calls.execute

    async def execute_elsewhere(request: ExecuteAction, speed: Speed) -> ActionOutcome:
        return await execute(request, Speed.LONG)

    history = history_of(HISTORIES / "plan_approved-1-1.json")
    monkeypatch.setattr(calls, "execute", execute_elsewhere)
    with pytest.raises(NondeterminismError):
        await replayer().replay_workflow(history)


async def test_a_step_that_was_left_out_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def not_noted(request: NoteRun) -> None:
        return None

    history = history_of(HISTORIES / "proposals-1-1.json")
    monkeypatch.setattr(calls, "note_run", not_noted)
    with pytest.raises(NondeterminismError):
        await replayer().replay_workflow(history)


async def test_a_change_of_order_would_be_noticed() -> None:
    text = (HISTORIES / "plan_approved-1-1.json").read_text(encoding="utf-8")
    other = text.replace('"execute_action"', '"close_action"')
    assert other != text
    with pytest.raises(NondeterminismError):
        await replayer().replay_workflow(WorkflowHistory.from_json("changed", other))

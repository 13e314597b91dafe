"""Yesterday's runs go on under today's code: every committed history is replayed."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from assent.runtime.worker import workflow_runner
from assent_workflows.agent_run import AgentRun
from assent_workflows.pause import Pause
from assent_workflows.rollback import PreviewRollback, Rollback
from tests.replay.record import HISTORIES, STORIES

FILES = sorted(HISTORIES.glob("*.json"))


def replayer() -> Replayer:
    return Replayer(
        workflows=[AgentRun, Pause, Rollback, PreviewRollback],
        data_converter=pydantic_data_converter,
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


async def test_a_change_of_order_would_be_noticed() -> None:
    text = (HISTORIES / "plan_approved-1-1.json").read_text(encoding="utf-8")
    other = text.replace('"execute_action"', '"close_action"')
    assert other != text
    with pytest.raises(NondeterminismError):
        await replayer().replay_workflow(WorkflowHistory.from_json("changed", other))

"""The end of a run: recorded once, with every action that its history did not see."""

from __future__ import annotations

import pytest

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus
from assent.domain.ports import FindAction, NoteRun
from assent.domain.runs import RunStatus
from assent.store.tables import ActionRow, ApprovalRow, LedgerEventRow
from tests.activities.stage import Died, Stage, die_after_effect, die_before_effect, tried_again
from tests.world import action

NOTE = action("a", "desk.note", text="milk")
PAY = action("b", "desk.pay", to="bob", amount=40)


def test_a_run_ends_once(stage: Stage) -> None:
    stage.submit(NOTE)
    stage.finish(done=1)
    ended = stage.run().ended_at
    stage.finish(done=1)
    assert stage.run().ended_at == ended
    assert stage.run().status == RunStatus.COMPLETED
    assert stage.events().count("run.ended") == 1


def test_a_run_without_actions_is_recorded(stage: Stage) -> None:
    stage.finish()
    assert stage.events() == ["card.published", "run.started", "run.ended"]


def test_noting_a_run_twice_starts_it_once(stage: Stage) -> None:
    for _ in range(2):
        stage.life.note(NoteRun(header=stage.header(), status=RunStatus.RUNNING))
    assert stage.events() == ["card.published", "run.started"]


def test_strays_are_resolved_and_named(stage: Stage) -> None:
    """Actions in the database that the history does not know: one was done, one still waits, one was never done."""
    waiting = stage.submit(PAY)
    die_after_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(NOTE)
    die_before_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(action("c", "desk.note", text="eggs"))
    tried_again(stage.finish)
    stage.clock.turn(seconds=16)
    stage.finish()
    assert stage.row(ActionRow, "run-1:a").status == ActionStatus.DONE
    assert stage.row(ActionRow, "run-1:b").status == ActionStatus.WITHDRAWN
    assert stage.row(ActionRow, "run-1:c").status == ActionStatus.WITHDRAWN
    assert stage.row(ApprovalRow, waiting.approval_id).status == ApprovalStatus.WITHDRAWN
    assert stage.desk.done == ["run-1:a"]
    assert stage.run().actions == 3
    assert '"adopted":3' in _last_body(stage)
    stage.check_chain()


def _last_body(stage: Stage) -> str:
    return stage.row(LedgerEventRow, len(stage.events())).body


def test_an_unfinished_action_is_found_as_it_is(stage: Stage) -> None:
    waiting = stage.submit(PAY)
    found = stage.life.find(FindAction(header=stage.header(first=False), key="b"))
    assert found is not None
    assert found.action.arguments == PAY.arguments
    assert (found.outcome.status, found.outcome.digest) == (ActionStatus.AWAITING, waiting.digest)
    assert stage.life.find(FindAction(header=stage.header(first=False), key="nothing")) is None

"""Expiry of approval requests: it stands still exactly as long as a pause holds the run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import ApprovalStatus
from assent.domain.pauses import Scope, ScopeKind
from assent.store.tables import ApprovalRow
from tests.activities.stage import EVERYTHING, START, Stage, at_once
from tests.world import action

PAY = action("a", "desk.pay", to="bob", amount=40)
_NEAR = timedelta(seconds=1)


@pytest.fixture
def waiting(stage: Stage) -> ActionOutcome:
    """A payment that waits for a person, for an hour."""
    return stage.submit(PAY)


def expire(stage: Stage, waiting: ActionOutcome) -> ActionOutcome:
    return stage.close(waiting, ActionStatus.EXPIRED, message="Nobody decided in time.")


def hours(stage: Stage) -> float:
    """Hours from the start until the request expires, as the database has it."""
    (request,) = (stage.row(ApprovalRow, stage.submit(PAY).approval_id),)
    return round((request.expires_at - START) / timedelta(hours=1), 3)


def of_run(run_id: str) -> Scope:
    return Scope(kind=ScopeKind.RUN, name=run_id)


def test_nobody_decided_in_time(stage: Stage, waiting: ActionOutcome) -> None:
    assert waiting.expires_in == timedelta(hours=1)
    stage.clock.turn(minutes=61)
    outcome = expire(stage, waiting)
    assert (outcome.status, outcome.message) == (ActionStatus.EXPIRED, "Nobody decided in time.")
    assert stage.row(ApprovalRow, waiting.approval_id).status == ApprovalStatus.EXPIRED
    assert stage.events(action_id="run-1:a")[-1] == "approval.expired"
    assert stage.execute(PAY, stage.decision(waiting)).status is ActionStatus.EXPIRED
    assert stage.events(action_id="run-1:a")[-1] == "approval.late"
    assert stage.desk.done == []


def test_a_timer_that_fires_early_changes_nothing(stage: Stage, waiting: ActionOutcome) -> None:
    stage.clock.turn(minutes=50)
    outcome = expire(stage, waiting)
    assert outcome.status is ActionStatus.AWAITING
    assert outcome.expires_in is not None
    assert abs(outcome.expires_in - timedelta(minutes=10)) < _NEAR


def test_nothing_expires_while_a_pause_holds_it(stage: Stage, waiting: ActionOutcome) -> None:
    stage.clock.turn(minutes=50)
    stage.pause()
    stage.clock.turn(hours=5)
    held = expire(stage, waiting)
    assert (held.status, held.held_by) == (ActionStatus.AWAITING, ["pause-1"])
    stage.resume()
    outcome = expire(stage, waiting)
    assert outcome.status is ActionStatus.AWAITING
    assert outcome.expires_in is not None
    assert abs(outcome.expires_in - timedelta(minutes=10)) < _NEAR
    stage.clock.turn(minutes=11)
    assert expire(stage, waiting).status is ActionStatus.EXPIRED


def test_a_decision_during_the_pause_counts_although_the_time_is_over(stage: Stage, waiting: ActionOutcome) -> None:
    stage.pause()
    stage.clock.turn(hours=5)
    held = stage.execute(PAY, stage.decision(waiting))
    assert held.status is ActionStatus.HELD
    stage.resume()
    assert stage.execute(PAY, stage.decision(waiting)).status is ActionStatus.DONE


def test_a_pause_of_something_else_gives_no_time_back(stage: Stage, waiting: ActionOutcome) -> None:
    stage.pause(scope=of_run("run-2"))
    stage.clock.turn(minutes=61)
    stage.resume()
    assert hours(stage) == 1
    assert expire(stage, waiting).status is ActionStatus.EXPIRED


@pytest.mark.parametrize("first_to_end", ["pause-1", "pause-2"])
def test_overlapping_pauses_give_back_each_moment_once(stage: Stage, waiting: ActionOutcome, first_to_end: str) -> None:
    stage.pause("pause-1", EVERYTHING)
    stage.clock.turn(hours=1)
    stage.pause("pause-2", of_run("run-1"))
    stage.clock.turn(hours=1)
    stage.resume(first_to_end)
    stage.clock.turn(hours=1)
    stage.resume("pause-2" if first_to_end == "pause-1" else "pause-1")
    assert hours(stage) == 4
    stage.clock.turn(hours=2)
    stage.pause("pause-3")
    stage.clock.turn(hours=2)
    stage.resume("pause-3")
    assert hours(stage) == 6


def test_a_request_made_during_another_run_s_pause_gets_no_time_from_before_it(stage: Stage) -> None:
    """A pause that does not hold the asking run, followed by one that does."""
    stage.pause("pause-1", of_run("run-2"))
    stage.clock.turn(hours=1)
    stage.submit(PAY)
    stage.pause("pause-2", EVERYTHING)
    stage.clock.turn(hours=1)
    stage.resume("pause-1")
    stage.resume("pause-2")
    assert hours(stage) == 3


def test_pausing_and_deciding_at_once_never_wait_for_each_other(stage: Stage) -> None:
    """Both lock the fence and the request; in the same order, or PostgreSQL would have to end one of them."""
    actions = [action(f"a{number}", "desk.pay", to="bob", amount=1) for number in range(40)]
    requests = [(one, stage.submit(one)) for one in actions]

    def decide_or_pause(number: int) -> None:
        if number == 0:
            for turn in range(20):
                stage.pause(f"pause-{turn}")
                stage.resume(f"pause-{turn}")
            return
        for place, (one, waiting) in enumerate(requests):
            if place % 3 == number - 1:
                decision = stage.decision(waiting, id=one.key)
                while stage.execute(one, decision).status is ActionStatus.HELD:
                    pass

    at_once(4, decide_or_pause)
    assert stage.desk.balances == {"bob": 40}


def test_a_decision_after_the_time_does_not_count_although_nobody_closed_it(
    stage: Stage, waiting: ActionOutcome
) -> None:
    stage.clock.turn(minutes=61)
    assert stage.execute(PAY, stage.decision(waiting)).status is ActionStatus.AWAITING
    assert stage.events(action_id="run-1:a")[-1] == "approval.late"
    assert expire(stage, waiting).status is ActionStatus.EXPIRED
    assert stage.desk.done == []

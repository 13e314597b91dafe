"""Admission in the database: once for each action, whatever is submitted at once or comes back."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from sqlalchemy.exc import IntegrityError
from temporalio.exceptions import ApplicationError

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.store.tables import ActionRow
from assent_activities.connectors import Call
from tests.activities.stage import Stage, at_once
from tests.world import action


def persistent(stage: Stage, type: str, **arguments: object) -> ActionOutcome:
    """Submit as a worker would that is told to try again at once."""
    while True:
        try:
            return stage.submit(action("a", type, **arguments))
        except (IntegrityError, ApplicationError):
            time.sleep(0.02)


def test_the_same_action_in_parallel_has_one_effect(stage: Stage) -> None:
    def slow(call: Call) -> None:
        time.sleep(0.1)

    stage.desk.trouble = slow
    outcomes = at_once(8, lambda number: persistent(stage, "desk.note", text="milk"))
    assert Counter(outcome.status for outcome in outcomes) == {ActionStatus.DONE: 8}
    assert stage.desk.done == ["run-1:a"]
    assert stage.events(action_id="run-1:a") == ["action.proposed", "effect.claimed", "effect.done"]
    assert stage.run().actions == 1
    stage.check_chain()


def test_the_same_question_in_parallel_is_asked_once(stage: Stage) -> None:
    outcomes = at_once(8, lambda number: persistent(stage, "desk.pay", to="bob", amount=40))
    assert len({(outcome.status, outcome.approval_id, outcome.digest) for outcome in outcomes}) == 1
    assert stage.events(action_id="run-1:a") == ["action.proposed", "approval.requested"]


def test_the_same_approval_in_parallel_has_one_effect(stage: Stage) -> None:
    pay = action("a", "desk.pay", to="bob", amount=40)
    decision = stage.decision(stage.submit(pay))

    def approve(number: int) -> ActionOutcome:
        while True:
            try:
                return stage.execute(pay, decision.model_copy(update={"id": f"decision-{number % 4}"}))
            except (IntegrityError, ApplicationError):
                time.sleep(0.02)

    outcomes = at_once(8, approve)
    assert Counter(outcome.status for outcome in outcomes) == {ActionStatus.DONE: 8}
    assert stage.desk.done == ["run-1:a"]
    assert stage.events(action_id="run-1:a").count("approval.decided") == 1


def test_a_step_whose_foundation_failed_is_withdrawn(stage: Stage) -> None:
    blocked = stage.submit(action("a", "desk.note", text="x"), blocked="It depends on b, which did not succeed.")
    assert blocked.status is ActionStatus.WITHDRAWN
    assert stage.submit(action("a", "desk.note", text="x")).status is ActionStatus.WITHDRAWN
    assert stage.desk.done == []
    assert stage.events(action_id="run-1:a") == ["action.proposed", "action.withdrawn"]


def test_a_held_action_is_counted_once(stage: Stage) -> None:
    stage.pause()
    note = action("a", "desk.note", text="x")
    assert stage.submit(note).status is ActionStatus.HELD
    assert stage.submit(note).status is ActionStatus.HELD
    assert stage.events(action_id="run-1:a") == ["action.proposed", "action.held"]
    stage.resume()
    assert stage.submit(note).status is ActionStatus.DONE
    assert stage.run().actions == 1


def test_an_action_nobody_can_write_down_is_refused(stage: Stage) -> None:
    """No digest can bind an approval to a number beyond what JSON carries exactly."""
    outcome = stage.submit(action("a", "desk.pay", to="bob", amount=2**60))
    assert outcome.status is ActionStatus.REFUSED
    assert "canonical JSON" in outcome.message
    assert stage.row(ActionRow, "run-1:a").status == ActionStatus.REFUSED


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), "half \ud800 a character"])
def test_an_action_that_is_no_json_is_refused(stage: Stage, amount: object) -> None:
    for _ in range(2):
        outcome = stage.submit(action("a", "desk.tip", to="bob", amount=amount))
        assert outcome.status is ActionStatus.REFUSED
    assert stage.row(ActionRow, "run-1:a").arguments == {}
    assert stage.desk.done == []


def test_a_look_at_records_that_nobody_can_write_down_is_left_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assent.domain.effects import ResourceChange

    def preview(call: Call) -> list[ResourceChange]:
        return [ResourceChange(resource="desk/bob", before=float("inf"), after=2**70)]

    monkeypatch.setattr(stage.registry["desk.pay"], "preview", preview)
    waiting = stage.submit(action("a", "desk.pay", to="bob", amount=40))
    assert waiting.status is ActionStatus.AWAITING
    assert stage.execute(action("a", "desk.pay", to="bob", amount=40), stage.decision(waiting)).status is (
        ActionStatus.DONE
    )


@pytest.mark.parametrize("text", ["a\x00b", "‮gnp.exe", "<script>", "x" * 100_000])
def test_hostile_words_are_kept(stage: Stage, text: str) -> None:
    proposed = action("a", "desk.pay", to=text, amount=1).model_copy(update={"reason": text[:1000]})
    waiting = stage.submit(proposed)
    assert waiting.status is ActionStatus.AWAITING
    assert stage.execute(proposed, stage.decision(waiting)).status is ActionStatus.DONE
    stage.check_chain()

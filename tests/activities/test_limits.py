"""Limits of cards: exact to the last action, however many are proposed at once."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.tiers import Speed
from assent.store.tables import UsageRow
from tests.activities.stage import Stage, at_once
from tests.desk import CARD
from tests.world import action

_HOURLY = CARD.replace(
    "- {argument: amount, per: run, max: 8}",
    "- {argument: amount, per: hour, max: 8}\n      - {per: run, max: 1000}",
)
_STRICT = CARD.replace("per: run, max: 8}", "per: run, max: 8, over: refuse}")
_FEW_LETTERS = CARD.replace("desk.letter: {tier: auto}", "desk.letter: {tier: auto, limits: [{per: hour, max: 2}]}")


def used(stage: Stage, type: str = "desk.tip", measure: str = "amount") -> float:
    total = select(func.coalesce(func.sum(col(UsageRow.amount)), 0)).where(
        col(UsageRow.action_type) == type, col(UsageRow.measure) == measure
    )
    with stage.database.read() as session:
        return float(session.execute(total).scalar_one())


def test_a_run_limit_is_exact_under_parallel_claims(stage: Stage) -> None:
    outcomes = at_once(20, lambda number: stage.submit(action(f"t{number}", "desk.tip", to="bob", amount=1)))
    assert Counter(outcome.status for outcome in outcomes) == {ActionStatus.DONE: 8, ActionStatus.AWAITING: 12}
    assert stage.desk.balances == {"bob": 8}
    assert used(stage) == 8
    assert stage.run().actions == 20
    stage.check_chain()


def test_an_hourly_limit_is_exact_across_runs(stage: Stage) -> None:
    stage.publish(_HOURLY)
    outcomes = at_once(
        20, lambda number: stage.submit(action("t", "desk.tip", to="bob", amount=1), run_id=f"run-{number}")
    )
    assert Counter(outcome.status for outcome in outcomes) == {ActionStatus.DONE: 8, ActionStatus.AWAITING: 12}
    stage.clock.turn(minutes=59)
    late = stage.submit(action("late", "desk.tip", to="bob", amount=1))
    assert late.status is ActionStatus.AWAITING
    stage.clock.turn(minutes=2)
    assert stage.submit(action("later", "desk.tip", to="bob", amount=1)).status is ActionStatus.DONE


def test_over_a_strict_limit_is_refused(stage: Stage) -> None:
    stage.publish(_STRICT)
    assert stage.submit(action("a", "desk.tip", to="bob", amount=5)).status is ActionStatus.DONE
    refused = stage.submit(action("b", "desk.tip", to="bob", amount=4))
    assert refused.status is ActionStatus.REFUSED
    assert "over the card's automatic limit of 8" in refused.message


def test_what_had_no_effect_counts_no_more(stage: Stage) -> None:
    for number in range(4):
        failed = stage.submit(action(f"f{number}", "desk.tip", to="nobody", amount=5))
        assert failed.status is ActionStatus.FAILED
    assert used(stage) == 0
    assert stage.submit(action("a", "desk.tip", to="bob", amount=5)).status is ActionStatus.DONE


def test_what_a_person_approved_counts_too(stage: Stage) -> None:
    big = action("a", "desk.tip", to="bob", amount=7)
    waiting = stage.submit(big)
    assert waiting.status is ActionStatus.AWAITING
    assert used(stage) == 0
    assert stage.execute(big, stage.decision(waiting)).status is ActionStatus.DONE
    assert used(stage) == 7
    assert stage.submit(action("b", "desk.tip", to="bob", amount=2)).status is ActionStatus.AWAITING
    assert stage.submit(action("c", "desk.tip", to="bob", amount=1)).status is ActionStatus.DONE


def test_what_was_cleared_and_never_ran_counts_no_more(stage: Stage) -> None:
    stage.publish(_FEW_LETTERS)
    for number in range(2):
        cleared = stage.submit(action(f"l{number}", "desk.letter", text="Dear Bob"))
        assert (cleared.status, cleared.speed) == (ActionStatus.CLEARED, Speed.LONG)
    assert used(stage, "desk.letter", "actions") == 2
    assert stage.submit(action("l2", "desk.letter", text="Dear Bob")).status is ActionStatus.AWAITING
    stage.finish()
    assert used(stage, "desk.letter", "actions") == 0
    again = stage.submit(action("l0", "desk.letter", text="Dear Bob"), run_id="run-2")
    assert again.status is ActionStatus.CLEARED

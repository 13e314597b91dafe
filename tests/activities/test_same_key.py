"""The same key for something else: what runs is what was admitted first, whoever's proposal arrives first."""

from __future__ import annotations

import pytest

from assent.domain.actions import ActionStatus, ProposedAction
from assent.store.tables import ActionRow
from tests.activities.stage import Died, Stage, die_before_effect
from tests.world import action

KEY = "run-1:a"


def test_a_long_action_that_was_cleared_runs_as_it_was_admitted(stage: Stage) -> None:
    letter, other = (action("a", "desk.letter", text=text) for text in ("Dear Bob", "Dear Eve"))
    assert stage.submit(letter).status is ActionStatus.CLEARED
    assert stage.submit(other).status is ActionStatus.CLEARED
    done = stage.execute(other)
    assert done.status is ActionStatus.DONE
    assert "Dear Bob" in done.sentence
    assert "Dear Eve" not in str(stage.claim(KEY).changes)
    assert "Dear Bob" in str(stage.claim(KEY).changes)


@pytest.mark.parametrize(
    "other", [action("a", "desk.tip", to="eve", amount=4), action("a", "desk.note", text="eve")], ids=lambda a: a.type
)
def test_an_action_that_a_pause_held_is_weighed_as_it_was_proposed(stage: Stage, other: ProposedAction) -> None:
    stage.pause()
    assert stage.submit(action("a", "desk.tip", to="bob", amount=5)).status is ActionStatus.HELD
    stage.resume()
    assert stage.submit(other).status is ActionStatus.DONE
    row = stage.row(ActionRow, KEY)
    assert row.arguments == {"to": "bob", "amount": 5}
    assert "eve" not in str(stage.claim(KEY).changes)


def test_a_claim_left_behind_is_followed_up_as_it_was_made(stage: Stage) -> None:
    die_before_effect(stage.desk)
    with pytest.raises(Died):
        stage.submit(action("a", "desk.tip", to="bob", amount=5))
    stage.clock.turn(minutes=5)
    assert stage.submit(action("a", "desk.tip", to="eve", amount=4)).status.settled
    assert "eve" not in str(stage.claim(KEY).changes)


def test_an_approval_that_a_pause_held_clears_what_was_shown(stage: Stage) -> None:
    pay, other = action("a", "desk.pay", to="bob", amount=40), action("a", "desk.pay", to="eve", amount=400)
    waiting = stage.submit(pay)
    stage.pause()
    assert stage.execute(pay, stage.decision(waiting)).status is ActionStatus.HELD
    stage.resume()
    assert stage.execute(other).status is ActionStatus.DONE
    assert "eve" not in str(stage.claim(KEY).changes)

"""Proposing again: an action names the refused one that it replaces, and people see both."""

from __future__ import annotations

import pytest

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
from assent.domain.approvals import RequestCard, Verb
from assent.domain.catalogue import SECRET
from assent.store.queries import timeline
from assent.store.tables import ActionRow, ApprovalRow
from tests.activities.stage import Stage
from tests.desk import CARD
from tests.world import action

PAY = action("a", "desk.pay", to="bob", amount=40)


def instead(key: str, of: str, type: str = "desk.pay", **arguments: object) -> ProposedAction:
    return action(key, type, **arguments).model_copy(update={"instead_of": of})


@pytest.fixture
def rejected(stage: Stage) -> ActionOutcome:
    waiting = stage.submit(PAY)
    decision = stage.decision(waiting, Verb.REJECT, reason="Too much.")
    return stage.close(waiting, ActionStatus.REJECTED, decision)


def card_of(stage: Stage, outcome: ActionOutcome) -> RequestCard:
    assert outcome.approval_id is not None
    return RequestCard.model_validate(stage.row(ApprovalRow, outcome.approval_id).card)


def test_people_see_what_was_refused_and_what_differs(stage: Stage, rejected: ActionOutcome) -> None:
    again = stage.submit(instead("b", "a", to="bob", amount=20))
    assert again.status is ActionStatus.AWAITING
    former = card_of(stage, again).instead_of
    assert former is not None
    assert (former.key, former.status, former.message) == ("a", "rejected", "Too much.")
    assert former.sentence == "Pay 40 to bob"
    assert former.approval_id is not None
    assert [(c.path, c.before, c.after) for c in former.changes] == [(["amount"], 40, 20)]
    assert stage.row(ActionRow, "run-1:b").instead_of == "a"
    with stage.database.read() as session:
        proposed = timeline.of_action(session, "run-1:b", limit=1)[0]
    assert proposed.body["instead_of"] == "a"
    assert stage.execute(instead("b", "a", to="bob", amount=20), stage.decision(again, id="yes")).status == "done"
    stage.check_chain()


def test_another_kind_of_action_may_replace_it(stage: Stage, rejected: ActionOutcome) -> None:
    noted = stage.submit(instead("b", "a", "desk.note", text="Bob was not paid."))
    assert noted.status is ActionStatus.DONE


@pytest.mark.parametrize("gone", ["nothing", "b", "c"])
def test_only_what_was_not_done_can_be_replaced(stage: Stage, rejected: ActionOutcome, gone: str) -> None:
    stage.submit(action("c", "desk.note", text="done"))
    refused = stage.submit(instead("b", gone, to="bob", amount=20))
    assert refused.status is ActionStatus.REFUSED
    assert "instead of" in refused.message
    assert refused.reasons[0].rule == "instead-of"


def test_a_replaced_secret_is_not_shown(stage: Stage) -> None:
    stage.declare("desk.pay", secrets=frozenset({"to"}))
    stage.publish(CARD)
    waiting = stage.submit(PAY)
    stage.close(waiting, ActionStatus.REJECTED, stage.decision(waiting, Verb.REJECT, reason="No."))
    former = card_of(stage, stage.submit(instead("b", "a", to="zoe", amount=40))).instead_of
    assert former is not None
    assert [(c.path, c.before, c.after) for c in former.changes] == [(["to"], SECRET, SECRET)]

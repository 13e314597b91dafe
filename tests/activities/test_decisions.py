"""Decisions: bound to what was shown, by somebody who may, once; late ones are recorded and change nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlmodel import col
from temporalio.exceptions import ApplicationError

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.people import Actor, Role
from assent.store.tables import ApprovalRow, DecisionRow, EffectRow, PersonRow
from tests.activities.stage import Died, Stage, die_after_effect, tried_again, until_settled
from tests.desk import CARD, unreachable
from tests.world import AGENT, EVE, action

PAY = action("a", "desk.pay", to="bob", amount=40)
KEY = "run-1:a"
_NEVER_BOB = CARD + "  - {action: desk.pay, when: 'args.to == \"bob\"', because: Bob has left.}\n"
_NO_PAY = CARD.replace("  desk.pay:\n    tier: approve\n    expires: 1h\n", "").replace(
    "never:\n  - action: desk.pay\n    when: 'args.to == \"mallory\"'\n    because: Mallory is never paid.\n", ""
)
_MORE_FREE = CARD.replace("expires: 1h", "expires: 2h")


@pytest.fixture
def waiting(stage: Stage) -> ActionOutcome:
    """A payment that waits for a person."""
    outcome = stage.submit(PAY)
    assert outcome.status is ActionStatus.AWAITING
    assert (outcome.approval_id, outcome.digest) != (None, None)
    return outcome


def approval(stage: Stage, outcome: ActionOutcome) -> ApprovalRow:
    assert outcome.approval_id is not None
    return stage.row(ApprovalRow, outcome.approval_id)


def counted(stage: Stage, decision_id: str = "decision-1") -> tuple[bool, str]:
    row = stage.row(DecisionRow, decision_id)
    return row.counted, row.why_not


def set_roles(stage: Stage, person: str, *roles: Role, disabled: bool = False) -> None:
    with stage.database.write() as session:
        session.execute(
            update(PersonRow).where(col(PersonRow.id) == person).values(roles=list(roles), disabled=disabled)
        )


def test_an_approval_clears_the_action(stage: Stage, waiting: ActionOutcome) -> None:
    outcome = stage.execute(PAY, stage.decision(waiting))
    assert outcome.status is ActionStatus.DONE
    assert stage.desk.balances == {"bob": 40}
    request = approval(stage, waiting)
    assert request.status == ApprovalStatus.APPROVED
    assert request.decided_by is not None
    assert request.decided_by["id"] == "ann"
    assert counted(stage) == (True, "")
    assert stage.events(action_id=KEY) == [
        "action.proposed",
        "approval.requested",
        "approval.decided",
        "effect.claimed",
        "effect.done",
    ]
    stage.check_chain()


def test_nothing_runs_without_a_decision(stage: Stage, waiting: ActionOutcome) -> None:
    assert stage.execute(PAY).status is ActionStatus.AWAITING
    assert stage.submit(PAY).status is ActionStatus.AWAITING
    assert stage.desk.done == []


def test_the_digest_is_what_the_projection_and_the_agent_are_given(stage: Stage, waiting: ActionOutcome) -> None:
    assert approval(stage, waiting).digest == waiting.digest == stage.submit(PAY).digest


def test_a_decision_on_something_else_does_not_count(stage: Stage, waiting: ActionOutcome) -> None:
    outcome = stage.execute(PAY, stage.decision(waiting, digest="0" * 64))
    assert outcome.status is ActionStatus.AWAITING
    assert counted(stage) == (False, "The decision is about something other than what would run.")
    assert stage.events(action_id=KEY)[-1] == "approval.late"
    assert stage.execute(PAY, stage.decision(waiting, id="decision-2")).status is ActionStatus.DONE


@pytest.mark.parametrize("arguments", [{"to": "bob", "amount": 400}, {"to": "eve", "amount": 40}])
def test_what_runs_is_what_was_shown(stage: Stage, waiting: ActionOutcome, arguments: dict[str, object]) -> None:
    other = PAY.model_copy(update={"arguments": arguments})
    assert stage.execute(other, stage.decision(waiting)).status is ActionStatus.AWAITING
    assert stage.desk.done == []


def test_a_request_that_was_tampered_with_cannot_be_approved(stage: Stage, waiting: ActionOutcome) -> None:
    """What is shown is part of the digest: whoever changes it in the database breaks the seal."""
    with stage.database.write() as session:
        card = {**approval(stage, waiting).card, "headline": "Pay 4 to bob"}
        session.execute(update(ApprovalRow).where(col(ApprovalRow.id) == waiting.approval_id).values(card=card))
    assert stage.execute(PAY, stage.decision(waiting)).status is ActionStatus.AWAITING
    assert stage.desk.done == []


@pytest.mark.parametrize("by", [EVE, AGENT], ids=lambda actor: actor.id)
def test_somebody_who_may_not_decide_changes_nothing(stage: Stage, waiting: ActionOutcome, by: Actor) -> None:
    assert stage.execute(PAY, stage.decision(waiting, by=by)).status is ActionStatus.AWAITING
    rejected = stage.decision(waiting, Verb.REJECT, by=by, id="decision-2", reason="No.")
    assert stage.close(waiting, ActionStatus.REJECTED, rejected).status is ActionStatus.AWAITING
    assert [counted(stage, name)[0] for name in ("decision-1", "decision-2")] == [False, False]
    assert stage.execute(PAY, stage.decision(waiting, id="decision-3")).status is ActionStatus.DONE


def test_an_approver_who_lost_the_role_meanwhile_does_not_count(stage: Stage, waiting: ActionOutcome) -> None:
    decision = stage.decision(waiting)
    set_roles(stage, "ann", Role.OPERATOR)
    assert stage.execute(PAY, decision).status is ActionStatus.AWAITING
    assert counted(stage) == (
        False,
        "Ann Approver may not decide approval requests: they need the role approver.",
    )


def test_an_approver_who_was_disabled_meanwhile_does_not_count(stage: Stage, waiting: ActionOutcome) -> None:
    decision = stage.decision(waiting)
    set_roles(stage, "ann", Role.APPROVER, disabled=True)
    assert stage.execute(PAY, decision).status is ActionStatus.AWAITING


def test_an_approval_that_has_done_nothing_yet_goes_with_the_role(stage: Stage, waiting: ActionOutcome) -> None:
    decision = stage.decision(waiting)
    stage.desk.trouble = unreachable(1)
    tried_again(lambda: stage.execute(PAY, decision))
    set_roles(stage, "ann")
    assert stage.execute(PAY, decision).status is ActionStatus.AWAITING
    assert stage.desk.done == []
    set_roles(stage, "ann", Role.APPROVER)
    assert stage.execute(PAY, stage.decision(waiting, id="decision-2")).status is ActionStatus.DONE


def test_an_approval_that_still_stands_is_tried_again(stage: Stage, waiting: ActionOutcome) -> None:
    decision = stage.decision(waiting)
    stage.desk.trouble = unreachable(1)
    tried_again(lambda: stage.execute(PAY, decision))
    assert stage.execute(PAY, decision).status is ActionStatus.DONE


def test_a_rejection_is_no_approval(stage: Stage, waiting: ActionOutcome) -> None:
    assert stage.execute(PAY, stage.decision(waiting, Verb.REJECT, reason="No.")).status is ActionStatus.AWAITING
    assert stage.desk.done == []


def test_a_rejection_closes_the_request_and_its_reason_is_kept(stage: Stage, waiting: ActionOutcome) -> None:
    decision = stage.decision(waiting, Verb.REJECT, reason="Bob was paid.")
    outcome = stage.close(waiting, ActionStatus.REJECTED, decision, "Bob was paid.")
    assert (outcome.status, outcome.message) == (ActionStatus.REJECTED, "Bob was paid.")
    assert approval(stage, waiting).decision_reason == "Bob was paid."
    assert stage.events(action_id=KEY)[-1] == "approval.decided"
    assert stage.execute(PAY, stage.decision(waiting, id="decision-2")).status is ActionStatus.REJECTED
    assert counted(stage, "decision-2") == (False, "It was already rejected.")
    assert stage.desk.done == []


def test_a_rejection_of_something_else_does_not_count(stage: Stage, waiting: ActionOutcome) -> None:
    decision = stage.decision(waiting, Verb.REJECT, digest="0" * 64, reason="No.")
    assert stage.close(waiting, ActionStatus.REJECTED, decision).status is ActionStatus.AWAITING


def test_a_decision_twice_counts_once(stage: Stage, waiting: ActionOutcome) -> None:
    decision = stage.decision(waiting)
    stage.execute(PAY, decision)
    assert stage.execute(PAY, decision).status is ActionStatus.DONE
    assert stage.execute(PAY, stage.decision(waiting, id="decision-2")).status is ActionStatus.DONE
    assert counted(stage, "decision-2") == (False, "It was already approved.")
    assert stage.desk.done == [KEY]
    assert stage.events(action_id=KEY).count("approval.decided") == 1


def test_a_late_decision_is_recorded_once_and_changes_nothing(stage: Stage, waiting: ActionOutcome) -> None:
    stage.execute(PAY, stage.decision(waiting))
    late = stage.decision(waiting, Verb.REJECT, id="decision-2", reason="Wait!")
    for _ in range(2):
        assert stage.close(waiting, None, late).status is ActionStatus.DONE
    assert counted(stage, "decision-2") == (False, "It was already settled.")
    assert stage.events(action_id=KEY).count("approval.late") == 1
    assert stage.events(action_id=KEY)[-1] == "approval.late"


def test_a_rejection_cannot_stop_an_effect_that_is_under_way(stage: Stage, waiting: ActionOutcome) -> None:
    die_after_effect(stage.desk)
    with pytest.raises(Died):
        stage.execute(PAY, stage.decision(waiting))
    late = stage.decision(waiting, Verb.REJECT, id="decision-2", reason="Wait!")
    assert stage.close(waiting, ActionStatus.REJECTED, late).status is ActionStatus.CLAIMED
    assert stage.close(waiting, ActionStatus.WITHDRAWN).status is ActionStatus.CLAIMED
    assert until_settled(stage, lambda: stage.execute(PAY)).status is ActionStatus.DONE
    assert stage.desk.done == [KEY]


def test_an_approved_action_survives_a_crash_and_a_pause(stage: Stage, waiting: ActionOutcome) -> None:
    decision = stage.decision(waiting)
    stage.pause()
    held = stage.execute(PAY, decision)
    assert (held.status, held.held_by) == (ActionStatus.HELD, ["pause-1"])
    assert stage.execute(PAY, decision).status is ActionStatus.HELD
    assert stage.events(action_id=KEY).count("action.held") == 1
    stage.resume()
    die_after_effect(stage.desk)
    with pytest.raises(Died):
        stage.execute(PAY, decision)
    assert until_settled(stage, lambda: stage.execute(PAY, decision)).status is ActionStatus.DONE
    assert stage.desk.done == [KEY]


@pytest.mark.parametrize("card", [_NEVER_BOB, _NO_PAY], ids=["never", "not listed"])
def test_a_card_published_meanwhile_that_refuses_wins(stage: Stage, waiting: ActionOutcome, card: str) -> None:
    stage.publish(card)
    outcome = stage.execute(PAY, stage.decision(waiting))
    assert outcome.status is ActionStatus.REFUSED
    assert outcome.message
    assert stage.desk.done == []
    assert stage.find(EffectRow, KEY) is None
    assert stage.events(action_id=KEY)[-1] == "action.refused"


def test_a_card_published_meanwhile_that_allows_changes_nothing(stage: Stage, waiting: ActionOutcome) -> None:
    stage.publish(_MORE_FREE)
    assert stage.execute(PAY, stage.decision(waiting)).status is ActionStatus.DONE


def test_an_action_that_was_never_admitted_cannot_run(stage: Stage) -> None:
    with pytest.raises(ApplicationError, match="never admitted") as caught:
        stage.execute(PAY)
    assert caught.value.non_retryable
    assert stage.desk.done == []

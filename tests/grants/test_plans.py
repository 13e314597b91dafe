"""Plans approved as a whole: what is shown, what it takes, what it covers, and what drifts from it."""

from __future__ import annotations

import pytest

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
from assent.domain.errors import AssentError, Conflict, Forbidden, NotFound, Unavailable
from assent.domain.people import Assurance
from assent.domain.plans import PlanApprovalStatus
from assent.store import consistency
from assent.store.queries import grants
from tests.activities.stage import at_once
from tests.grants.bureau import FAY, LEO, SAM, SUE, TWO_GROUPS, Bureau, card
from tests.world import AGENT, ANN, action

REF = {"$ref": "first.ok"}
OPEN_SUM = {"$ref": "look.echo.sum"}


def paying(key: str, amount: object = 5, to: object = "bob") -> ProposedAction:
    return ProposedAction(key=key, type="desk.pay", arguments={"to": to, "amount": amount})


PLAN = [action("note", "desk.note", text="hello"), paying("first"), paying("second", 7), paying("third", 9, "ann")]


def begun(bureau: Bureau, plan: list[ProposedAction] = PLAN) -> ActionOutcome:
    """Start a run with a plan: its first step is submitted."""
    return bureau.step(plan[0], plan=plan)


def why(outcome: ActionOutcome) -> list[str]:
    return [reason.sentence for reason in outcome.reasons if reason.rule in ("grant", "plan", "plan-drift")]


def test_the_whole_plan_is_shown_with_the_steps_that_ask(bureau: Bureau) -> None:
    begun(bureau)
    offer = bureau.offer()
    assert [(step.key, step.asks, step.status) for step in offer.steps] == [
        ("note", False, ActionStatus.DONE),
        ("first", True, None),
        ("second", True, None),
        ("third", True, None),
    ]
    assert offer.steps[3].sentence == "Pay 9 to ann"
    assert offer.steps[3].needs == "one of finance"
    assert offer.needs.startswith("Approval needs one of finance")
    assert (offer.ahead, offer.approval_id) == (3, "")
    assert bureau.offer().digest == offer.digest


def test_a_run_without_a_plan_or_with_nothing_that_asks_offers_none(bureau: Bureau) -> None:
    bureau.step(paying("alone"))
    assert bureau.do(bureau.gateway.plan_offer("run-1")) is None
    tame = [action("one", "desk.note", text="a"), action("two", "desk.note", text="b")]
    bureau.step(tame[0], plan=tame, run_id="run-2")
    assert bureau.do(bureau.gateway.plan_offer("run-2")) is None
    with pytest.raises(NotFound, match="no run"):
        bureau.do(bureau.gateway.plan_offer("run-none"))
    with pytest.raises(NotFound, match="no plan that asks"):
        bureau.do(bureau.gateway.approve_plan("run-2", digest="0" * 64, by=FAY))


def test_an_approved_plan_covers_its_steps(bureau: Bureau) -> None:
    begun(bureau)
    approved = bureau.approve_plan()
    assert approved.status is PlanApprovalStatus.ACTIVE
    outcomes = [bureau.step(step) for step in PLAN[1:]]
    assert [outcome.status for outcome in outcomes] == [ActionStatus.DONE] * 3
    assert why(outcomes[0]) == ["Approved with the plan by Fay."]
    assert bureau.events(run_id="run-1", kind="plan.approved") == ["plan.approved"]
    assert bureau.events(action_id="run-1:first")[:2] == ["action.proposed", "plan.used"]
    with bureau.database.read() as session:
        found = grants.plan_approval(session, approved.plan_approval_id, now=bureau.clock())
        used = grants.uses(session, found.id).items
    assert (found.note, found.status, [word.by for word in found.words]) == ("Looks right", "active", [FAY])
    assert [use.action_id for use in used] == ["run-1:third", "run-1:second", "run-1:first"]
    assert consistency.compare(bureau.database)[1] == []
    bureau.check_chain()


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (paying("fourth"), "fourth is not part of it"),
        (paying("first", 6), "arguments of first are not those"),
        (paying("first", 5, "ann"), "arguments of first are not those"),
        (action("first", "desk.tip", to="bob", amount=7), "with desk.pay as first, not desk.tip"),
        (action("note2", "desk.tip", to="bob", amount=7), "note2 is not part of it"),
    ],
)
def test_what_drifts_from_the_plan_asks_and_says_why(bureau: Bureau, step: ProposedAction, says: str) -> None:
    begun(bureau)
    bureau.approve_plan()
    outcome = bureau.step(step)
    assert outcome.status is ActionStatus.AWAITING
    (reason,) = why(outcome)
    assert says in reason
    assert outcome.approval_id is not None
    request = bureau.do(bureau.gateway.action(outcome.action_id))
    assert reason in [each.sentence for each in request.reasons]


def test_a_changed_card_is_drift(bureau: Bureau) -> None:
    begun(bureau)
    offer = bureau.offer()
    bureau.approve_plan()
    bureau.publish(card().replace("Bo Owner", "Bo The Owner"))
    outcome = bureau.step(PLAN[1])
    assert outcome.status is ActionStatus.AWAITING
    assert why(outcome) == ["The agent's card was changed after the plan was approved."]
    assert bureau.offer().digest != offer.digest
    with pytest.raises(Conflict, match="not what you saw"):
        bureau.approve_plan(LEO, digest=offer.digest)


def test_references_are_part_of_the_plan_and_must_resolve_to_what_runs(bureau: Bureau) -> None:
    look = action("look", "desk.read", sum=20)
    plan = [look, paying("dear", OPEN_SUM)]
    begun(bureau, plan)
    offer = bureau.offer()
    assert offer.steps[1].open
    assert offer.steps[1].arguments == {"to": "bob", "amount": OPEN_SUM}
    assert offer.steps[1].sentence == "Pay … to bob"
    assert "finance-leads" in offer.needs, "what the sum may raise is asked for ahead"
    assert bureau.approve_plan().status is PlanApprovalStatus.PENDING
    assert bureau.approve_plan(LEO).status is PlanApprovalStatus.ACTIVE
    assert bureau.step(paying("dear", 21)).status is ActionStatus.AWAITING, "the look gave 20"
    bureau.step(plan[0], plan=plan, run_id="run-2")
    bureau.approve_plan(run_id="run-2")
    bureau.approve_plan(LEO, run_id="run-2")
    assert bureau.step(paying("dear", 20), run_id="run-2").status is ActionStatus.DONE


def test_a_result_that_sets_off_a_stop_rule_or_a_limit_asks(bureau: Bureau) -> None:
    strict = """
  desk.pay:
    tier: approve
    limits: [{argument: amount, per: run, max: 100}]
    stop: [{when: args.amount == 13.0, because: Thirteen is never paid lightly.}]
    approval: {need: [{of: finance}]}
"""
    bureau.publish(card(strict))
    for run_id, found, status, says in (
        ("run-13", 13, ActionStatus.AWAITING, "not known when the plan was approved: Thirteen"),
        ("run-101", 101, ActionStatus.AWAITING, "not known when the plan was approved: The amount of 101"),
        ("run-12", 12, ActionStatus.DONE, "Approved with the plan"),
    ):
        plan = [action("look", "desk.read", sum=found), paying("pay", OPEN_SUM)]
        bureau.step(plan[0], plan=plan, run_id=run_id)
        bureau.approve_plan(run_id=run_id)
        outcome = bureau.step(paying("pay", found), run_id=run_id)
        assert outcome.status is status
        assert says in why(outcome)[0]


def test_a_stop_rule_that_people_saw_with_the_plan_is_approved_with_it(bureau: Bureau) -> None:
    strict = """
  desk.pay:
    tier: approve
    stop: [{when: args.amount == 13.0, because: Thirteen is never paid lightly.}]
    approval: {need: [{of: finance}]}
"""
    bureau.publish(card(strict))
    plan = [action("note", "desk.note", text="hello"), paying("pay", 13)]
    begun(bureau, plan)
    assert "Thirteen is never paid lightly." in [reason.sentence for reason in bureau.offer().steps[1].reasons]
    bureau.approve_plan()
    assert bureau.step(plan[1]).status is ActionStatus.DONE


def test_the_highest_class_decides_the_whole(bureau: Bureau) -> None:
    more = """
  desk.letter:
    tier: approve
    approval: {need: [{of: sre}], assurance: fresh}
"""
    start = card(more=more).replace("  desk.letter: {tier: auto}\n", "")
    bureau.publish(start)
    plan = [paying("first"), action("letter", "desk.letter", text="Dear Bob"), paying("dear", 600)]
    begun(bureau, plan)
    offer = bureau.offer()
    assert offer.assurance is Assurance.FRESH
    for group in ("finance", "sre", "finance-leads"):
        assert f"one of {group}" in offer.needs
    fresh = {"assurance": Assurance.FRESH}
    fay, leo, sam = (each.model_copy(update=fresh) for each in (FAY, LEO, SAM))
    assert bureau.approve_plan(fay).status is PlanApprovalStatus.PENDING
    with pytest.raises(Conflict, match="approved the plan already"):
        bureau.approve_plan(fay)
    with pytest.raises(Forbidden):
        bureau.approve_plan(ANN.model_copy(update=fresh))
    assert "sre" in bureau.approve_plan(leo).missing
    assert bureau.step(paying("dear", 600)).status is ActionStatus.AWAITING, "it is not in force yet"
    assert bureau.approve_plan(sam).status is PlanApprovalStatus.ACTIVE
    assert bureau.step(plan[1]).status is ActionStatus.CLEARED


def test_a_second_person_puts_it_in_force(bureau: Bureau) -> None:
    bureau.publish(card(TWO_GROUPS))
    begun(bureau)
    assert bureau.approve_plan(FAY).status is PlanApprovalStatus.PENDING
    assert bureau.approve_plan(SAM).status is PlanApprovalStatus.PENDING
    assert bureau.approve_plan(SUE).status is PlanApprovalStatus.ACTIVE
    with pytest.raises(Conflict, match="approved already"):
        bureau.approve_plan(LEO)
    assert why(bureau.step(PLAN[1])) == ["Approved with the plan by Fay and Sam and Sue."]
    bureau.reassign(SUE, disabled=True)
    outcome = bureau.step(PLAN[2])
    assert outcome.status is ActionStatus.AWAITING
    assert "not enough any more: it needs one of sre" in why(outcome)[0]


def test_whoever_started_the_run_does_not_approve_its_plan(bureau: Bureau) -> None:
    bureau.step(PLAN[0], plan=PLAN, by=FAY)
    with pytest.raises(Forbidden, match="started this run"):
        bureau.approve_plan(FAY)
    assert bureau.events(kind="plan.refused") == ["plan.refused"]
    assert bureau.approve_plan(LEO).status is PlanApprovalStatus.ACTIVE


def test_revoked_it_covers_nothing(bureau: Bureau) -> None:
    begun(bureau)
    approved = bureau.approve_plan()
    assert bureau.step(PLAN[1]).status is ActionStatus.DONE
    bureau.do(bureau.gateway.revoke_plan(approved.plan_approval_id, by=SAM, reason="Changed my mind"))
    assert bureau.step(PLAN[2]).status is ActionStatus.AWAITING
    with pytest.raises(Conflict, match="revoked already"):
        bureau.do(bureau.gateway.revoke_plan(approved.plan_approval_id, by=SAM))
    assert bureau.events(run_id="run-1", kind="plan.revoked") == ["plan.revoked"]
    again = bureau.approve_plan(LEO)
    assert again.plan_approval_id != approved.plan_approval_id
    assert bureau.step(PLAN[3]).status is ActionStatus.DONE


def test_a_run_that_has_ended_takes_no_approval(bureau: Bureau) -> None:
    begun(bureau)
    digest = bureau.offer().digest
    bureau.finish()
    with pytest.raises(Conflict, match="run has ended"):
        bureau.approve_plan(digest=digest)


def test_a_plan_that_drifted_may_still_be_covered_by_a_grant(bureau: Bureau) -> None:
    begun(bureau)
    bureau.approve_plan()
    grant = bureau.grant()
    outcome = bureau.step(paying("fourth"))
    assert outcome.status is ActionStatus.DONE
    assert grant.id in why(outcome)[0]


def test_requests_that_wait_are_sent_to_the_run_and_told_one_by_one(bureau: Bureau) -> None:
    begun(bureau)
    waiting = bureau.step(PLAN[1])
    assert waiting.status is ActionStatus.AWAITING
    approved = bureau.approve_plan()
    (sent,) = approved.sent
    assert (sent.approval_id, sent.sent, sent.code) == (waiting.approval_id, False, Unavailable.code)
    assert approved.status is PlanApprovalStatus.ACTIVE, "without Temporal the plan is approved all the same"


def test_secrets_of_a_plan_are_dots(bureau: Bureau) -> None:
    bureau.declare("desk.pay", secrets=frozenset({"to"}))
    bureau.publish(card().replace("Bo Owner", "Bo The Owner"))
    begun(bureau)
    assert "bob" not in bureau.offer().model_dump_json()
    assert bureau.approve_plan().status is PlanApprovalStatus.ACTIVE
    assert bureau.step(PLAN[1]).status is ActionStatus.DONE
    assert bureau.step(paying("second", 7, "eve")).status is ActionStatus.AWAITING


def test_a_plan_is_kept_once(bureau: Bureau) -> None:
    begun(bureau)
    digest = bureau.offer().digest
    bureau.step(PLAN[0], plan=[*PLAN, paying("more")])
    bureau.step(PLAN[1], plan=[*PLAN, paying("more")], by=AGENT)
    assert bureau.offer().digest == digest


def test_approved_by_many_at_once_it_is_one_approval(bureau: Bureau) -> None:
    bureau.publish(card(TWO_GROUPS))
    begun(bureau)
    digest = bureau.offer().digest
    people = (FAY, SAM, SUE)

    def approve(number: int) -> str:
        try:
            return bureau.approve_plan(people[number % 3], digest=digest).status.value
        except AssentError as error:
            return error.code

    answers = at_once(6, approve)
    assert sorted(answers) == ["active"] + ["conflict"] * 3 + ["pending"] * 2
    with bureau.database.read() as session:
        (one,) = grants.plan_approvals(session, "run-1", now=bureau.clock())
    assert {word.by.id for word in one.words} == {"fay", "sam", "sue"}

"""Standing grants, whole plans and several decisions at once on a real server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
from assent.domain.approvals import Verb
from assent.domain.grants import GrantTerms, Pattern, PatternKind
from assent.domain.plans import PlanApprovalStatus
from assent.domain.runs import RunStatus
from assent.gateway import OneOfMany, PlanOffer
from assent.runtime.verify import verify
from tests.desk import CARD
from tests.world import AGENT, ANN, EVE, World, action

SLOW = CARD.replace(
    "  desk.letter: {tier: auto}\n",
    '  desk.letter: {tier: approve, approval: {grants: {by: ["role:approver"], uses: 5}}}\n',
)


def why(outcome: ActionOutcome) -> str:
    return " ".join(reason.sentence for reason in outcome.reasons if reason.rule in ("grant", "plan", "plan-drift"))


async def everything_agrees(world: World) -> None:
    report = await verify(world.database, world.client, lambda doing: None)
    assert report.faults == []


async def offered(world: World, run_id: str) -> PlanOffer:
    offer = await world.gateway.plan_offer(run_id)
    assert offer is not None
    return offer


async def test_a_plan_approved_at_its_first_request_runs_through(world: World) -> None:
    plan = [
        action("look", "desk.read", sum=7),
        ProposedAction(key="first", type="desk.pay", arguments={"to": "bob", "amount": 5}),
        ProposedAction(key="second", type="desk.pay", arguments={"to": "ann", "amount": {"$ref": "look.echo.sum"}}),
        action("note", "desk.note", text="paid"),
    ]
    run_id = await world.start(*plan)
    await world.outcome(run_id, "first", ActionStatus.AWAITING)
    offer = await offered(world, run_id)
    assert [(step.key, step.asks, step.open) for step in offer.steps] == [
        ("look", False, False),
        ("first", True, False),
        ("second", True, True),
        ("note", False, False),
    ]
    made = await world.gateway.approve_plan(run_id, digest=offer.digest, by=ANN)
    assert [result.sent for result in made.sent] == [True]
    result = await world.result(run_id)
    assert (result.status, result.counts) == (RunStatus.COMPLETED, {"done": 4})
    assert world.desk.balances == {"bob": 5, "ann": 7}
    assert why(await world.outcome(run_id, "second")) == "Approved with the plan by Ann Approver."
    assert world.events(run_id=run_id, kind="approval.requested") == ["approval.requested"]
    await everything_agrees(world)


async def test_two_people_put_a_plan_in_force_and_both_votes_reach_what_waits(world: World) -> None:
    world.publish(CARD.replace("    expires: 1h\n", '    approval: {need: [{of: "role:approver", count: 2}]}\n'))
    with world.database.write() as session:
        from assent.store.tables import PersonRow

        row = session.get(PersonRow, EVE.id)
        assert row is not None
        row.roles = ["approver"]
    run_id = await world.start(*(action(f"s{number}", "desk.pay", to="bob", amount=number + 1) for number in range(3)))
    await world.outcome(run_id, "s0", ActionStatus.AWAITING)
    offer = await offered(world, run_id)
    first = await world.gateway.approve_plan(run_id, digest=offer.digest, by=ANN)
    assert (first.status, first.sent) == (PlanApprovalStatus.PENDING, [])
    second = await world.gateway.approve_plan(run_id, digest=offer.digest, by=EVE)
    assert second.status is PlanApprovalStatus.ACTIVE
    assert [result.sent for result in second.sent] == [True, True]
    assert (await world.result(run_id)).counts == {"done": 3}
    await everything_agrees(world)


async def test_a_step_that_drifts_asks_and_its_own_approval_counts(world: World) -> None:
    strict = CARD.replace("    expires: 1h\n", "    expires: 1h\n    limits: [{argument: amount, per: run, max: 20}]\n")
    world.publish(strict)
    amount = {"$ref": "look.echo.sum"}
    plan = [
        action("look", "desk.read", sum=16),
        ProposedAction(key="first", type="desk.pay", arguments={"to": "bob", "amount": 5}),
        ProposedAction(key="second", type="desk.pay", arguments={"to": "bob", "amount": amount}),
    ]
    run_id = await world.start(*plan)
    await world.outcome(run_id, "first", ActionStatus.AWAITING)
    offer = await offered(world, run_id)
    await world.gateway.approve_plan(run_id, digest=offer.digest, by=ANN)
    drifted = await world.outcome(run_id, "second", ActionStatus.AWAITING)
    assert "not known when the plan was approved" in why(drifted)
    await world.decide(drifted, Verb.APPROVE)
    assert (await world.result(run_id)).counts == {"done": 3}
    await everything_agrees(world)


async def test_a_long_action_runs_by_its_grant(world: World) -> None:
    world.publish(SLOW)
    terms = GrantTerms(
        agent="desk-clerk",
        action_type="desk.letter",
        arguments={"text": Pattern(kind=PatternKind.PREFIX, prefix="Dear ")},
        uses=1,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    await world.gateway.grant(terms, by=ANN)
    run_id = await world.start(open=True)
    outcome = await world.gateway.propose(run_id, action("a", "desk.letter", text="Dear Bob"), by=AGENT)
    assert outcome.status is ActionStatus.CLEARED
    assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE
    again = await world.gateway.propose(run_id, action("b", "desk.letter", text="Dear Ann"), by=AGENT)
    assert again.status is ActionStatus.AWAITING
    await everything_agrees(world)


async def test_many_are_decided_at_once_and_each_once(world: World) -> None:
    run_id = await world.start(open=True)
    asked = [
        await world.gateway.propose(run_id, action(f"p{number}", "desk.pay", to="bob", amount=1), by=AGENT)
        for number in range(60)
    ]
    items = [OneOfMany(approval_id=each.approval_id or "", digest=each.digest or "") for each in asked]
    first = await world.gateway.decide_many(items, verb=Verb.APPROVE, by=ANN, decision_id="click")
    again = await world.gateway.decide_many(items, verb=Verb.APPROVE, by=ANN, decision_id="click")
    assert all(result.sent for result in first)
    assert {result.code for result in again} <= {"", "conflict"}
    for each in asked:
        assert (await world.outcome(run_id, each.key)).status is ActionStatus.DONE
    assert world.desk.balances == {"bob": 60}
    assert len(world.desk.done) == 60
    await everything_agrees(world)

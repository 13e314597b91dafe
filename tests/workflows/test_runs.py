"""Runs: plans, proposals, approvals, rejections, failures."""

from __future__ import annotations

import pytest

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from assent.domain.runs import RunStatus
from assent.runtime.cards import publish_card
from assent_activities.connectors import build_registry
from tests.desk import CARD
from tests.world import AGENT, ANN, EVE, World, action


async def test_an_automatic_action_is_answered_with_its_outcome(world: World) -> None:
    run_id = await world.start(open=True)
    outcome = await world.gateway.propose(run_id, action("a", "desk.note", text="milk"), by=AGENT)
    assert outcome.status is ActionStatus.DONE
    assert outcome.result == {"ok": True, "echo": {"text": "milk"}}
    assert world.desk.done == [f"{run_id}:a"]
    await world.gateway.end_run(run_id, by=AGENT, summary="Noted.")
    assert (await world.result(run_id)).counts == {"done": 1}


async def test_a_repeated_proposal_finds_its_outcome(world: World) -> None:
    run_id = await world.start(open=True)
    proposal = action("a", "desk.note", text="milk")
    first = await world.gateway.propose(run_id, proposal, by=AGENT)
    again = await world.gateway.propose(run_id, proposal, by=AGENT)
    assert again.result == first.result
    assert world.desk.done == [f"{run_id}:a"]


async def test_an_approved_action_runs_and_a_person_is_named(world: World) -> None:
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    assert world.desk.done == []
    await world.decide(waiting, Verb.APPROVE)
    result = await world.result(run_id)
    assert result.status is RunStatus.COMPLETED
    assert world.desk.balances == {"bob": 40}
    approval = world.approval(waiting.approval_id or "")
    assert approval.status == ApprovalStatus.APPROVED
    assert approval.decided_by is not None
    assert approval.decided_by["name"] == ANN.name


async def test_a_rejection_reaches_the_agent_with_its_reason(world: World) -> None:
    run_id = await world.start(open=True)
    waiting = await world.gateway.propose(run_id, action("a", "desk.pay", to="bob", amount=40), by=AGENT)
    assert waiting.status is ActionStatus.AWAITING
    await world.decide(waiting, Verb.REJECT, reason="Bob was paid yesterday.")
    outcome = await world.outcome(run_id, "a")
    assert outcome.status is ActionStatus.REJECTED
    assert outcome.message == "Bob was paid yesterday."
    assert world.desk.done == []


async def test_later_actions_use_earlier_results(world: World) -> None:
    run_id = await world.start(
        action("first", "desk.read", text="the price"),
        action("second", "desk.note", text={"$ref": "first.echo.text"}),
    )
    await world.result(run_id)
    second = await world.outcome(run_id, "second")
    assert second.result["echo"] == {"text": "the price"}


async def test_what_depends_on_a_failure_is_withdrawn(world: World) -> None:
    run_id = await world.start(
        action("a", "desk.pay", to="nobody", amount=1),
        action("b", "desk.note", text="after"),
    )
    result = await world.result(run_id)
    assert result.status is RunStatus.FAILED
    failed = await world.outcome(run_id, "a")
    assert failed.message == "There is nobody of that name."
    assert (await world.outcome(run_id, "b")).status is ActionStatus.WITHDRAWN


async def test_a_long_action_runs_on_its_own_queue(world: World) -> None:
    run_id = await world.start(open=True)
    outcome = await world.gateway.propose(run_id, action("a", "desk.letter", text="Dear Bob"), by=AGENT)
    assert outcome.status is ActionStatus.CLEARED
    assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE


async def test_never_unknown_and_malformed_are_refused_with_reasons(world: World) -> None:
    run_id = await world.start(open=True)
    never = await world.gateway.propose(run_id, action("a", "desk.pay", to="mallory", amount=1), by=AGENT)
    assert never.status is ActionStatus.REFUSED
    assert "Mallory is never paid." in never.message
    unknown = await world.gateway.propose(run_id, action("b", "desk.burn"), by=AGENT)
    assert "does not list desk.burn" in unknown.message
    wrong = await world.gateway.propose(run_id, action("c", "desk.pay", to="bob", amount="much"), by=AGENT)
    assert "amount" in wrong.message


async def test_limits_turn_automatic_into_asking(world: World) -> None:
    run_id = await world.start(open=True)
    small = await world.gateway.propose(run_id, action("a", "desk.tip", to="bob", amount=5), by=AGENT)
    assert small.status is ActionStatus.DONE
    over_run = await world.gateway.propose(run_id, action("b", "desk.tip", to="bob", amount=4), by=AGENT)
    assert over_run.status is ActionStatus.AWAITING
    over_action = await world.gateway.propose(run_id, action("c", "desk.tip", to="bob", amount=6), by=AGENT)
    assert any("over the card's automatic limit of 5" in reason.sentence for reason in over_action.reasons)


async def test_bad_clicks_are_refused_on_the_spot(world: World) -> None:
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    with pytest.raises(NotFound):
        await world.gateway.decide("ap-unknown", verb=Verb.APPROVE, digest="x", by=ANN)
    with pytest.raises(Conflict, match="no longer shows"):
        await world.gateway.decide(waiting.approval_id or "", verb=Verb.APPROVE, digest="x", by=ANN)
    with pytest.raises(Forbidden):
        await world.decide(waiting, Verb.APPROVE, by=EVE)
    with pytest.raises(Forbidden):
        await world.decide(waiting, Verb.APPROVE, by=AGENT)
    with pytest.raises(InvalidInput):
        await world.decide(waiting, Verb.REJECT, reason="  ")
    await world.decide(waiting, Verb.APPROVE)
    await world.result(run_id)
    with pytest.raises(Conflict, match="already approved by Ann"):
        await world.decide(waiting, Verb.APPROVE)


async def test_stopping_a_run_withdraws_what_waits(world: World) -> None:
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40), open=True)
    await world.outcome(run_id, "a", ActionStatus.AWAITING)
    await world.gateway.end_run(run_id, by=ANN, summary="Not today.", stop=True)
    assert (await world.result(run_id)).status is RunStatus.STOPPED
    assert (await world.outcome(run_id, "a")).status is ActionStatus.WITHDRAWN


async def test_an_idle_run_ends_by_itself(world: World) -> None:
    run_id = await world.start(open=True, idle_seconds=1)
    assert (await world.result(run_id)).status is RunStatus.COMPLETED


async def test_the_same_run_id_starts_one_run_and_never_another_agents(world: World) -> None:
    run_id = await world.start(open=True, run_id=f"mine-{world.settings.task_queue_prefix}")
    assert await world.start(open=True, run_id=run_id) == run_id
    other = CARD.replace("name: desk-clerk", "name: other-clerk")
    publish_card(world.database, build_registry([world.desk]), other, where="other card", by=ANN)
    with pytest.raises(Conflict, match="belongs to another run"):
        await world.start(agent="other-clerk", open=True, run_id=run_id)
    await world.gateway.end_run(run_id, by=AGENT)
    await world.result(run_id)

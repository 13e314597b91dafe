"""Messages that come late, twice, out of order, or from somebody who goes around the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import Decision, Verb
from assent.domain.errors import Conflict
from assent.domain.ports import Queue, WorkflowName
from assent.domain.runs import AgentRunInput, EndRun, RunHeader, RunResult, RunStatus
from assent.gateway import Gateway
from assent.runtime.settings import Settings
from assent.store.tables import DecisionRow
from tests.world import AGENT, ANN, World, action, make_world


@pytest_asyncio.fixture
async def idle(temporal_server: str, settings: Settings) -> AsyncIterator[World]:
    """A world whose worker the test starts and stops."""
    world = await make_world(temporal_server, settings.database_url, settings)
    yield world
    world.database.close()


def verdict(waiting: ActionOutcome, verb: Verb, *, id: str, reason: str = "") -> Decision:
    assert waiting.approval_id is not None
    assert waiting.digest is not None
    return Decision(
        id=id,
        approval_id=waiting.approval_id,
        action_id=waiting.action_id,
        digest=waiting.digest,
        verb=verb,
        reason=reason,
        by=ANN,
        at=datetime.now(UTC),
    )


async def _parked(world: World) -> tuple[str, ActionOutcome]:
    """A run that waits for a person while no worker runs."""
    async with world.working():
        run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
        waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    return run_id, waiting


async def test_stopping_wins_over_an_approval_that_comes_right_after(idle: World) -> None:
    run_id, waiting = await _parked(idle)
    await idle.gateway.end_run(run_id, by=ANN, stop=True)
    await idle.decide(waiting, Verb.APPROVE)
    async with idle.working():
        assert (await idle.result(run_id)).status is RunStatus.STOPPED
    assert (await idle.outcome(run_id, "a")).status is ActionStatus.WITHDRAWN
    assert idle.desk.done == []
    assert idle.events(run_id=run_id, kind="approval.late") == ["approval.late"]


async def test_of_two_decisions_the_first_counts(idle: World) -> None:
    run_id, waiting = await _parked(idle)
    first = await idle.decide(waiting, Verb.APPROVE)
    second = await idle.decide(waiting, Verb.REJECT, reason="No!")
    async with idle.working():
        assert (await idle.result(run_id)).status is RunStatus.COMPLETED
    assert idle.row(DecisionRow, first.id).counted
    late = idle.row(DecisionRow, second.id)
    assert (late.counted, late.why_not) == (False, "It was already settled.")


@pytest.mark.parametrize(("quicker", "became"), [(Verb.APPROVE, "approved"), (Verb.REJECT, "rejected")])
async def test_who_is_late_by_a_moment_is_told_what_it_became(
    world: World, monkeypatch: pytest.MonkeyPatch, quicker: Verb, became: str
) -> None:
    """Between the gateway's look at a request and its message to the run, somebody else decides and the run ends."""
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    slow = Gateway(world.client, world.database, task_queue_prefix=world.settings.task_queue_prefix)
    send = slow._signal

    async def late(*arguments: Any) -> None:
        await world.decide(waiting, quicker, reason="I was first.")
        await world.result(run_id)
        await send(*arguments)

    monkeypatch.setattr(slow, "_signal", late)
    assert waiting.approval_id is not None
    assert waiting.digest is not None
    with pytest.raises(Conflict, match=f"already {became} by {ANN.name}"):
        await slow.decide(waiting.approval_id, verb=Verb.APPROVE, digest=waiting.digest, by=ANN)
    assert world.events(run_id=run_id).count("approval.decided") == 1


async def test_the_same_click_twice_counts_once(world: World) -> None:
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40), open=True)
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    handle = world.client.get_workflow_handle(run_id)
    for _ in range(3):
        await handle.signal("decide", verdict(waiting, Verb.APPROVE, id="click-1"))
    assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE
    await world.gateway.end_run(run_id, by=AGENT)
    await world.result(run_id)
    assert world.desk.done == [f"{run_id}:a"]
    assert world.events(run_id=run_id).count("approval.decided") == 1
    assert world.events(run_id=run_id).count("approval.late") == 0


async def test_a_decision_past_the_gateway_is_weighed_all_the_same(world: World) -> None:
    """Any Temporal client can send a signal; who may decide, and on what, is checked where the effect is claimed."""
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40), open=True)
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    handle = world.client.get_workflow_handle(run_id)
    forged = verdict(waiting, Verb.APPROVE, id="forged")
    await handle.signal("decide", forged.model_copy(update={"by": AGENT}))
    await handle.signal("decide", forged.model_copy(update={"id": "other", "digest": "0" * 64}))
    await handle.signal("decide", forged.model_copy(update={"id": "stranger", "action_id": f"{run_id}:nothing"}))
    await handle.signal("decide", {"not": "a decision"})
    await world.eventually(lambda: world.events(run_id=run_id).count("approval.late") == 2)
    assert world.desk.done == []
    await world.decide(waiting, Verb.APPROVE)
    assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE


async def test_a_broken_plan_past_the_gateway_fails_the_run(world: World) -> None:
    plan = [action("a", "desk.note", text="x"), action("b", "desk.note", text="x")]
    circle = [plan[0].model_copy(update={"after": ["b"]}), plan[1].model_copy(update={"after": ["a"]})]
    header = RunHeader(run_id="circle", agent="desk-clerk", started_by=AGENT, started_at=datetime.now(UTC))
    with pytest.raises(WorkflowFailureError) as caught:
        await world.client.execute_workflow(
            WorkflowName.AGENT_RUN,
            AgentRunInput(header=header, plan=circle),
            id="circle",
            task_queue=Queue.RUNS.under(world.settings.task_queue_prefix),
            result_type=RunResult,
        )
    assert isinstance(caught.value.cause, ApplicationError)
    assert "in a circle" in str(caught.value.cause)


async def test_ending_twice_ends_once(idle: World) -> None:
    async with idle.working():
        run_id = await idle.start(open=True)
        await idle.gateway.propose(run_id, action("a", "desk.note", text="x"), by=AGENT)
    message = EndRun(id="end-1", by=AGENT, summary="Done here.")
    handle = idle.client.get_workflow_handle(run_id)
    for one in (message, message, EndRun(id="end-2", by=AGENT, summary="Done there.")):
        await handle.signal("end", one)
    async with idle.working():
        assert (await idle.result(run_id)).message == "Done there."
    assert idle.events(run_id=run_id).count("run.ended") == 1


async def test_many_proposals_of_one_key_at_once_are_one_action(world: World) -> None:
    run_id = await world.start(open=True)
    for type, arguments in (("desk.note", {"text": "x"}), ("desk.pay", {"to": "bob", "amount": 1})):
        proposal = action(type.replace(".", "-"), type, **arguments)
        outcomes = await asyncio.gather(
            *(world.gateway.propose(run_id, proposal, by=AGENT) for _ in range(8)), return_exceptions=True
        )
        assert {o.status for o in outcomes if isinstance(o, ActionOutcome)} <= {
            ActionStatus.DONE,
            ActionStatus.AWAITING,
        }
        assert not [o for o in outcomes if isinstance(o, BaseException)]
    waiting = await world.outcome(run_id, "desk-pay", ActionStatus.AWAITING)
    await world.decide(waiting, Verb.APPROVE)
    assert (await world.outcome(run_id, "desk-pay")).status is ActionStatus.DONE
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts == {"done": 2}
    assert len(world.desk.done) == 2


@pytest.mark.parametrize("text", ["a\x00b", "‮gnp.exe", "😀" * 1_000])
async def test_hostile_words_travel_unharmed(world: World, text: str) -> None:
    run_id = await world.start(open=True, goal=text, received={"letter": text})
    note = action("a", "desk.note", text=text).model_copy(update={"reason": text})
    outcome = await world.gateway.propose(run_id, note, by=AGENT)
    assert outcome.result == {"ok": True, "echo": {"text": text}}
    pay = action("b", "desk.pay", to=text, amount=1)
    waiting = await world.gateway.propose(run_id, pay, by=AGENT)
    await world.decide(waiting, Verb.REJECT, reason=f"No {text}")
    assert (await world.outcome(run_id, "b")).message == f"No {text}"

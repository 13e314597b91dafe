"""Long runs continue as new, and nobody notices: what waits, what was decided and what comes next is carried over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from assent.domain.actions import ActionOutcome, ActionStatus, ProposedAction
from assent.domain.approvals import Decision, Verb
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.ports import SubmitAction
from assent.domain.runs import EndRun, RunHeader, RunStatus
from assent.gateway import utc_now
from assent.runtime.settings import Settings
from assent.runtime.verify import verify
from assent_activities.admission import Admission
from assent_activities.connectors import Call, build_registry
from assent_activities.dependencies import Dependencies
from assent_activities.effects import EffectProtocol
from tests.early_server import early_server
from tests.world import AGENT, ANN, ANSWERS, World, action, make_world

EVENTS = 60
"""Events of a history after which the server suggests to continue as new: a border after every few actions."""


@pytest.fixture(scope="module")
def early(temporal_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that suggests it early."""
    with early_server(temporal_executable, tmp_path_factory.mktemp("early"), after=EVENTS) as address:
        yield address


@pytest_asyncio.fixture
async def world(early: str, settings: Settings) -> AsyncIterator[World]:
    """A world on that server; a worker runs."""
    world = await make_world(early, settings.database_url, settings)
    async with world.working():
        yield world
    world.database.close()


async def executions(world: World, run_id: str) -> int:
    """How many workflow executions a run has had."""
    count, execution = 0, ""
    while True:
        history = await world.client.get_workflow_handle(run_id, run_id=execution or None).fetch_history()
        count += 1
        started = history.events[0].workflow_execution_started_event_attributes
        execution = started.continued_execution_run_id
        if not execution:
            return count


async def check_agreement(world: World) -> None:
    """History, rows and ledger agree."""
    report = await verify(world.database, world.client, lambda step: None)
    assert report.faults == []
    assert report.adopted == 0


def steps(count: int) -> list[ProposedAction]:
    """A chain of notes, every fourth of which is a letter: a long action, which starts a workflow task of its own."""
    chain = [
        action(f"s{number:03}", "desk.note" if number % 4 else "desk.letter", text=str(number))
        for number in range(count)
    ]
    return [chain[0].model_copy(update={"after": []}), *chain[1:]]


async def test_a_long_plan_with_references_across_every_border(world: World) -> None:
    """Each step refers to the one before it, and the last one to the very first."""
    first, *rest = steps(100)
    chain = [
        step.model_copy(update={"arguments": {"text": {"$ref": f"s{number:03}.echo.text"}}})
        for number, step in enumerate(rest)
    ]
    last = action("last", "desk.note", text={"$ref": "s000.echo.text"}).model_copy(update={"after": ["s099"]})
    run_id = await world.start(first, *chain, last)
    result = await world.result(run_id)
    assert (result.status, result.counts) == (RunStatus.COMPLETED, {"done": 101})
    assert (await world.outcome(run_id, "last")).result["echo"] == {"text": "0"}
    assert await executions(world, run_id) > 3
    await check_agreement(world)


async def test_approvals_wait_across_the_border(world: World) -> None:
    pays = [
        action(f"p{number}", "desk.pay", to="bob", amount=1).model_copy(update={"after": []}) for number in range(5)
    ]
    run_id = await world.start(*pays, *steps(60))
    waiting = [await world.outcome(run_id, pay.key, ActionStatus.AWAITING) for pay in pays]
    await world.outcome(run_id, "s059")
    assert await executions(world, run_id) > 1
    for place, outcome in enumerate(waiting):
        await world.decide(outcome, Verb.APPROVE if place % 2 else Verb.REJECT, reason="" if place % 2 else "No.")
    result = await world.result(run_id)
    assert result.counts == {"done": 62, "rejected": 3}
    assert world.desk.balances == {"bob": 2}
    await check_agreement(world)


async def test_decisions_that_arrive_while_it_continues_are_not_lost(world: World) -> None:
    """Every decision comes twice, while the run crosses one border after the other."""
    pays = [
        action(f"p{number:02}", "desk.pay", to="bob", amount=1).model_copy(update={"after": []}) for number in range(30)
    ]
    run_id = await world.start(*pays, *steps(80))
    handle = world.client.get_workflow_handle(run_id)
    for pay in pays:
        outcome = await world.outcome(run_id, pay.key, ActionStatus.AWAITING)
        decision = await world.decide(outcome, Verb.APPROVE)
        await handle.signal("decide", decision)
    result = await world.result(run_id)
    assert result.counts == {"done": 110}
    assert world.desk.balances == {"bob": 30}
    assert await executions(world, run_id) > 3
    assert world.events(run_id=run_id).count("approval.decided") == 30
    await check_agreement(world)


async def test_a_message_repeated_in_the_next_execution_is_dropped(world: World) -> None:
    run_id = await world.start(action("p", "desk.pay", to="bob", amount=1), open=True)
    decision = await world.decide(await world.outcome(run_id, "p", ActionStatus.AWAITING), Verb.APPROVE)
    handle = world.client.get_workflow_handle(run_id)
    for number in range(60):
        await world.gateway.propose(run_id, action(f"n{number}", "desk.note", text="x"), by=AGENT)
    assert await executions(world, run_id) > 1
    await handle.signal("decide", decision)
    await handle.signal("end", EndRun(id="end", by=AGENT, summary="First."))
    assert (await world.result(run_id)).message == "First."
    assert world.events(action_id=f"{run_id}:p").count("approval.late") == 0
    assert world.desk.done.count(f"{run_id}:p") == 1
    await check_agreement(world)


async def test_proposals_one_after_the_other_do_not_notice(world: World) -> None:
    run_id = await world.start(open=True)
    for number in range(120):
        proposal = action(f"n{number}", "desk.note", text="x")
        outcome = await world.gateway.propose(run_id, proposal, by=AGENT)
        assert outcome.status is ActionStatus.DONE
        if number % 10 == 0:
            assert (await world.gateway.propose(run_id, proposal, by=AGENT)).result == outcome.result
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts == {"done": 120}
    assert await executions(world, run_id) > 3
    assert len(world.desk.done) == 120
    await check_agreement(world)


async def test_proposals_in_parallel_do_not_notice(world: World) -> None:
    run_id = await world.start(open=True)

    async def propose(lane: int) -> None:
        for number in range(25):
            proposal = action(f"n{lane}-{number}", "desk.note", text="x")
            assert (await world.gateway.propose(run_id, proposal, by=AGENT)).status is ActionStatus.DONE

    await asyncio.gather(*(propose(lane) for lane in range(6)))
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts == {"done": 150}
    assert await executions(world, run_id) > 2
    await check_agreement(world)


async def test_what_a_pause_holds_is_carried_over(world: World) -> None:
    run_id = await world.start(open=True)
    for number in range(10):
        await world.gateway.propose(run_id, action(f"n{number}", "desk.note", text="x"), by=AGENT)
    pay = await world.gateway.propose(run_id, action("pay", "desk.pay", to="bob", amount=1), by=AGENT)
    pause_id = await world.gateway.pause(Scope(kind=ScopeKind.RUN, name=run_id), by=ANN)
    await world.decide(pay, Verb.APPROVE)
    held = [f"h{number}" for number in range(60)]
    for key in held:
        outcome = await world.gateway.propose(run_id, action(key, "desk.note", text="x"), by=AGENT)
        assert outcome.status is ActionStatus.HELD
    assert await executions(world, run_id) > 1
    assert world.desk.balances == {}
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    for key in ("pay", *held):
        assert (await world.outcome(run_id, key)).status is ActionStatus.DONE
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts == {"done": 71}
    await check_agreement(world)


async def test_a_long_effect_ends_before_the_border(world: World) -> None:
    go_on = threading.Event()

    def trouble(call: Call) -> None:
        if call.key.endswith(":letter"):
            go_on.wait()

    world.desk.trouble = trouble
    letter = action("letter", "desk.letter", text="Dear Bob").model_copy(update={"after": []})
    run_id = await world.start(letter, *steps(60))
    await world.outcome(run_id, "s010")
    go_on.set()
    assert (await world.result(run_id)).counts == {"done": 61}
    assert await executions(world, run_id) > 1
    await check_agreement(world)


async def test_stopping_at_the_border(world: World) -> None:
    """A run that is stopped while it is about to continue ends, with what waited withdrawn and the rest untouched."""
    pay = action("pay", "desk.pay", to="bob", amount=1).model_copy(update={"after": []})
    run_id = await world.start(pay, *steps(400))
    await world.outcome(run_id, "s020")
    await world.gateway.end_run(run_id, by=ANN, stop=True)
    result = await world.result(run_id)
    assert result.status is RunStatus.STOPPED
    assert result.counts["withdrawn"] == 1
    assert 20 < result.counts["done"] < 400
    await check_agreement(world)


def stray(world: World, run_id: str, proposal: ProposedAction) -> ActionOutcome:
    """An action in the database that the history does not know, as a crash at the wrong moment leaves it."""
    registry = build_registry([world.desk])
    dependencies = Dependencies(database=world.database, registry=registry, clock=utc_now)
    header = RunHeader(run_id=run_id, agent="desk-clerk", started_by=AGENT, started_at=datetime.now(UTC))
    admission = Admission(dependencies, EffectProtocol(dependencies))
    return admission.submit(SubmitAction(header=header, action=proposal))


async def test_a_stray_that_waits_for_a_person_is_adopted_when_it_is_decided(world: World) -> None:
    run_id = await world.start(open=True)
    await world.gateway.propose(run_id, action("a", "desk.note", text="x"), by=AGENT)
    approved = await asyncio.to_thread(stray, world, run_id, action("b", "desk.pay", to="bob", amount=1))
    rejected = await asyncio.to_thread(stray, world, run_id, action("c", "desk.pay", to="bob", amount=2))
    await world.decide(approved, Verb.APPROVE)
    await world.decide(rejected, Verb.REJECT, reason="No.")
    assert (await world.outcome(run_id, "b")).status is ActionStatus.DONE
    assert (await world.outcome(run_id, "c")).status is ActionStatus.REJECTED
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts == {"done": 2, "rejected": 1}
    assert world.desk.balances == {"bob": 1}
    await check_agreement(world)


async def test_a_stray_proposed_again_is_the_same_action(world: World) -> None:
    run_id = await world.start(open=True)
    proposal = action("b", "desk.pay", to="bob", amount=1)
    asked = await asyncio.to_thread(stray, world, run_id, proposal)
    again = await world.gateway.propose(run_id, proposal, by=AGENT)
    assert (again.status, again.approval_id, again.digest) == (ActionStatus.AWAITING, asked.approval_id, asked.digest)
    await world.decide(again, Verb.APPROVE)
    assert (await world.outcome(run_id, "b")).status is ActionStatus.DONE
    assert world.desk.balances == {"bob": 1}


async def test_strays_of_a_run_that_ends_are_withdrawn(world: World) -> None:
    run_id = await world.start(open=True)
    await world.gateway.propose(run_id, action("a", "desk.note", text="x"), by=AGENT)
    asked = await asyncio.to_thread(stray, world, run_id, action("b", "desk.pay", to="bob", amount=1))
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts == {"done": 1}
    assert (await world.outcome(run_id, "b")).status is ActionStatus.WITHDRAWN
    assert world.approval(asked.approval_id or "").status == "withdrawn"
    report = await verify(world.database, world.client, lambda step: None)
    assert (report.faults, report.adopted) == ([], 1)


async def test_a_decision_on_nothing_is_ignored(world: World) -> None:
    run_id = await world.start(open=True)
    nothing = Decision(
        id="d",
        approval_id="ap-0",
        action_id=f"{run_id}:nothing",
        digest="0" * 64,
        verb=Verb.APPROVE,
        by=ANN,
        at=datetime.now(UTC),
    )
    await world.client.get_workflow_handle(run_id).signal("decide", nothing)
    assert (await world.gateway.propose(run_id, action("a", "desk.note", text="x"), by=AGENT)).status.succeeded
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts == {"done": 1}

"""Pauses: what they hold, what they let through, and how work goes on afterwards."""

from __future__ import annotations

import asyncio
import threading

import pytest
from temporalio.api.enums.v1 import EventType

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.errors import Conflict, NotFound
from assent.domain.pauses import ResumeAnswers, Scope, ScopeKind
from assent.domain.runs import RunStatus
from assent.gateway import Gateway
from assent.store.tables import PauseRow, RunRow
from assent_activities.connectors import Call
from tests.desk import CARD
from tests.world import AGENT, ANN, ANSWERS, World, action

EVERYTHING = Scope(kind=ScopeKind.EVERYTHING)
CLERK = Scope(kind=ScopeKind.AGENT, name="desk-clerk")
OTHER_CARD = CARD.replace("name: desk-clerk", "name: desk-helper")


def run_scope(run_id: str) -> Scope:
    return Scope(kind=ScopeKind.RUN, name=run_id)


async def note(world: World, run_id: str, key: str) -> ActionOutcome:
    return await world.gateway.propose(run_id, action(key, "desk.note", text=key), by=AGENT)


@pytest.mark.parametrize("kind", [ScopeKind.EVERYTHING, ScopeKind.AGENT, ScopeKind.RUN])
async def test_a_pause_holds_new_actions_and_they_go_on_after_it(world: World, kind: ScopeKind) -> None:
    run_id = await world.start(open=True)
    assert (await note(world, run_id, "before")).status is ActionStatus.DONE
    scope = {ScopeKind.EVERYTHING: EVERYTHING, ScopeKind.AGENT: CLERK, ScopeKind.RUN: run_scope(run_id)}[kind]
    pause_id = await world.gateway.pause(scope, by=ANN, cause="Something smells.")
    held = await note(world, run_id, "during")
    assert held.status is ActionStatus.HELD
    assert held.held_by == [pause_id]
    assert world.desk.done == [f"{run_id}:before"]
    assert world.row(RunRow, run_id).status == RunStatus.HELD
    await world.gateway.resume(
        pause_id, by=ANN, answers=ResumeAnswers(cause="A test.", changed="It was the bin."), at_once=True
    )
    assert (await world.outcome(run_id, "during")).status is ActionStatus.DONE
    assert world.desk.done == [f"{run_id}:before", f"{run_id}:during"]


async def test_a_pause_leaves_other_runs_and_agents_alone(world: World) -> None:
    world.publish(OTHER_CARD)
    held, free, helper = await world.start(open=True), await world.start(open=True), await _helper(world)
    for run_id in (held, free, helper):
        await note(world, run_id, "before")
    of_run = await world.gateway.pause(run_scope(held), by=ANN)
    assert (await note(world, held, "a")).status is ActionStatus.HELD
    assert (await note(world, free, "a")).status is ActionStatus.DONE
    of_agent = await world.gateway.pause(CLERK, by=ANN)
    assert (await note(world, free, "b")).status is ActionStatus.HELD
    assert (await note(world, helper, "b")).status is ActionStatus.DONE
    await world.gateway.resume(of_agent, by=ANN, answers=ANSWERS, at_once=True)
    assert (await world.outcome(free, "b")).status is ActionStatus.DONE
    assert (await world.outcome(held, "a", ActionStatus.HELD)).message == ""
    await world.gateway.resume(of_run, by=ANN, answers=ANSWERS, at_once=True)
    assert (await world.outcome(held, "a")).status is ActionStatus.DONE


async def _helper(world: World) -> str:
    return await world.start(open=True, agent="desk-helper")


async def test_overlapping_pauses_hold_until_the_last_one_ends(world: World) -> None:
    run_id = await world.start(open=True)
    await note(world, run_id, "before")
    first = await world.gateway.pause(EVERYTHING, by=ANN)
    second = await world.gateway.pause(run_scope(run_id), by=ANN)
    held = await note(world, run_id, "a")
    assert sorted(held.held_by) == sorted([first, second])
    await world.gateway.resume(first, by=ANN, answers=ANSWERS, at_once=True)
    await _resumed(world, first)
    assert (await note(world, run_id, "b")).held_by == [second]
    assert world.desk.done == [f"{run_id}:before"]
    await world.gateway.resume(second, by=ANN, answers=ANSWERS, at_once=True)
    for key in ("a", "b"):
        assert (await world.outcome(run_id, key)).status is ActionStatus.DONE


async def _resumed(world: World, pause_id: str) -> None:
    """Wait until the workflow of a pause has ended, so that every run it held was told."""
    await world.client.get_workflow_handle(pause_id).result()


async def test_an_approval_while_paused_is_kept_and_runs_after_it(world: World) -> None:
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    pause_id = await world.gateway.pause(CLERK, by=ANN)
    await world.decide(waiting, Verb.APPROVE)
    await world.outcome(run_id, "a", ActionStatus.HELD)
    assert world.approval(waiting.approval_id or "").status == ApprovalStatus.APPROVED
    assert world.desk.done == []
    with pytest.raises(Conflict, match="already approved by Ann"):
        await world.decide(waiting, Verb.REJECT, reason="Second thoughts.")
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    assert (await world.result(run_id)).status is RunStatus.COMPLETED
    assert world.desk.balances == {"bob": 40}
    assert world.events(action_id=f"{run_id}:a") == [
        "action.proposed",
        "approval.requested",
        "approval.decided",
        "action.held",
        "effect.claimed",
        "effect.done",
    ]


async def test_a_rejection_while_paused_counts_at_once(world: World) -> None:
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    await world.gateway.pause(EVERYTHING, by=ANN)
    await world.decide(waiting, Verb.REJECT, reason="Not while we look into it.")
    assert (await world.outcome(run_id, "a")).status is ActionStatus.REJECTED
    assert (await world.result(run_id)).status is RunStatus.FAILED


async def test_an_approval_is_asked_for_only_after_the_pause(world: World) -> None:
    pause_id = await world.gateway.pause(EVERYTHING, by=ANN)
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    held = await world.outcome(run_id, "a", ActionStatus.HELD)
    assert held.approval_id is None
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    waiting = await world.outcome(run_id, "a", ActionStatus.AWAITING)
    await world.decide(waiting, Verb.APPROVE)
    assert (await world.result(run_id)).counts == {"done": 1}


async def test_a_refusal_needs_no_resume(world: World) -> None:
    await world.gateway.pause(EVERYTHING, by=ANN)
    run_id = await world.start(open=True)
    refused = await world.gateway.propose(run_id, action("a", "desk.pay", to="mallory", amount=1), by=AGENT)
    assert refused.status is ActionStatus.REFUSED


async def test_a_plan_stands_still_and_goes_on(world: World) -> None:
    started, go_on = threading.Event(), threading.Event()

    def trouble(call: Call) -> None:
        if call.key.endswith(":a"):
            started.set()
            go_on.wait()

    world.desk.trouble = trouble
    run_id = await world.start(action("a", "desk.note", text="1"), action("b", "desk.letter", text="2"))
    await asyncio.to_thread(started.wait)
    pause_id = await world.gateway.pause(EVERYTHING, by=ANN)
    go_on.set()
    await world.outcome(run_id, "b", ActionStatus.HELD)
    assert world.desk.done == [f"{run_id}:a"]
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    assert (await world.result(run_id)).counts == {"done": 2}


async def test_a_held_run_can_be_stopped(world: World) -> None:
    run_id = await world.start(action("a", "desk.pay", to="bob", amount=40))
    await world.decide(await world.outcome(run_id, "a", ActionStatus.AWAITING), Verb.APPROVE)
    await world.result(run_id)
    await world.gateway.pause(EVERYTHING, by=ANN)
    other = await world.start(action("a", "desk.note", text="x"))
    await world.outcome(other, "a", ActionStatus.HELD)
    await world.gateway.end_run(other, by=ANN, stop=True)
    assert (await world.result(other)).status is RunStatus.STOPPED
    assert (await world.outcome(other, "a")).status is ActionStatus.WITHDRAWN


async def test_quiesced_means_that_every_claim_has_an_outcome(world: World) -> None:
    started, go_on = threading.Event(), threading.Event()

    def trouble(call: Call) -> None:
        started.set()
        go_on.wait()

    world.desk.trouble = trouble
    run_id = await world.start(action("a", "desk.note", text="slow"))
    await asyncio.to_thread(started.wait)
    pause_id = await world.gateway.pause(CLERK, by=ANN)
    await world.eventually(lambda: world.row(PauseRow, pause_id).known_at)
    pause = world.row(PauseRow, pause_id)
    assert (pause.in_flight, pause.affected, pause.quiesced_at) == (1, 1, None)
    assert pause.fenced_at is not None
    go_on.set()
    assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE
    await world.eventually(lambda: world.row(PauseRow, pause_id).quiesced_at)
    assert world.row(PauseRow, pause_id).in_flight == 0
    assert world.events(agent="desk-clerk")[-1] == "pause.quiesced"


async def test_a_pause_needs_the_database_alone(world: World) -> None:
    away = Gateway(None, world.database)
    run_id = await world.start(open=True)
    await note(world, run_id, "before")
    pause_id = await away.pause(EVERYTHING, by=ANN, cause="Temporal is away.")
    assert (await note(world, run_id, "a")).status is ActionStatus.HELD
    await world.eventually(lambda: world.row(PauseRow, pause_id).quiesced_at)
    await away.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE


async def test_a_pause_that_began_and_ended_with_the_database_alone_is_noticed(world: World) -> None:
    pause_id = await Gateway(None, world.database).pause(EVERYTHING, by=ANN)
    await Gateway(None, world.database).resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    run_id = await world.start(open=True)
    assert (await note(world, run_id, "a")).status is ActionStatus.DONE


async def test_a_resume_between_being_held_and_waiting_is_not_missed(world: World) -> None:
    """No held action waits for its own timer, however early the pause ends."""
    runs = [await world.start(open=True) for _ in range(5)]
    for run_id in runs:
        await note(world, run_id, "before")
    for turn in range(6):
        pause_id = await world.gateway.pause(EVERYTHING, by=ANN)
        letters = [action(f"l{turn}", "desk.letter", text="Dear Bob") for _ in runs]
        proposals = [asyncio.create_task(note(world, run_id, f"n{turn}")) for run_id in runs]
        proposals += [
            asyncio.create_task(world.gateway.propose(run_id, letter, by=AGENT))
            for run_id, letter in zip(runs, letters, strict=True)
        ]
        await asyncio.sleep(0.01 * turn)
        await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
        await asyncio.gather(*proposals)
        for run_id in runs:
            for key in (f"n{turn}", f"l{turn}"):
                assert (await world.outcome(run_id, key)).status is ActionStatus.DONE
    for run_id in runs:
        history = await world.client.get_workflow_handle(run_id).fetch_history()
        assert not [event for event in history.events if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED]


async def test_impossible_pauses_and_resumes_are_refused(world: World) -> None:
    with pytest.raises(NotFound):
        await world.gateway.pause(Scope(kind=ScopeKind.AGENT, name="nobody"), by=ANN)
    with pytest.raises(NotFound):
        await world.gateway.pause(run_scope("run-nowhere"), by=ANN)
    with pytest.raises(NotFound):
        await world.gateway.resume("pause-nowhere", by=ANN, answers=ANSWERS, at_once=True)
    pause_id = await world.gateway.pause(EVERYTHING, by=ANN)
    await world.gateway.resume(pause_id, by=ANN, answers=ResumeAnswers(cause="A test.", changed="Done."), at_once=True)
    with pytest.raises(Conflict, match="already ended"):
        await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    assert world.events(kind="pause.resumed") == ["pause.resumed"]
    assert world.row(PauseRow, pause_id).resume_note == "A test. Done."

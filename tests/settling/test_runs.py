"""Runs learn what became of their unknown effects, on a real Temporal server; everybody agrees afterwards."""

from __future__ import annotations

import asyncio

import pytest

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.effects import EffectStatus
from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from assent.domain.people import Actor, Via
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.undo_steps import Undoable
from assent.runtime.verify import verify
from assent.store.tables import UnknownEffectRow
from tests.desk import Desk
from tests.world import AGENT, ANN, EVE, World, action

PAY = action("pay", "desk.tip", to="bob", amount=5)


def break_off(desk: Desk, *, happens: bool = True) -> None:
    """Let the next call break off, before or after its effect, and let nobody say which."""

    def breaks(_: object) -> None:
        desk.trouble = desk.after = lambda call: None
        raise RuntimeError("The line went dead")

    desk.knows = False
    if happens:
        desk.after = breaks
    else:
        desk.trouble = breaks


async def unknown_run(world: World, *, happens: bool = True) -> tuple[str, str]:
    """An open run with an unknown effect; its id and the action's."""
    break_off(world.desk, happens=happens)
    run_id = await world.start(open=True)
    outcome = await world.gateway.propose(run_id, PAY, by=AGENT)
    assert outcome.status is ActionStatus.UNKNOWN
    return run_id, outcome.action_id


async def agreed(world: World) -> None:
    report = await verify(world.database, world.client, lambda text: None)
    assert report.clean, report.text()


async def told(world: World, action_id: str) -> None:
    """Wait until the run was told."""
    await world.eventually(lambda: not world.row(UnknownEffectRow, action_id).untold or None)


async def test_a_running_run_counts_what_was_found_out(world: World) -> None:
    run_id, action_id = await unknown_run(world)
    done = await world.gateway.settle_effect(
        action_id, by=ANN, happened=True, note="The till is short of 5", reference="T-1"
    )
    assert done is EffectStatus.DONE
    outcome = await world.gateway.action(action_id)
    assert (outcome.status, outcome.message) == (
        ActionStatus.DONE,
        "Ann Approver found out that it happened: The till is short of 5. Reference: T-1.",
    )
    await told(world, action_id)
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts == {"done": 1}
    await agreed(world)


async def test_a_run_that_ended_shows_what_was_found_out(world: World) -> None:
    run_id, action_id = await unknown_run(world)
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts == {"unknown": 1}
    await world.gateway.settle_effect(action_id, by=ANN, happened=False, note="The till is full")
    assert (await world.gateway.action(action_id)).status is ActionStatus.FAILED
    await told(world, action_id)
    assert "effect.settled" in world.events(run_id=run_id)
    with pytest.raises(Conflict, match="run has ended"):
        await world.gateway.retry_effect(action_id, by=ANN)
    await agreed(world)


async def test_the_connector_is_asked_before_a_person_counts(world: World) -> None:
    _, action_id = await unknown_run(world)
    world.desk.knows = True
    with pytest.raises(Conflict, match="The system says that it happened"):
        await world.gateway.settle_effect(action_id, by=ANN, happened=False, note="I saw nothing")
    assert (await world.gateway.action(action_id)).status is ActionStatus.DONE
    await agreed(world)


async def test_reconciling_asks_the_connector(world: World) -> None:
    _, action_id = await unknown_run(world)
    still = await world.gateway.reconcile(action_id, by=ANN)
    assert (still.status, still.settled) == (EffectStatus.UNKNOWN, False)
    world.desk.knows = True
    now = await world.gateway.reconcile(action_id, by=ANN)
    assert (now.status, now.settled) == (EffectStatus.DONE, True)
    again = await world.gateway.reconcile(action_id, by=ANN)
    assert (again.status, again.settled) == (EffectStatus.DONE, False)


async def test_two_people_at_once_come_to_one_outcome(world: World) -> None:
    _, action_id = await unknown_run(world)
    other = Actor(id="console:x", name="x at the console", via=Via.CLI)
    answers = await asyncio.gather(
        world.gateway.settle_effect(action_id, by=ANN, happened=True, note="It is gone"),
        world.gateway.settle_effect(action_id, by=other, happened=False, note="It is there"),
        return_exceptions=True,
    )
    won = [each for each in answers if isinstance(each, EffectStatus)]
    lost = [each for each in answers if isinstance(each, Conflict)]
    assert (len(won), len(lost)) == (1, 1), answers
    assert (await world.gateway.action(action_id)).status.value == won[0].value
    assert world.events(action_id=action_id).count("effect.settled") == 1
    await agreed(world)


async def test_what_did_not_happen_is_tried_again_in_its_run(world: World) -> None:
    run_id, action_id = await unknown_run(world, happens=False)
    with pytest.raises(Conflict, match="find out first"):
        await world.gateway.retry_effect(action_id, by=ANN)
    await world.gateway.settle_effect(action_id, by=ANN, happened=False, note="The till is full")
    await world.gateway.retry_effect(action_id, by=ANN)
    await world.outcome(run_id, "pay", ActionStatus.DONE)
    assert world.desk.done == [action_id]
    await told(world, action_id)
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts == {"done": 1}
    await agreed(world)


async def test_what_people_approved_is_tried_again_with_their_approval(world: World) -> None:
    break_off(world.desk, happens=False)
    run_id = await world.start(action("pay", "desk.pay", to="bob", amount=7), open=True)
    waiting = await world.outcome(run_id, "pay", ActionStatus.AWAITING)
    await world.decide(waiting, Verb.APPROVE)
    await world.outcome(run_id, "pay", ActionStatus.UNKNOWN)
    action_id = f"{run_id}:pay"
    await world.gateway.settle_effect(action_id, by=ANN, happened=False, note="The till is full")
    await world.gateway.retry_effect(action_id, by=ANN)
    await world.outcome(run_id, "pay", ActionStatus.DONE)
    assert world.desk.done == [action_id]
    await agreed(world)


async def test_bad_answers_are_refused(world: World) -> None:
    _, action_id = await unknown_run(world)
    with pytest.raises(InvalidInput, match="Say how you found out"):
        await world.gateway.settle_effect(action_id, by=ANN, happened=True, note="  ")
    with pytest.raises(InvalidInput):
        await world.gateway.settle_effect(action_id, by=ANN, happened=True, note="x" * 4001)
    with pytest.raises(InvalidInput):
        await world.gateway.settle_effect(action_id, by=ANN, happened=True, note="x", reference="r" * 201)
    with pytest.raises(Forbidden, match="neither an operator"):
        await world.gateway.settle_effect(action_id, by=EVE, happened=True, note="I say so")
    with pytest.raises(Forbidden):
        await world.gateway.reconcile(action_id, by=EVE)
    with pytest.raises(NotFound):
        await world.gateway.settle_effect("run-none:x", by=ANN, happened=True, note="x")
    await world.gateway.settle_effect(action_id, by=ANN, happened=True, note="It is gone")
    with pytest.raises(Conflict, match="It is done already"):
        await world.gateway.settle_effect(action_id, by=ANN, happened=False, note="No, it is not")
    assert "effect.settle_refused" in world.events()


async def test_workers_ask_by_themselves(world: World) -> None:
    _, action_id = await unknown_run(world)
    world.desk.knows = True
    await world.eventually(lambda: world.row(UnknownEffectRow, action_id).settled_at)
    assert (await world.gateway.action(action_id)).status is ActionStatus.DONE
    await told(world, action_id)


async def test_what_only_a_person_vouches_for_is_undone_by_a_person(world: World) -> None:
    run_id, action_id = await unknown_run(world)
    await world.gateway.settle_effect(action_id, by=ANN, happened=True, note="The till is short of 5")
    plan = await world.gateway.preview_rollback(RollbackScope(kind=RollbackScopeKind.ACTION, id=action_id), by=ANN)
    [step] = plan.steps
    assert step.verdict is Undoable.NO
    assert "A person said that it happened" in step.why
    assert step.task
    assert run_id in action_id


async def test_an_unknown_effect_is_not_undone_before_it_is_known(world: World) -> None:
    _, action_id = await unknown_run(world)
    scope = RollbackScope(kind=RollbackScopeKind.ACTION, id=action_id)
    [step] = (await world.gateway.preview_rollback(scope, by=ANN)).steps
    assert step.verdict is Undoable.UNKNOWN
    world.desk.knows = True
    await world.gateway.reconcile(action_id, by=ANN)
    [step] = (await world.gateway.preview_rollback(scope, by=ANN)).steps
    assert step.verdict is Undoable.YES

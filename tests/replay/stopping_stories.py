"""Stories of stopping and undoing: drills, pauses that let go step by step, proofs of undo, rollbacks on the way."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from sqlalchemy import text, update
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.drills import drill_workflow_id
from assent.domain.pauses import Disposition, ResumePause, ResumeState, Scope, ScopeKind
from assent.domain.people import Role
from assent.domain.ports import DrillWorkflow, Queue
from assent.domain.rollback_approval import RollbackVerb
from assent.domain.rollback_messages import RollbackChanged
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackBegun, RollbackStatus
from assent.store import pauses
from assent.store.queries import stopping
from assent.store.tables import PersonRow
from assent_activities.connectors import Call
from tests.desk import CARD
from tests.drills.conftest import DRILLED
from tests.world import AGENT, ANN, ANSWERS, EVE, World, action

CLERK = Scope(kind=ScopeKind.AGENT, name="desk-clerk")


async def drilled(world: World) -> list[str]:
    """The drill that is due is held, as the schedule has it; nothing is due afterwards."""
    world.publish(DRILLED)
    assert await _due(world, "first") == 1
    assert await _due(world, "second") == 0
    return [_due_id(world, "first"), drill_workflow_id(world.settings.task_queue_prefix), _due_id(world, "second")]


async def drill_under_way(world: World) -> list[str]:
    """What is due is left for the next time while somebody holds a drill, which breaks off at a step."""
    world.publish(DRILLED)
    # The third step cannot be written down, however often it is tried.
    with world.database.write() as session:
        session.execute(
            text(
                "CREATE TRIGGER no_comparing BEFORE UPDATE OF steps ON drills WHEN NEW.steps LIKE '%compare%' "
                "BEGIN SELECT RAISE(ABORT, 'the record is torn'); END"
            )
        )
    await world.gateway.start_drill("desk-clerk", by=ANN)
    assert await _due(world, "meanwhile") == 0
    drill = drill_workflow_id(world.settings.task_queue_prefix)
    assert not await world.client.get_workflow_handle(drill, result_type=bool).result()
    return [drill, _due_id(world, "meanwhile")]


async def let_go_in_steps(world: World) -> list[str]:
    """A pause lets one run go, then a few, then all."""
    pause_id, runs = await _held(world, 8)
    assert await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS) is ResumeState.RELEASING
    for run_id in runs:
        await world.outcome(run_id, "held", ActionStatus.DONE)
    await world.client.get_workflow_handle(pause_id).result()
    return [pause_id]


async def held_again(world: World) -> list[str]:
    """Two people let runs go; the first one fails, so all are held again, and let go a second time."""
    world.publish(CARD + "stopping: {second: true, ramp: 1h}\n")
    with world.database.write() as session:
        session.execute(update(PersonRow).where(col(PersonRow.id) == EVE.id).values(roles=[Role.OPERATOR.value]))
    pause_id, runs = await _held(world, 3)
    begun, go_on = threading.Event(), threading.Event()

    def trouble(call: Call) -> None:
        begun.set()
        go_on.wait()

    world.desk.trouble = trouble
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS)
    assert await world.gateway.second_resume(pause_id, by=EVE) is ResumeState.RELEASING
    await world.eventually(begun.is_set)
    with world.database.write() as session:
        assert pauses.fall_back(session, pause_id, "The error rate is 60 %.", datetime.now(UTC))
    go_on.set()
    await world.outcome(runs[0], "held", ActionStatus.DONE)
    again = await world.gateway.propose(runs[0], action("again", "desk.note", text="x"), by=AGENT)
    assert again.held_by == [pause_id]
    await world.gateway.resume(pause_id, by=EVE, answers=ANSWERS)
    await world.gateway.second_resume(pause_id, by=ANN)
    for run_id in runs:
        await world.outcome(run_id, "held", ActionStatus.DONE)
    await world.client.get_workflow_handle(pause_id).result()
    return [pause_id]


async def drained_and_continued(world: World) -> list[str]:
    """A pause that freezes and drains in turn, until it continues as new; what was approved goes on meanwhile."""
    run_id = await world.start(action("pay", "desk.pay", to="bob", amount=40))
    await world.outcome(run_id, "pay", ActionStatus.AWAITING)
    pause_id = await world.gateway.pause(CLERK, by=ANN)
    handle = world.client.get_workflow_handle(pause_id)
    first = (await handle.describe()).run_id
    turn = 0
    while (await handle.describe()).run_id == first:
        await world.gateway.change_disposition(pause_id, Disposition.FREEZE if turn % 2 else Disposition.DRAIN, by=ANN)
        await handle.signal("resume", ResumePause(id=f"look-{turn}", by=ANN))
        turn += 1
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    await handle.result()
    return [pause_id]


async def compensated(world: World) -> list[str]:
    """A pause rolls back the open run in its scope, and is ended."""
    run_id = await world.start(open=True)
    await world.gateway.propose(run_id, action("tip", "desk.tip", to="bob", amount=1), by=AGENT)
    pause_id = await world.gateway.pause(CLERK, by=ANN, disposition=Disposition.COMPENSATE, cause="A flood.")

    def undone() -> str:
        with world.database.read() as session:
            found = stopping.rollbacks(session, pause_id).items
        return found[0].rollback_id if found and found[0].status is RollbackStatus.DONE else ""

    rollback_id = await world.eventually(undone)
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS)
    await world.client.get_workflow_handle(pause_id).result()
    return [pause_id, rollback_id]


async def proven(world: World) -> list[str]:
    """Every undo of a card is tried, and one of them by itself."""
    assert await world.gateway.prove_undos("desk-clerk", by=ANN)
    assert await world.gateway.prove_undos("desk-clerk", by=ANN, type="desk.tip")
    every = f"prove-undos:{world.settings.task_queue_prefix}:desk-clerk:"
    return [every, f"{every}desk.tip"]


async def undone_as_previewed(world: World) -> list[str]:
    """Everything that an agent did since a time is previewed, and undone as the preview showed it."""
    since = datetime.now(UTC)
    runs = [await world.start(action("tip", "desk.tip", to=name, amount=1)) for name in ("bob", "carol")]
    for run_id in runs:
        await world.result(run_id)
    scope = RollbackScope(kind=RollbackScopeKind.AGENT, id="desk-clerk", since=since)
    plan = await world.gateway.preview_rollback(scope, by=ANN)
    begun = await world.gateway.rollback(scope, by=ANN, preview_id=plan.rollback_id, digest=plan.digest)
    await world.client.get_workflow_handle(begun.id).result()
    return [plan.rollback_id, begun.id]


async def undo_refused(world: World) -> list[str]:
    """A rollback that somebody says no to, and one that is withdrawn."""
    refused, digest = await _awaiting(world)
    await world.gateway.decide_rollback(
        refused.id, verb=RollbackVerb.REJECT, digest=digest, by=EVE, reason="It was right."
    )
    await world.client.get_workflow_handle(refused.id).result()
    withdrawn, _ = await _awaiting(world)
    await world.gateway.withdraw_rollback(withdrawn.id, by=ANN, reason="Not today.")
    await world.client.get_workflow_handle(withdrawn.id).result()
    return [refused.id, withdrawn.id]


async def undo_continued(world: World) -> list[str]:
    """A rollback waits for approval until it continues as new, and is approved then."""
    begun, digest = await _awaiting(world)
    handle = world.client.get_workflow_handle(begun.id)
    first = (await handle.describe()).run_id
    turn = 0
    while (await handle.describe()).run_id == first:
        await handle.signal("changed", RollbackChanged(id=f"look-{turn}", by=ANN))
        turn += 1
    await world.gateway.decide_rollback(begun.id, verb=RollbackVerb.APPROVE, digest=digest, by=EVE)
    await handle.result()
    return [begun.id]


STOPPING_STORIES = [
    drilled,
    drill_under_way,
    let_go_in_steps,
    held_again,
    drained_and_continued,
    compensated,
    proven,
    undone_as_previewed,
    undo_refused,
    undo_continued,
]


def _due_id(world: World, look: str) -> str:
    return f"{world.settings.task_queue_prefix}-drills-due-{look}"


async def _due(world: World, look: str) -> int:
    """Have what is due held, as the schedule does; gives how many drills were run."""
    queue = Queue.CONTROL.under(world.settings.task_queue_prefix)
    run: int = await world.client.execute_workflow(
        DrillWorkflow.DUE, id=_due_id(world, look), task_queue=queue, result_type=int
    )
    return run


async def _held(world: World, number: int) -> tuple[str, list[str]]:
    """A pause, and so many open runs with an action that it holds."""
    runs = [await world.start(open=True) for _ in range(number)]
    pause_id = await world.gateway.pause(CLERK, by=ANN)
    for run_id in runs:
        await world.gateway.propose(run_id, action("held", "desk.note", text="x"), by=AGENT)
        await world.outcome(run_id, "held", ActionStatus.HELD)
    return pause_id, runs


async def _awaiting(world: World) -> tuple[RollbackBegun, str]:
    """A rollback that awaits Eve's approval, and the digest of what she sees."""
    world.publish(CARD + "rollback: {tier: approve}\n")
    with world.database.write() as session:
        session.execute(update(PersonRow).where(col(PersonRow.id) == EVE.id).values(roles=[Role.APPROVER.value]))
    run_id = await world.start(action("tip", "desk.tip", to="bob", amount=1))
    await world.result(run_id)
    scope = RollbackScope(kind=RollbackScopeKind.RUN, id=run_id)
    plan = await world.gateway.preview_rollback(scope, by=ANN)
    begun = await world.gateway.rollback(scope, by=ANN, preview_id=plan.rollback_id, digest=plan.digest)
    return begun, plan.digest

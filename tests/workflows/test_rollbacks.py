"""Rollbacks: previewed, newest first, each effect at most once, and what cannot be taken back is listed."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.effects import UndoStatus
from assent.domain.errors import Conflict, NotFound, Unavailable
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackPlan, RollbackResult, RollbackStatus
from assent.domain.runs import RunStatus
from assent.domain.undo_steps import Undoable, UndoStep
from assent.gateway import Gateway
from assent.store.tables import ActionRow, EffectRow, PauseRow, ResourceRow, RollbackStepRow
from assent_activities.connectors import Call
from assent_activities.retrying import MAX_ATTEMPTS
from tests.desk import unreachable
from tests.world import AGENT, ANN, ANSWERS, World, action

EVERYTHING = Scope(kind=ScopeKind.EVERYTHING)


def of_run(run_id: str) -> RollbackScope:
    return RollbackScope(kind=RollbackScopeKind.RUN, id=run_id)


def of_action(run_id: str, key: str) -> RollbackScope:
    return RollbackScope(kind=RollbackScopeKind.ACTION, id=f"{run_id}:{key}")


async def tipped(world: World, *amounts: float, to: str = "bob") -> str:
    """A run that has ended after some tips, the keys of which are a, b, c, …"""
    plan = [action("abcdefgh"[place], "desk.tip", to=to, amount=amount) for place, amount in enumerate(amounts)]
    run_id = await world.start(*plan)
    assert (await world.result(run_id)).status is RunStatus.COMPLETED
    return run_id


async def roll_back(world: World, scope: RollbackScope) -> RollbackResult:
    rollback_id = (await world.gateway.rollback(scope, by=ANN, reason="It was wrong.")).id
    result: RollbackResult = await world.client.get_workflow_handle(rollback_id, result_type=RollbackResult).result()
    assert result.rollback_id == rollback_id
    return result


def steps(world: World, rollback_id: str) -> list[UndoStep]:
    query = select(RollbackStepRow).where(col(RollbackStepRow.rollback_id) == rollback_id)
    with world.database.read() as session:
        rows = session.execute(query.order_by(col(RollbackStepRow.ordinal))).scalars()
        return [UndoStep.model_validate(row.step) for row in rows]


def verdicts(plan: RollbackPlan) -> dict[str, Undoable]:
    return {step.action_id.split(":")[1]: step.verdict for step in plan.steps}


async def test_a_run_is_previewed_and_taken_back_newest_first(world: World) -> None:
    run_id = await tipped(world, 1, 2, 3)
    plan = await world.gateway.preview_rollback(of_run(run_id), by=ANN)
    assert [step.action_id for step in plan.steps] == [f"{run_id}:{key}" for key in "cba"]
    assert plan.to_undo == 3
    assert plan.steps[0].undo == "Take 3 back from bob"
    assert (plan.steps[0].changes[0].before, plan.steps[0].changes[0].after) == (6, 3)
    assert world.desk.undone == []
    result = await roll_back(world, of_run(run_id))
    assert (result.status, result.undone, result.left) == (RollbackStatus.DONE, 3, 0)
    assert world.desk.undone == [f"{run_id}:{key}#undo" for key in "cba"]
    assert world.desk.balances == {"bob": 0}
    for key in "abc":
        assert (await world.outcome(run_id, key)).status is ActionStatus.UNDONE
    assert world.events(run_id=run_id)[-8:] == [
        "rollback.started",
        *["undo.claimed", "undo.done"] * 3,
        "rollback.ended",
    ]


async def test_one_action_is_taken_back_and_the_rest_stays(world: World) -> None:
    run_id = await tipped(world, 1, 2)
    assert (await roll_back(world, of_action(run_id, "b"))).undone == 1
    assert world.desk.balances == {"bob": 1}
    assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE
    assert (await world.outcome(run_id, "b")).status is ActionStatus.UNDONE


async def test_a_later_change_is_not_clobbered(world: World) -> None:
    """An older effect on a record that a newer one changed is a conflict, alone; with the newer one it is none."""
    run_id = await tipped(world, 1, 2)
    plan = await world.gateway.preview_rollback(of_action(run_id, "a"), by=ANN)
    assert verdicts(plan) == {"a": Undoable.CONFLICT}
    assert plan.steps[0].why == "bob has spent some of it."
    result = await roll_back(world, of_action(run_id, "a"))
    assert (result.status, result.undone, result.left) == (RollbackStatus.NEEDS_PERSON, 0, 1)
    (step,) = steps(world, result.rollback_id)
    assert (step.verdict, step.status, step.why) == (
        Undoable.CONFLICT,
        UndoStatus.CONFLICT,
        "bob has spent some of it.",
    )
    assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE
    assert (await roll_back(world, of_run(run_id))).undone == 2
    assert world.desk.balances == {"bob": 0}


async def test_a_change_from_outside_stops_the_chain_behind_it(world: World) -> None:
    run_id = await tipped(world, 1, 2)
    world.desk.balances["bob"] = 2.5
    plan = await world.gateway.preview_rollback(of_run(run_id), by=ANN)
    assert verdicts(plan) == {"b": Undoable.CONFLICT, "a": Undoable.CONFLICT}
    result = await roll_back(world, of_run(run_id))
    assert (result.undone, result.left) == (0, 2)
    assert world.desk.balances == {"bob": 2.5}


async def test_only_once(world: World) -> None:
    run_id = await tipped(world, 1)
    await roll_back(world, of_run(run_id))
    plan = await world.gateway.preview_rollback(of_run(run_id), by=ANN)
    assert verdicts(plan) == {"a": Undoable.ALREADY}
    again = await roll_back(world, of_run(run_id))
    assert (again.status, again.undone, again.left) == (RollbackStatus.DONE, 0, 0)
    assert world.desk.undone == [f"{run_id}:a#undo"]


async def test_rollbacks_at_once_undo_each_effect_once(world: World) -> None:
    run_id = await tipped(world, 1, 1, 1, 1, 1)
    results = await asyncio.gather(
        roll_back(world, of_run(run_id)), *(roll_back(world, of_action(run_id, key)) for key in "de")
    )
    undone_at_once = sum(result.undone for result in results)
    after = await roll_back(world, of_run(run_id))
    assert undone_at_once + after.undone == 5
    assert len(world.desk.undone) == len(set(world.desk.undone)) == 5
    assert world.desk.balances == {"bob": 0}
    for key in "abcde":
        assert world.events(action_id=f"{run_id}:{key}").count("undo.done") == 1


async def test_the_second_of_one_scope_is_told_of_the_first(world: World) -> None:
    run_id = await tipped(world, 1)
    go_on = threading.Event()

    def wait(call: Call) -> None:
        go_on.wait()

    world.desk.undo_trouble = wait
    first = await world.gateway.rollback(of_run(run_id), by=ANN)
    with pytest.raises(Conflict, match=first.id) as refused:
        await world.gateway.rollback(of_run(run_id), by=ANN)
    assert refused.value.where == first.id
    go_on.set()
    await world.client.get_workflow_handle(first.id).result()
    assert world.desk.undone == [f"{run_id}:a#undo"]


async def test_what_cannot_be_taken_back_is_left_for_a_person(world: World) -> None:
    run_id = await world.start(
        action("read", "desk.read", text="it"),
        action("letter", "desk.letter", text="Dear Bob"),
        action("late", "desk.tip", to="ann", amount=1),
        action("fine", "desk.tip", to="bob", amount=1),
        action("failed", "desk.tip", to="nobody", amount=1),
    )
    assert (await world.result(run_id)).counts == {"done": 4, "failed": 1}
    _age(world, f"{run_id}:late", timedelta(days=31))
    plan = await world.gateway.preview_rollback(of_run(run_id), by=ANN)
    assert verdicts(plan) == {"fine": Undoable.YES, "letter": Undoable.TOO_LATE, "late": Undoable.TOO_LATE}
    result = await roll_back(world, of_run(run_id))
    assert (result.status, result.undone, result.left) == (RollbackStatus.NEEDS_PERSON, 1, 2)
    assert {s.action_id.split(":")[1]: s.status for s in steps(world, result.rollback_id)} == {
        "fine": UndoStatus.UNDONE,
        "letter": UndoStatus.IMPOSSIBLE,
        "late": UndoStatus.IMPOSSIBLE,
    }
    assert world.desk.balances == {"ann": 1, "bob": 0}


def _age(world: World, action_id: str, by: timedelta) -> None:
    """Let an effect have happened earlier."""
    with world.database.write() as session:
        session.execute(
            update(EffectRow)
            .where(col(EffectRow.action_id) == action_id)
            .values(finished_at=datetime.now(UTC) - by, claimed_at=datetime.now(UTC) - by)
        )


async def test_nobody_guesses_about_an_unknown_effect(world: World) -> None:
    def breaks(call: Call) -> None:
        raise RuntimeError("The line went dead.")

    world.desk.knows = False
    world.desk.trouble = breaks
    run_id = await world.start(action("a", "desk.note", text="x"))
    await world.result(run_id)
    unknown = await world.outcome(run_id, "a")
    assert unknown.status is ActionStatus.UNKNOWN
    assert "a person must find out" in unknown.message
    plan = await world.gateway.preview_rollback(of_run(run_id), by=ANN)
    assert verdicts(plan) == {"a": Undoable.UNKNOWN}
    assert (await roll_back(world, of_run(run_id))).status is RollbackStatus.NEEDS_PERSON
    assert world.desk.undone == []


async def test_it_works_while_everything_is_paused(world: World) -> None:
    run_id = await tipped(world, 1, 2)
    await world.gateway.pause(EVERYTHING, by=ANN, cause="Fire.")
    plan = await world.gateway.preview_rollback(of_run(run_id), by=ANN)
    assert plan.to_undo == 2
    assert (await roll_back(world, of_run(run_id))).undone == 2


async def test_a_live_run_is_stopped_first(world: World) -> None:
    started, go_on = threading.Event(), threading.Event()

    def trouble(call: Call) -> None:
        if call.key.endswith(":slow"):
            started.set()
            go_on.wait()

    world.desk.trouble = trouble
    run_id = await world.start(
        action("a", "desk.tip", to="bob", amount=1),
        action("slow", "desk.tip", to="bob", amount=2),
        action("never", "desk.tip", to="bob", amount=3),
        open=True,
    )
    await asyncio.to_thread(started.wait)
    begin = asyncio.create_task(world.gateway.rollback(of_run(run_id), by=ANN))
    pause = await world.eventually(lambda: _pause_of_run(world, run_id))
    go_on.set()
    rollback_id = (await begin).id
    assert pause.id == f"pause-{rollback_id}"
    handle = world.client.get_workflow_handle(rollback_id, result_type=RollbackResult)
    result: RollbackResult = await handle.result()
    assert (result.status, result.undone, result.left) == (RollbackStatus.DONE, 2, 0)
    ended = await world.result(run_id)
    assert ended.status is RunStatus.STOPPED
    assert "rolled back by Ann" in ended.message
    assert world.desk.balances == {"bob": 0}
    assert world.desk.done == [f"{run_id}:a", f"{run_id}:slow"]
    assert not _pause(world, f"pause-{rollback_id}").active


def _pause_of_run(world: World, run_id: str) -> PauseRow | None:
    with world.database.read() as session:
        return session.execute(select(PauseRow).where(col(PauseRow.scope_name) == run_id)).scalar_one_or_none()


def _pause(world: World, pause_id: str) -> PauseRow:
    with world.database.read() as session:
        return session.get(PauseRow, pause_id)  # type: ignore[return-value]


async def test_a_run_that_waits_for_a_person_is_stopped_and_its_request_withdrawn(world: World) -> None:
    run_id = await world.start(action("a", "desk.note", text="x"), action("b", "desk.pay", to="bob", amount=9))
    waiting = await world.outcome(run_id, "b", ActionStatus.AWAITING)
    assert (await roll_back(world, of_run(run_id))).undone == 1
    assert (await world.outcome(run_id, "b")).status is ActionStatus.WITHDRAWN
    assert world.approval(waiting.approval_id or "").status == "withdrawn"
    assert world.desk.done == [f"{run_id}:a"]


async def test_an_approved_action_that_a_pause_holds_is_withdrawn_by_a_rollback(world: World) -> None:
    run_id = await world.start(action("a", "desk.note", text="x"), action("b", "desk.pay", to="bob", amount=9))
    waiting = await world.outcome(run_id, "b", ActionStatus.AWAITING)
    pause_id = await world.gateway.pause(EVERYTHING, by=ANN)
    await world.decide(waiting, Verb.APPROVE)
    await world.outcome(run_id, "b", ActionStatus.HELD)
    await roll_back(world, of_run(run_id))
    await world.gateway.resume(pause_id, by=ANN, answers=ANSWERS, at_once=True)
    assert (await world.outcome(run_id, "b")).status is ActionStatus.WITHDRAWN
    assert world.desk.balances == {}


async def test_an_undo_waits_for_its_system(world: World) -> None:
    run_id = await tipped(world, 1, 2)
    world.desk.undo_trouble = unreachable(2)
    result = await roll_back(world, of_run(run_id))
    assert (result.status, result.undone) == (RollbackStatus.DONE, 2)
    assert world.desk.undone == [f"{run_id}:b#undo", f"{run_id}:a#undo"]


async def test_an_undo_that_never_works_is_left_for_a_person_and_can_be_tried_again(world: World) -> None:
    """Attempts are counted for each undo of each rollback, so a new rollback has as many as the first."""
    run_id = await tipped(world, 1, 1)
    world.desk.undo_trouble = unreachable(MAX_ATTEMPTS)
    result = await roll_back(world, of_action(run_id, "b"))
    assert (result.status, result.undone, result.left) == (RollbackStatus.NEEDS_PERSON, 0, 1)
    (step,) = steps(world, result.rollback_id)
    assert step.status is UndoStatus.FAILED
    assert "could not be reached" in step.why
    world.desk.undo_trouble = unreachable(MAX_ATTEMPTS - 1)
    again = await roll_back(world, of_run(run_id))
    assert (again.status, again.undone) == (RollbackStatus.DONE, 2)


async def test_more_effects_than_one_batch(world: World) -> None:
    keys = [f"n{number:02}" for number in range(45)]
    run_id = await world.start(*(action(key, "desk.note", text=key) for key in keys))
    await world.result(run_id)
    result = await roll_back(world, of_run(run_id))
    assert (result.status, result.undone) == (RollbackStatus.DONE, 45)
    assert world.desk.undone == [f"{run_id}:{key}#undo" for key in reversed(keys)]


async def test_records_remember_who_touched_and_untouched_them(world: World) -> None:
    run_id = await tipped(world, 4, to="carl")
    await roll_back(world, of_run(run_id))
    query = select(ResourceRow).where(col(ResourceRow.resource) == "desk/carl").order_by(col(ResourceRow.at))
    with world.database.read() as session:
        touched = [(row.action_id, row.undo) for row in session.execute(query).scalars()]
    assert touched == [(f"{run_id}:a", False), (f"{run_id}:a", True)]


async def test_unknown_scopes_are_refused(world: World) -> None:
    for scope in (of_run("run-nowhere"), of_action("run-nowhere", "a")):
        with pytest.raises(NotFound):
            await world.gateway.preview_rollback(scope, by=ANN)
        with pytest.raises(NotFound):
            await world.gateway.rollback(scope, by=ANN)


async def test_a_run_without_effects_has_nothing_to_take_back(world: World) -> None:
    run_id = await world.start(open=True)
    await world.gateway.propose(run_id, action("a", "desk.idea", text="rest"), by=AGENT)
    result = await roll_back(world, of_run(run_id))
    assert (result.status, result.undone) == (RollbackStatus.DONE, 0)
    assert world.events(kind="rollback.started") == ["rollback.started"]


async def test_temporal_away_starts_nothing(world: World) -> None:
    run_id = await tipped(world, 1)
    with pytest.raises(Unavailable):
        await Gateway(None, world.database).rollback(of_run(run_id), by=ANN)
    assert world.row(ActionRow, f"{run_id}:a").status == ActionStatus.DONE

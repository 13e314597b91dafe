"""Rollbacks over several runs: of an agent, a version, a type, a record; bound to their preview."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assent.domain.errors import Forbidden, InvalidInput, NotFound, PreviewChanged
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackPlan, RollbackResult, RollbackStatus
from assent.domain.undo_steps import Undoable
from tests.workflows.rollback_acts import begin, ended, of_run, tipped
from tests.world import ANN, EVE, World, action


def since(kind: RollbackScopeKind, id: str, at: datetime, **more: object) -> RollbackScope:
    return RollbackScope.model_validate({"kind": kind, "id": id, "since": at, **more})


def keys(plan: RollbackPlan) -> list[str]:
    return [step.action_id for step in plan.steps]


async def test_an_agent_since_a_time_is_taken_back_over_all_its_runs_newest_first(world: World) -> None:
    first = await tipped(world, 1, 2)
    start = datetime.now(UTC)
    second = await tipped(world, 1, 2)
    third = await tipped(world, 3, to="ann")
    scope = since(RollbackScopeKind.AGENT, "desk-clerk", start)
    plan = await world.gateway.preview_rollback(scope, by=ANN)
    assert keys(plan) == [f"{third}:a", f"{second}:b", f"{second}:a"]
    assert (plan.complete, plan.totals.steps, plan.to_undo) == (True, 3, 3)
    begun = await world.gateway.rollback(
        scope, by=ANN, reason="A bad afternoon.", preview_id=plan.rollback_id, digest=plan.digest
    )
    result = await ended(world, begun.id)
    assert (result.status, result.undone) == (RollbackStatus.DONE, 3)
    assert world.desk.balances == {"bob": 3, "ann": 0}
    assert not [key for key in world.desk.undone if key.startswith(first)]


async def test_until_leaves_what_came_after(world: World) -> None:
    start = datetime.now(UTC)
    early = await tipped(world, 1, to="ann")
    middle = datetime.now(UTC)
    await tipped(world, 1, to="bob")
    plan = await world.gateway.preview_rollback(
        since(RollbackScopeKind.AGENT, "desk-clerk", start, until=middle), by=ANN
    )
    assert keys(plan) == [f"{early}:a"]


async def test_a_version_and_a_type_and_a_record(world: World) -> None:
    start = datetime.now(UTC)
    run_id = await world.start(action("n", "desk.note", text="milk"), action("t", "desk.tip", to="bob", amount=2))
    await world.result(run_id)
    nothing_yet = start + timedelta(microseconds=1)
    scopes = {
        since(RollbackScopeKind.VERSION, "desk-clerk@1", start, until=nothing_yet).model_dump_json(): [],
        since(RollbackScopeKind.VERSION, "desk-clerk@1", start).model_dump_json(): ["t", "n"],
        since(
            RollbackScopeKind.VERSION, "desk-clerk@1", start, until=start + timedelta(microseconds=1)
        ).model_dump_json(): [],
        since(RollbackScopeKind.TYPE, "desk.tip", start).model_dump_json(): ["t"],
        RollbackScope(kind=RollbackScopeKind.RECORD, id="desk/bob").model_dump_json(): ["t"],
    }
    for scope, wanted in scopes.items():
        plan = await world.gateway.preview_rollback(RollbackScope.model_validate_json(scope), by=ANN)
        assert keys(plan) == [f"{run_id}:{key}" for key in wanted]


async def test_bad_scopes_are_refused_in_words(world: World) -> None:
    await tipped(world, 1)
    now = datetime.now(UTC)
    agent = RollbackScopeKind.AGENT
    bad = [
        (since(agent, "nobody", now - timedelta(hours=1)), NotFound, "no agent"),
        (since(agent, "desk-clerk", now + timedelta(hours=1)), InvalidInput, "future"),
        (since(agent, "desk-clerk", now - timedelta(hours=1), until=now - timedelta(hours=2)), InvalidInput, "before"),
        (since(agent, "desk-clerk", now - timedelta(hours=1), until=now + timedelta(hours=2)), InvalidInput, "future"),
        (RollbackScope(kind=agent, id="desk-clerk"), InvalidInput, "since when"),
        (since(RollbackScopeKind.RUN, "run-1", now), InvalidInput, "no period"),
        (since(RollbackScopeKind.VERSION, "desk-clerk", now - timedelta(hours=1)), InvalidInput, "no version"),
        (since(RollbackScopeKind.VERSION, "desk-clerk@\N{ARABIC-INDIC DIGIT ONE}", now), InvalidInput, "no version"),
        (since(RollbackScopeKind.VERSION, "desk-clerk@9", now - timedelta(hours=1)), NotFound, "no version 9"),
        (since(RollbackScopeKind.VERSION, f"desk-clerk@{'9' * 20}", now), NotFound, "no version 9"),
        (since(RollbackScopeKind.TYPE, "desk.nothing", now - timedelta(hours=1)), NotFound, "ever done"),
        (RollbackScope(kind=RollbackScopeKind.RECORD, id="desk/none"), NotFound, "ever touched"),
        (RollbackScope(kind=RollbackScopeKind.INCIDENT, id="incident-none"), NotFound, "no incident"),
    ]
    for scope, error, words in bad:
        with pytest.raises(error, match=words):
            await world.gateway.preview_rollback(scope, by=ANN)
        with pytest.raises(error, match=words):
            await world.gateway.rollback(scope, by=ANN)
    assert world.desk.undone == []


async def test_a_preview_that_is_out_of_date_is_shown_again(world: World) -> None:
    run_id = await tipped(world, 1, 2)
    plan = await world.gateway.preview_rollback(of_run(run_id), by=ANN)
    world.desk.balances["bob"] = 2.5
    with pytest.raises(PreviewChanged) as changed:
        await world.gateway.rollback(of_run(run_id), by=ANN, preview_id=plan.rollback_id, digest=plan.digest)
    fresh = await world.gateway.rollback_plan(changed.value.preview_id)
    assert fresh.digest != plan.digest
    assert fresh.totals.by_verdict == {Undoable.CONFLICT: 2}
    assert world.desk.undone == []
    assert world.events(kind="rollback.refused") == ["rollback.refused"]
    begun = await world.gateway.rollback(of_run(run_id), by=ANN, preview_id=fresh.rollback_id, digest=fresh.digest)
    assert (await ended(world, begun.id)).status is RollbackStatus.NEEDS_PERSON


async def test_a_preview_binds_only_what_it_is_of(world: World) -> None:
    one, other = await tipped(world, 1), await tipped(world, 2)
    plan = await world.gateway.preview_rollback(of_run(one), by=ANN)
    with pytest.raises(InvalidInput, match="something else"):
        await begin(world, of_run(other), preview_id=plan.rollback_id, digest=plan.digest)
    with pytest.raises(PreviewChanged, match="digest"):
        await begin(world, of_run(one), preview_id=plan.rollback_id, digest="0" * 64)
    with pytest.raises(PreviewChanged, match="gone"):
        await begin(world, of_run(one), preview_id="preview-none", digest=plan.digest)
    assert world.desk.undone == []


async def test_later_work_is_named_and_can_be_taken_back_first(world: World) -> None:
    first = await tipped(world, 1)
    second = await tipped(world, 2)
    alone = await world.gateway.preview_rollback(of_run(first), by=ANN)
    (step,) = alone.steps
    assert step.verdict is Undoable.CONFLICT
    assert [(work.action_id, work.agent, work.in_plan) for work in step.later] == [(f"{second}:a", "desk-clerk", False)]
    assert step.task
    both = of_run(first).model_copy(update={"with_later": True})
    plan = await world.gateway.preview_rollback(both, by=ANN)
    assert [(each.action_id, each.verdict, each.added) for each in plan.steps] == [
        (f"{second}:a", Undoable.YES, True),
        (f"{first}:a", Undoable.YES, False),
    ]
    begun = await begin(world, both, preview_id=plan.rollback_id, digest=plan.digest)
    assert (await ended(world, begun.id)).undone == 2
    assert world.desk.balances == {"bob": 0}


async def test_later_work_stays_where_taking_it_back_would_not_help(world: World) -> None:
    first = await tipped(world, 1)
    await tipped(world, 2)
    world.desk.balances["bob"] = 10
    plan = await world.gateway.preview_rollback(of_run(first).model_copy(update={"with_later": True}), by=ANN)
    assert [step.verdict for step in plan.steps] == [Undoable.CONFLICT]


async def test_who_may_not_undo_is_refused_and_it_is_kept(world: World) -> None:
    run_id = await tipped(world, 1)
    with pytest.raises(Forbidden, match="Eve Everyone may not undo"):
        await world.gateway.rollback(of_run(run_id), by=EVE)
    record = RollbackScope(kind=RollbackScopeKind.RECORD, id="desk/bob")
    with pytest.raises(Forbidden, match="Eve Everyone may not undo"):
        await world.gateway.rollback(record, by=EVE)
    assert world.events(kind="rollback.refused")
    assert world.desk.undone == []


async def test_more_than_a_page_is_planned_and_undone(world: World) -> None:
    start = datetime.now(UTC)
    runs = []
    for _ in range(3):
        notes = [action(f"n{number:02}", "desk.note", text="x") for number in range(30)]
        runs.append(await world.start(*notes))
    for run_id in runs:
        await world.result(run_id)
    scope = since(RollbackScopeKind.AGENT, "desk-clerk", start)
    plan = await world.gateway.preview_rollback(scope, by=ANN, patience=30)
    assert (len(plan.steps), plan.totals.steps, plan.complete) == (50, 90, True)
    result: RollbackResult = await ended(world, (await begin(world, scope)).id)
    assert (result.undone, result.left) == (90, 0)
    assert len(set(world.desk.undone)) == len(world.desk.undone) == 90

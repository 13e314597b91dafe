"""Who may change a rollback whose scope names no agent; and what reaches a rollback that no database can keep."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from assent.domain.errors import Conflict, Forbidden, NotFound
from assent.domain.people import Actor, Role, Via
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackStatus
from assent.domain.undo_steps import SettledHow
from assent.gateway.undo_rights import may_do
from assent.store.queries import rollbacks
from assent.store.tables import PersonRow
from assent_activities.connectors import ActionFailed, Call
from tests.desk import CARD
from tests.workflows.rollback_acts import begin, ended, steps, tipped
from tests.world import ANN, EVE, World

BOB = RollbackScope(kind=RollbackScopeKind.RECORD, id="desk/bob")
TIPS = RollbackScope(kind=RollbackScopeKind.TYPE, id="desk.tip", since=datetime.now(UTC) - timedelta(days=1))


@pytest.mark.parametrize("scope", [BOB, TIPS], ids=["record", "type"])
async def test_who_may_not_undo_changes_no_rollback_of_a_record_or_a_type(world: World, scope: RollbackScope) -> None:
    await tipped(world, 1, 1, 1)
    arrived, go_on = threading.Event(), threading.Event()

    def wait(call: Call) -> None:
        arrived.set()
        go_on.wait()
        raise ActionFailed("Bob left.")

    world.desk.undo_trouble = wait
    begun = await begin(world, scope)
    await world.eventually(arrived.is_set)
    with pytest.raises(Forbidden, match="Eve Everyone may not undo"):
        await world.gateway.hold_rollback(begun.id, by=EVE)
    await world.gateway.hold_rollback(begun.id, by=ANN)
    with pytest.raises(Forbidden, match="Eve Everyone may not undo"):
        await world.gateway.continue_rollback(begun.id, by=EVE)
    go_on.set()
    await world.gateway.continue_rollback(begun.id, by=ANN)
    assert (await ended(world, begun.id)).status is RollbackStatus.NEEDS_PERSON
    with pytest.raises(Forbidden, match="Eve Everyone may not undo"):
        await world.gateway.retry_steps(begun.id, by=EVE)
    with pytest.raises(Forbidden, match="Eve Everyone may not undo"):
        await world.gateway.settle_step(begun.id, 1, by=EVE, how=SettledHow.ACCEPTED, note="Let him keep it.")
    with world.database.read() as session:
        found = rollbacks.header(session, begun.id)
        may = {
            who.id: may_do(session, scope, who, datetime.now(UTC), planned=found.totals.by_agent).why_not
            for who in (ANN, EVE)
        }
    assert found.counts.settled == 0
    assert (may[ANN.id], bool(may[EVE.id])) == ("", True)
    assert world.events(kind="rollback.refused")


async def test_who_may_not_undo_withdraws_no_rollback_of_a_record(world: World) -> None:
    world.publish(CARD + "rollback: {tier: approve, by: [ann@example.com]}\n")
    await tipped(world, 1)
    begun = await begin(world, BOB)
    assert begun.state is RollbackStatus.AWAITING
    with world.database.write() as session:
        # An operator, too, if the card of the agent concerned names somebody else.
        session.execute(update(PersonRow).where(col(PersonRow.id) == EVE.id).values(roles=[Role.OPERATOR.value]))
    with pytest.raises(Forbidden, match="Eve Everyone may not undo"):
        await world.gateway.withdraw_rollback(begun.id, by=EVE)
    await world.gateway.withdraw_rollback(begun.id, by=ANN)


@pytest.mark.parametrize("block", ["effects: 1", "tier: approve"])
async def test_what_conflicts_when_it_is_planned_gets_around_no_approval(world: World, block: str) -> None:
    world.publish(CARD + f"rollback: {{{block}}}\n")
    await tipped(world, 1, 1, 1)
    world.desk.balances["bob"] = 2.5
    begun = await begin(world, BOB)
    assert begun.state is RollbackStatus.AWAITING
    world.desk.balances["bob"] = 3
    with pytest.raises(Conflict, match="awaiting"):
        await world.gateway.retry_steps(begun.id, by=ANN)
    await world.gateway.withdraw_rollback(begun.id, by=ANN)
    assert world.desk.undone == []


async def test_a_place_that_no_step_can_have(world: World) -> None:
    await tipped(world, 1)
    begun = await begin(world, BOB)
    await ended(world, begun.id)
    for place in (-1, 2**31, 10**30):
        with pytest.raises(NotFound):
            await world.gateway.retry_steps(begun.id, [place], by=ANN)
        with pytest.raises(NotFound):
            await world.gateway.settle_step(begun.id, place, by=ANN, how=SettledHow.BY_HAND, note="Done.")


async def test_half_a_character_in_a_connectors_words_is_written_out(world: World) -> None:
    await tipped(world, 1, 1)

    def refuse(call: Call) -> None:
        raise ActionFailed("Bob is \ud83d away")

    world.desk.undo_trouble = refuse
    begun = await begin(world, BOB)
    assert (await ended(world, begun.id)).status is RollbackStatus.NEEDS_PERSON
    assert {step.why for step in steps(world, begun.id)} >= {r"Bob is \ud83d away"}


async def test_a_period_from_the_first_hours_that_there_are(world: World) -> None:
    run_id = await tipped(world, 1)
    first = datetime.fromisoformat("0001-01-01T00:00:00+14:00")
    scope = RollbackScope(kind=RollbackScopeKind.AGENT, id="desk-clerk", since=first)
    plan = await world.gateway.preview_rollback(scope, by=Actor(id="ann", name="Ann Approver", via=Via.API))
    assert [step.action_id for step in plan.steps] == [f"{run_id}:a"]

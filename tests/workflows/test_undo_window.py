"""Many small rollbacks are held against the limits of an undo like a large one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from assent.domain.people import Role
from assent.domain.rollback_approval import RollbackVerb
from assent.domain.rollbacks import RollbackStatus
from assent.gateway.undo_authority import rules_now
from assent.store.queries import rollbacks
from assent.store.queries.rollbacks import RollbackView
from assent.store.tables import PersonRow, RollbackRow
from tests.desk import CARD
from tests.workflows.rollback_acts import begin, ended, of_run, tipped
from tests.world import ANN, EVE, World


def view(world: World, rollback_id: str) -> RollbackView:
    with world.database.read() as session:
        return rollbacks.header(session, rollback_id)


def empower(world: World, *roles: Role) -> None:
    with world.database.write() as session:
        person = update(PersonRow).where(col(PersonRow.id) == EVE.id)
        session.execute(person.values(roles=[role.value for role in roles]))


async def test_one_after_the_other_needs_approval_from_the_limit_on(world: World) -> None:
    world.publish(CARD + "rollback: {effects: 3}\n")
    empower(world, Role.OPERATOR, Role.APPROVER)
    runs = [await tipped(world, 1, 1, to=to) for to in ("ann", "bob", "cyd", "dan")]
    assert (await ended(world, (await begin(world, of_run(runs[0]))).id)).undone == 2
    second = await begin(world, of_run(runs[1]))
    assert second.state is RollbackStatus.AWAITING
    found = view(world, second.id)
    assert found.rules is not None
    assert "It undoes 2 effects, 4 with the 2 of the last hour" in found.rules.because[0]
    # Somebody else does not get around it either: it is the same agent's work.
    other = await world.gateway.rollback(of_run(runs[2]), by=EVE)
    assert other.state is RollbackStatus.AWAITING
    with world.database.read() as session:
        assert rules_now(session, found.totals, EVE, datetime.now(UTC)).needed
    # What was approved has been looked at by somebody, and what was withdrawn undid nothing: neither counts.
    await world.gateway.decide_rollback(second.id, verb=RollbackVerb.APPROVE, digest=found.digest, by=EVE)
    assert (await ended(world, second.id)).undone == 2
    await world.gateway.withdraw_rollback(other.id, by=ANN)
    with world.database.write() as session:
        before = datetime.now(UTC) - timedelta(hours=2)
        first = update(RollbackRow).where(col(RollbackRow.scope_id) == runs[0])
        session.execute(first.values(requested_at=before))
    assert (await begin(world, of_run(runs[3]))).state is not RollbackStatus.AWAITING


async def test_two_at_once_do_not_both_slip_under_the_limit(world: World) -> None:
    world.publish(CARD + "rollback: {effects: 3}\n")
    runs = [await tipped(world, 1, 1, to=to) for to in ("ann", "bob", "cyd", "dan")]
    begun = await asyncio.gather(*(begin(world, of_run(run_id)) for run_id in runs))
    assert [each.state for each in begun].count(RollbackStatus.AWAITING) == 3
    for each in begun:
        if each.state is RollbackStatus.AWAITING:
            await world.gateway.withdraw_rollback(each.id, by=ANN)
        else:
            await ended(world, each.id)
    assert len(world.desk.undone) == 2


@pytest.mark.parametrize("window", ["0s", "1h"])
async def test_a_window_of_nothing_holds_each_against_the_limit_alone(world: World, window: str) -> None:
    world.publish(CARD + f"rollback: {{effects: 2, window: {window}}}\n")
    for to in ("ann", "bob"):
        begun = await begin(world, of_run(await tipped(world, 1, 1, to=to)))
        if begun.state is RollbackStatus.AWAITING:
            break
        await ended(world, begun.id)
    assert (begun.state is RollbackStatus.AWAITING) is (window == "1h")

"""A rollback that must be approved, is held, leaves a rest, or meets a connector that lies."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from assent.domain.effects import Performed, UndoStatus
from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, PreviewChanged
from assent.domain.people import Role
from assent.domain.rollback_approval import RollbackVerb
from assent.domain.rollbacks import RollbackStatus
from assent.domain.undo_steps import SettledHow
from assent.store.queries import rollbacks
from assent.store.queries.rollbacks import RollbackView
from assent.store.tables import PersonRow, RollbackRow
from assent_activities.connectors import Call
from assent_activities.retrying import MAX_ATTEMPTS
from tests.desk import CARD, DeskOperation, unreachable
from tests.workflows.rollback_acts import begin, ended, of_run, steps, tipped
from tests.world import ANN, EVE, World

APPROVED = CARD + "rollback: {tier: approve, expires: 2h}\n"


def view(world: World, rollback_id: str) -> RollbackView:
    with world.database.read() as session:
        return rollbacks.header(session, rollback_id)


def empower(world: World, *roles: Role) -> None:
    with world.database.write() as session:
        person = update(PersonRow).where(col(PersonRow.id) == EVE.id)
        session.execute(person.values(roles=[role.value for role in roles]))


async def test_a_card_can_have_every_undo_approved(world: World) -> None:
    world.publish(APPROVED)
    empower(world, Role.APPROVER)
    run_id = await tipped(world, 1)
    begun = await begin(world, of_run(run_id))
    assert begun.state is RollbackStatus.AWAITING
    assert begun.needs == "one approver"
    found = view(world, begun.id)
    assert found.rules is not None
    assert "every undo approved" in found.rules.because[0]
    assert world.desk.undone == []
    approve = RollbackVerb.APPROVE
    with pytest.raises(Forbidden, match="asked for this rollback"):
        await world.gateway.decide_rollback(begun.id, verb=approve, digest=found.digest, by=ANN)
    with pytest.raises(PreviewChanged):
        await world.gateway.decide_rollback(begun.id, verb=approve, digest="0" * 64, by=EVE)
    agreed = await world.gateway.decide_rollback(begun.id, verb=approve, digest=found.digest, by=EVE)
    assert agreed.state is RollbackStatus.RUNNING
    assert (await ended(world, begun.id)).undone == 1
    with pytest.raises(Conflict, match="awaits nobody"):
        await world.gateway.decide_rollback(begun.id, verb=approve, digest=found.digest, by=EVE)
    kinds = world.events(run_id=run_id)
    assert [kind for kind in kinds if kind.startswith("rollback.")] == [
        "rollback.awaiting",
        "rollback.decided",
        "rollback.started",
        "rollback.ended",
    ]


async def test_a_mass_undo_needs_approval_by_itself(world: World) -> None:
    world.publish(CARD + "rollback: {effects: 1, money: {any: 100}, need: [{of: role:owner, count: 1}]}\n")
    run_id = await tipped(world, 1, 1)
    begun = await begin(world, of_run(run_id))
    assert (begun.state, begun.needs) == (RollbackStatus.AWAITING, "one owner")
    found = view(world, begun.id)
    assert found.rules is not None
    assert "It undoes 2 effects" in found.rules.because[0]
    await world.gateway.withdraw_rollback(begun.id, by=ANN)


async def test_it_is_rejected_with_a_reason_or_withdrawn(world: World) -> None:
    world.publish(APPROVED)
    empower(world, Role.APPROVER)
    run_id = await tipped(world, 1)
    first = await begin(world, of_run(run_id))
    digest = view(world, first.id).digest
    with pytest.raises(InvalidInput, match="reason"):
        await world.gateway.decide_rollback(first.id, verb=RollbackVerb.REJECT, digest=digest, by=EVE)
    said = await world.gateway.decide_rollback(
        first.id, verb=RollbackVerb.REJECT, digest=digest, by=EVE, reason="They were right."
    )
    assert said.state is RollbackStatus.REFUSED
    assert (await ended(world, first.id)).status is RollbackStatus.REFUSED
    assert "They were right" in view(world, first.id).message
    second = await begin(world, of_run(run_id))
    await world.gateway.withdraw_rollback(second.id, by=ANN, reason="Not today.")
    assert (await ended(world, second.id)).status is RollbackStatus.REFUSED
    with pytest.raises(Conflict, match="refused"):
        await world.gateway.withdraw_rollback(second.id, by=ANN)
    assert world.desk.undone == []


async def test_a_request_that_nobody_decides_is_refused_in_time(world: World) -> None:
    world.publish(APPROVED)
    run_id = await tipped(world, 1)
    begun = await begin(world, of_run(run_id))
    with world.database.write() as session:
        late = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(update(RollbackRow).where(col(RollbackRow.id) == begun.id).values(expires_at=late))
    assert (await ended(world, begun.id)).status is RollbackStatus.REFUSED
    assert "in time" in view(world, begun.id).message
    assert world.desk.undone == []


async def test_it_is_held_and_goes_on(world: World) -> None:
    run_id = await tipped(world, 1, 1, 1)
    arrived, go_on = threading.Event(), threading.Event()

    def wait(call: Call) -> None:
        arrived.set()
        go_on.wait()

    world.desk.undo_trouble = wait
    begun = await begin(world, of_run(run_id))
    await world.eventually(arrived.is_set)
    await world.gateway.hold_rollback(begun.id, by=ANN)
    with pytest.raises(Conflict, match="held"):
        await world.gateway.hold_rollback(begun.id, by=ANN)
    go_on.set()
    await world.eventually(lambda: len(world.desk.undone) == 1)
    assert view(world, begun.id).held_by == ANN
    with pytest.raises(Forbidden):
        await world.gateway.continue_rollback(begun.id, by=EVE)
    await world.gateway.continue_rollback(begun.id, by=ANN)
    assert (await ended(world, begun.id)).undone == 3
    with pytest.raises(Conflict, match="done"):
        await world.gateway.continue_rollback(begun.id, by=ANN)
    with pytest.raises(NotFound):
        await world.gateway.hold_rollback("rollback-none", by=ANN)


async def test_the_rest_is_tried_again_done_by_hand_or_accepted(world: World) -> None:
    run_id = await tipped(world, 1, 1)
    world.desk.undo_trouble = unreachable(2 * MAX_ATTEMPTS)
    begun = await begin(world, of_run(run_id))
    assert (await ended(world, begun.id)).left == 2
    world.desk.undo_trouble = lambda call: None
    with pytest.raises(NotFound):
        await world.gateway.retry_steps(begun.id, [7], by=ANN)
    assert await world.gateway.retry_steps(begun.id, [0], by=ANN) == 1
    again = await ended(world, f"{begun.id}-1")
    assert (again.status, again.undone, again.left) == (RollbackStatus.NEEDS_PERSON, 1, 1)
    assert [step.status for step in steps(world, begun.id)] == [UndoStatus.UNDONE, UndoStatus.FAILED]
    with pytest.raises(InvalidInput):
        await world.gateway.settle_step(begun.id, 1, by=ANN, how=SettledHow.BY_HAND, note=" ")
    with pytest.raises(Conflict, match="undone"):
        await world.gateway.settle_step(begun.id, 0, by=ANN, how=SettledHow.BY_HAND, note="Done.")
    status = await world.gateway.settle_step(
        begun.id, 1, by=ANN, how=SettledHow.BY_HAND, note="Took it from the till.", evidence="slip 12"
    )
    assert status is RollbackStatus.DONE
    (_, closed) = steps(world, begun.id)
    assert closed.settled is not None
    assert (closed.settled.note, closed.settled.evidence) == ("Took it from the till.", "slip 12")
    with pytest.raises(Conflict):
        await world.gateway.retry_steps(begun.id, by=ANN)
    assert [kind for kind in world.events(run_id=run_id) if kind.startswith("rollback.")] == [
        "rollback.started",
        "rollback.ended",
        "rollback.retried",
        "rollback.ended",
        "rollback.settled",
        "rollback.ended",
    ]


async def test_a_connector_that_lies_is_found_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it has taken the money back; the record says otherwise."""
    run_id = await tipped(world, 2)
    honest = DeskOperation.undo_preview
    monkeypatch.setattr(
        DeskOperation,
        "undo_preview",
        lambda self, call, data: honest(self, call, data) or _would_change(self, call),
    )
    monkeypatch.setattr(DeskOperation, "undo", lambda self, call, data: Performed())
    result = await ended(world, (await begin(world, of_run(run_id))).id)
    assert (result.status, result.undone, result.left) == (RollbackStatus.NEEDS_PERSON, 0, 1)
    (step,) = steps(world, result.rollback_id)
    assert step.status is UndoStatus.FAILED
    assert "desk/bob still is as the action left it" in step.why
    assert world.events(action_id=f"{run_id}:a")[-1] == "undo.failed"


def _would_change(operation: DeskOperation, call: Call) -> list[object]:
    (change,) = operation._changes(call)
    now = operation._desk.balances["bob"]
    return [change.model_copy(update={"before": now, "after": now - call.arguments["amount"]})]

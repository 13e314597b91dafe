"""What tests of rollbacks do."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlmodel import col

from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackBegun, RollbackResult
from assent.domain.runs import RunStatus
from assent.domain.undo_steps import UndoStep
from assent.store.tables import RollbackStepRow
from tests.world import ANN, World, action


def of_run(run_id: str) -> RollbackScope:
    return RollbackScope(kind=RollbackScopeKind.RUN, id=run_id)


async def tipped(world: World, *amounts: float, to: str = "bob") -> str:
    """A run that has ended after some tips, the keys of which are a, b, c, …"""
    plan = [action("abcdefgh"[place], "desk.tip", to=to, amount=amount) for place, amount in enumerate(amounts)]
    run_id = await world.start(*plan)
    assert (await world.result(run_id)).status is RunStatus.COMPLETED
    return run_id


async def begin(world: World, scope: RollbackScope, **more: Any) -> RollbackBegun:
    return await world.gateway.rollback(scope, by=ANN, reason="It was wrong.", **more)


async def ended(world: World, rollback_id: str) -> RollbackResult:
    """Wait for the end of a round."""
    handle = world.client.get_workflow_handle(rollback_id, result_type=RollbackResult)
    result: RollbackResult = await handle.result()
    return result


def steps(world: World, rollback_id: str) -> list[UndoStep]:
    query = select(RollbackStepRow).where(col(RollbackStepRow.rollback_id) == rollback_id)
    with world.database.read() as session:
        rows = session.execute(query.order_by(col(RollbackStepRow.ordinal))).scalars()
        return [UndoStep.model_validate(row.step) for row in rows]

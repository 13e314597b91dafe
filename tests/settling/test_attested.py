"""What a person says that an effect changed: kept as it is said, and refused where nobody could use it."""

from __future__ import annotations

import pytest

from assent.domain.effects import EffectStatus, ResourceChange
from assent.domain.errors import AssentError, InvalidInput, TooLarge
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.undo_steps import Undoable
from assent.store.tables import EffectRow
from tests.settling.test_runs import unknown_run
from tests.world import ANN, World


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (ResourceChange(resource=""), InvalidInput),
        (ResourceChange(resource=" "), InvalidInput),
        (ResourceChange(resource="desk/" + "x" * 200), InvalidInput),
        (ResourceChange(resource="desk/\0bob"), InvalidInput),
        (ResourceChange(resource="desk/bob\nand others"), InvalidInput),
        (ResourceChange(resource="desk/bob", after="x" * 300_000), TooLarge),
    ],
)
async def test_records_that_nobody_could_use_are_refused(
    world: World, change: ResourceChange, error: type[AssentError]
) -> None:
    _, action_id = await unknown_run(world)
    with pytest.raises(error):
        await world.gateway.settle_effect(action_id, by=ANN, happened=True, note="I saw it.", changes=[change])
    assert world.row(EffectRow, action_id).status == EffectStatus.UNKNOWN.value


async def test_records_of_a_persons_word_are_never_taken_back_by_themselves(world: World) -> None:
    run_id, action_id = await unknown_run(world)
    said = [ResourceChange(resource="desk/carl", before=0, after=1_000_000)]
    await world.gateway.settle_effect(action_id, by=ANN, happened=True, note="I saw it.", changes=said)
    plan = await world.gateway.preview_rollback(RollbackScope(kind=RollbackScopeKind.RUN, id=run_id), by=ANN)
    assert [(step.verdict, step.changes) for step in plan.steps] == [(Undoable.NO, [])]
    assert world.desk.undone == []

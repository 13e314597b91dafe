"""Rollbacks of an incident, through the gateway and a worker: what was done in its runs and to its records since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assent.domain.errors import InvalidInput
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackPlan, RollbackStatus
from assent.gateway import NewIncident
from assent.runtime.verify import verify
from tests.workflows.rollback_acts import begin, ended, tipped
from tests.world import ANN, World


def of_incident(incident_id: str, since: datetime | None = None) -> RollbackScope:
    return RollbackScope(kind=RollbackScopeKind.INCIDENT, id=incident_id, since=since)


def keys(plan: RollbackPlan) -> list[str]:
    return [step.action_id for step in plan.steps]


async def test_what_belongs_to_an_incident_is_taken_back_from_when_it_began(world: World) -> None:
    before = await tipped(world, 1, to="ann")
    began = datetime.now(UTC)
    first = await tipped(world, 2, 3, to="bob")
    second = await tipped(world, 3, to="ann")
    await tipped(world, 1, to="carol")
    wanted = NewIncident(title="Tips are doubled", began_at=began, run_ids=[first], records=["desk/ann"])
    incident_id = await world.gateway.open_incident(wanted, by=ANN)
    plan = await world.gateway.preview_rollback(of_incident(incident_id), by=ANN)
    assert plan.scope == of_incident(incident_id, began)
    assert keys(plan) == [f"{second}:a", f"{first}:b", f"{first}:a"]
    begun = await begin(world, of_incident(incident_id), preview_id=plan.rollback_id, digest=plan.digest)
    result = await ended(world, begun.id)
    assert (result.status, result.undone, result.left) == (RollbackStatus.DONE, 3, 0)
    assert world.desk.balances == {"ann": 1, "bob": 0, "carol": 1}
    assert f"{before}:a" not in world.desk.undone
    report = await verify(world.database, world.client, lambda text: None)
    assert report.clean, report.text()


async def test_a_time_that_is_given_goes_before_the_incidents_own(world: World) -> None:
    start = datetime.now(UTC)
    before = await tipped(world, 1)
    wanted = NewIncident(title="Tips are doubled", began_at=datetime.now(UTC), run_ids=[before])
    incident_id = await world.gateway.open_incident(wanted, by=ANN)
    assert keys(await world.gateway.preview_rollback(of_incident(incident_id), by=ANN)) == []
    assert keys(await world.gateway.preview_rollback(of_incident(incident_id, start), by=ANN)) == [f"{before}:a"]
    over = of_incident(incident_id).model_copy(update={"until": start})
    with pytest.raises(InvalidInput, match="before it begins"):
        await world.gateway.preview_rollback(over, by=ANN)


async def test_a_preview_binds_to_when_the_incident_began_then(world: World) -> None:
    run_id = await tipped(world, 1)
    incident_id = await world.gateway.open_incident(NewIncident(run_ids=[run_id]), by=ANN)
    plan = await world.gateway.preview_rollback(of_incident(incident_id), by=ANN)
    assert keys(plan) == [f"{run_id}:a"]
    assert plan.scope.since is not None
    await world.gateway.change_incident(incident_id, by=ANN, began_at=plan.scope.since - timedelta(hours=1))
    with pytest.raises(InvalidInput, match="something else"):
        await begin(world, of_incident(incident_id), preview_id=plan.rollback_id, digest=plan.digest)
    begun = await begin(world, plan.scope, preview_id=plan.rollback_id, digest=plan.digest)
    assert (await ended(world, begun.id)).undone == 1

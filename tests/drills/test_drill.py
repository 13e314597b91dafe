"""A drill: held for real on a scratch copy, measured, undone, cleared up, and kept."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from sqlalchemy import select
from sqlmodel import col

from assent.domain.drills import DrillRequest, DrillStatus, DrillStep, DrillTerms
from assent.store.database import Database
from assent.store.drills import begin
from assent.store.queries import drills
from assent.store.queries.drills import DrillView
from assent.store.tables import PauseRow, RunRow
from assent_activities.connectors.scratch import ScratchRecords
from tests.world import ANN, World


def drill_of(database: Database, drill_id: str) -> DrillView:
    with database.read() as session:
        return drills.one(session, drill_id)


async def ended(world: World, drill_id: str) -> DrillView:
    def look() -> DrillView | None:
        found = drill_of(world.database, drill_id)
        return found if found.status is not DrillStatus.RUNNING else None

    return await world.eventually(look)


async def test_a_drill_pauses_undoes_and_leaves_a_record(each_world: World) -> None:
    world = each_world
    drill_id = await world.gateway.start_drill("desk-clerk", by=ANN)
    drill = await ended(world, drill_id)
    assert drill.reasons == ()
    assert drill.status is DrillStatus.PASSED
    assert [each.step for each in drill.steps] == list(DrillStep)
    assert all(each.ended_at and each.words for each in drill.steps)
    figures = drill.figures
    assert (figures.runs, figures.slipped, figures.left, figures.differing) == (2, 0, 0, 0)
    assert figures.fence_seconds is not None
    assert figures.quiesce_seconds is not None
    assert figures.tries is not None
    assert figures.tries >= 10
    assert figures.undone == figures.effects
    assert figures.went_on == figures.held
    assert (drill.agent, drill.requested_by) == ("desk-clerk", ANN)
    assert world.events(agent="desk-clerk")[-2:] == ["drill.started", "drill.passed"]
    assert not world.row(PauseRow, drill.pause_id).active
    assert all(row.ended_at for row in _runs(world, drill.scratch))
    assert ScratchRecords(world.settings.drill_database_url).contents(drill.scratch) == {}
    assert world.desk.done == []


def _runs(world: World, scratch: str) -> list[RunRow]:
    with world.database.read() as session:
        return list(session.execute(select(RunRow).where(col(RunRow.agent) == scratch)).scalars())


async def test_a_drill_that_both_sides_write_at_once_begins_once(each_world: World) -> None:
    """The gateway and the worker write the beginning of the same drill, whoever is first."""
    database, terms = each_world.database, DrillTerms()
    request = DrillRequest(drill_id="drill-twice", agent="desk-clerk", by=ANN, requested_at=datetime.now(UTC))

    def write() -> None:
        with database.write() as session:
            begin(session, request, terms)

    with database.write() as session:
        begin(session, request, terms)
        other = asyncio.create_task(asyncio.to_thread(write))
        await asyncio.sleep(0.2)
    await other
    assert each_world.events().count("drill.started") == 1

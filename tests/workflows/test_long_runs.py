"""Runs that continue as new: what waits goes on waiting, what is decided counts, what was done is not done again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType

from assent.domain.actions import ActionStatus
from assent.domain.approvals import Verb
from assent.domain.runs import RunStatus
from assent.runtime.settings import Settings
from assent.runtime.verify import verify
from tests.early_server import early_server
from tests.world import AGENT, World, action, make_world

MANY = 60


@pytest.fixture(scope="module")
def early(temporal_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with early_server(temporal_executable, tmp_path_factory.mktemp("early")) as address:
        yield address


@pytest_asyncio.fixture
async def world(early: str, settings: Settings) -> AsyncIterator[World]:
    world = await make_world(early, settings.database_url, settings)
    async with world.working():
        yield world
    world.database.close()


async def continuations(world: World, run_id: str) -> int:
    """How often a run has continued as new."""
    count, execution = 0, None
    while True:
        handle = world.client.get_workflow_handle(run_id, run_id=execution)
        async for event in handle.fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                execution = event.workflow_execution_started_event_attributes.continued_execution_run_id or None
        if execution is None:
            return count
        count += 1


async def test_what_waits_for_a_person_waits_on_in_the_continued_run(world: World) -> None:
    run_id = await world.start(open=True)
    waiting = await world.gateway.propose(run_id, action("pay", "desk.pay", to="bob", amount=4), by=AGENT)
    for number in range(MANY):
        await world.gateway.propose(run_id, action(f"n{number}", "desk.note", text=str(number)), by=AGENT)
    assert await continuations(world, run_id) > 0
    await world.decide(waiting, Verb.APPROVE)
    assert (await world.outcome(run_id, "pay")).status is ActionStatus.DONE
    early_note = await world.gateway.propose(run_id, action("n0", "desk.note", text="0"), by=AGENT)
    assert early_note.status is ActionStatus.DONE
    await world.gateway.end_run(run_id, by=AGENT)
    assert (await world.result(run_id)).counts["done"] == MANY + 1
    assert len(world.desk.done) == len(set(world.desk.done)) == MANY + 1


async def test_a_plan_goes_on_where_it_was_with_the_results_it_needs(world: World) -> None:
    plan = [action("price", "desk.read", text="seven")]
    plan += [action(f"n{number}", "desk.note", text=str(number)) for number in range(MANY)]
    plan += [action(f"p{number}", "desk.pay", to="bob", amount=1) for number in range(3)]
    plan += [action("last", "desk.note", text={"$ref": "price.echo.text"})]
    run_id = await world.start(*plan)
    for number in range(3):
        await world.decide(await world.outcome(run_id, f"p{number}", ActionStatus.AWAITING), Verb.APPROVE)
    result = await world.result(run_id)
    assert (result.status, result.counts) == (RunStatus.COMPLETED, {"done": len(plan)})
    assert (await world.outcome(run_id, "last")).result["echo"] == {"text": "seven"}
    assert world.desk.done == [f"{run_id}:{step.key}" for step in plan]
    report = await verify(world.database, world.client, lambda phase: None)
    assert (report.faults, report.adopted) == ([], 0)

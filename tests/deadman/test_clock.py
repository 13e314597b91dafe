"""A worker whose clock is off claims nothing, says so, and goes on by itself when it is right again."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError

from assent.domain.actions import ActionStatus
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackResult
from assent.runtime.clock_watch import ClockWatch, Comparison
from assent.runtime.doctor import examine
from assent.runtime.settings import Settings
from assent.runtime.temporal.server_time import server_time
from assent.store import clocks
from assent_activities.deadman import ClaimSwitch
from assent_ui.readiness import CLOCKS, Readiness
from tests.databases import KINDS, empty_database
from tests.deadman.trouble import Clock
from tests.world import AGENT, ANN, World, action, make_world

HOUR = timedelta(hours=1)


def off(world: World) -> list[clocks.WorkerClock]:
    with world.database.read() as session:
        return clocks.off_now(session, now=datetime.now(UTC))


@pytest.mark.parametrize("wrong", [HOUR, -HOUR], ids=["ahead", "behind"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_worker_whose_clock_is_off_claims_nothing_until_it_is_right_again(
    kind: str,
    wrong: timedelta,
    request: pytest.FixtureRequest,
    temporal_server: str,
    settings: Settings,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.data_dir.mkdir(parents=True)
    with empty_database(kind, request, settings.data_dir) as url:
        world = await make_world(temporal_server, url, settings)
        async with world.working(clock=clock):
            run_id = await world.start(open=True)
            before = await world.gateway.propose(run_id, action("before", "desk.note", text="x"), by=AGENT)
            assert before.status is ActionStatus.DONE
            clock.off = wrong
            found = (await world.eventually(lambda: off(world)))[0]
            assert abs(found.off_seconds) == pytest.approx(3600, abs=5)
            assert ("ahead of" if wrong > timedelta(0) else "behind") in found.fault
            proposing = asyncio.create_task(
                world.gateway.propose(run_id, action("during", "desk.note", text="y"), by=AGENT)
            )
            await asyncio.sleep(1.5)
            assert not proposing.done()
            assert world.desk.done == [f"{run_id}:before"]
            await _told_everywhere(world, found)
            clock.off = timedelta(0)
            assert (await proposing).status is ActionStatus.DONE
            assert world.desk.done == [f"{run_id}:before", f"{run_id}:during"]
            await world.eventually(lambda: not off(world))
        world.database.close()
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert any("claims nothing" in text for text in said)
    assert any("claims again" in text for text in said)


async def _told_everywhere(world: World, found: clocks.WorkerClock) -> None:
    part = (await Readiness(world.gateway, world.database).look())[CLOCKS]
    assert not part["ok"]
    assert found.fault in part["detail"]
    report = await asyncio.to_thread(examine, world.settings)
    assert any(found.fault in finding.found for finding in report.findings if not finding.ok)


async def test_a_worker_whose_clock_is_off_takes_nothing_back_until_it_is_right_again(
    temporal_server: str, settings: Settings, clock: Clock
) -> None:
    world = await make_world(temporal_server, settings.database_url, settings)
    async with world.working(clock=clock):
        run_id = await world.start(action("a", "desk.note", text="x"))
        await world.result(run_id)
        clock.off = HOUR
        await world.eventually(lambda: off(world))
        scope = RollbackScope(kind=RollbackScopeKind.RUN, id=run_id)
        begun = await world.gateway.rollback(scope, by=ANN, reason="It was wrong.")
        handle = world.client.get_workflow_handle(begun.id, result_type=RollbackResult)
        assert "This worker claims nothing: its clock is" in await _refusal(handle)
        assert world.desk.undone == []
        assert world.events(kind="undo.done") == []
        clock.off = timedelta(0)
        assert (await handle.result()).undone == 1
        assert world.desk.undone == [f"{run_id}:a#undo"]
    world.database.close()


async def _refusal(handle: WorkflowHandle[Any, Any]) -> str:
    """Why the activity that a workflow waits for is tried again."""
    while True:
        for waiting in (await handle.describe()).raw_description.pending_activities:
            if waiting.last_failure.message:
                return waiting.last_failure.message
        await asyncio.sleep(0.05)


async def test_a_clock_that_is_off_a_little_does_no_harm(
    temporal_server: str, settings: Settings, clock: Clock
) -> None:
    world = await make_world(temporal_server, settings.database_url, settings)
    clock.off = timedelta(seconds=2)
    async with world.working(clock=clock):
        run_id = await world.start(action("a", "desk.note", text="x"))
        assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE
    world.database.close()


async def test_one_look_sets_the_switch(temporal_server: str, settings: Settings, clock: Clock) -> None:
    """A worker looks before it takes its first task: nothing is claimed by a clock that nobody looked at."""
    world = await make_world(temporal_server, settings.database_url, settings)
    switch, prefix = ClaimSwitch(stale_seconds=30), world.settings.task_queue_prefix
    watch = ClockWatch(
        world.database, world.client, prefix=prefix, clock=clock, tolerance=timedelta(seconds=5), switch=switch
    )
    clock.off = HOUR
    await watch.look()
    with pytest.raises(ApplicationError, match=r"claims nothing: its clock is 3,[56]\d\d\.\d s ahead of the Temporal"):
        switch.check()
    clock.off = timedelta(0)
    await watch.look()
    switch.check()
    world.database.close()


async def test_the_temporal_server_says_what_time_it_is(temporal_server: str, settings: Settings) -> None:
    world = await make_world(temporal_server, settings.database_url, settings)
    for _ in range(3):
        before = datetime.now(UTC)
        theirs = await server_time(world.client, world.settings.task_queue_prefix)
        assert theirs is not None
        assert before - timedelta(seconds=0.1) <= theirs <= datetime.now(UTC) + timedelta(seconds=0.1)
    world.database.close()


async def test_without_any_other_clock_the_newest_event_tells_that_this_one_is_behind(
    temporal_server: str, settings: Settings, clock: Clock
) -> None:
    world = await make_world(temporal_server, settings.database_url, settings)
    watch = ClockWatch(
        world.database, None, prefix="x", clock=clock, tolerance=timedelta(seconds=5), switch=ClaimSwitch()
    )
    assert (await watch.compare()) == Comparison(0.0, "the newest event of the ledger")
    clock.off = -HOUR
    found = await watch.compare()
    assert found is not None
    assert "behind the newest event of the ledger" in found.fault(timedelta(seconds=5))
    world.database.close()


def test_a_clock_that_was_not_compared_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    switch = ClaimSwitch(stale_seconds=30)
    assert "not compared" in switch.fault
    switch.allow()
    assert switch.fault == ""
    now = time.monotonic()
    monkeypatch.setattr("assent_activities.deadman.time.monotonic", lambda: now + 31)
    assert "could not be compared" in switch.fault
    switch.allow()
    assert switch.fault == ""


async def test_the_health_check_stays_well_for_pages(temporal_server: str, settings: Settings) -> None:
    """A worker whose clock is off must not take the pages away from whoever has to see it."""
    world = await make_world(temporal_server, settings.database_url, settings)
    now = datetime.now(UTC)
    clocks.say(
        world.database,
        worker="1@here",
        off_seconds=60,
        against="x",
        fault="its clock is 60 s ahead",
        since=now,
        now=now,
    )
    parts = await Readiness(world.gateway, world.database).look()
    assert (parts["database"]["ok"], parts[CLOCKS]["ok"]) == (True, False)
    clocks.take_back(world.database, "1@here")
    assert off(world) == []
    world.database.close()


async def test_whoever_asks_the_server_can_be_cancelled_at_any_moment(temporal_server: str, settings: Settings) -> None:
    """Else a worker that ends right then would wait for ever."""
    world = await make_world(temporal_server, settings.database_url, settings)
    for moment in range(60):
        asking = asyncio.create_task(server_time(world.client, world.settings.task_queue_prefix))
        await asyncio.sleep(moment / 1000)
        if asking.cancel():
            with pytest.raises(asyncio.CancelledError):
                await asking
    world.database.close()

"""Drills on the command line, by REST, by the schedule, and past the death of their worker."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from assent.domain.drills import DrillStatus, DrillStep
from assent.domain.errors import Conflict, InvalidInput, NotFound
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.people import Role
from assent.runtime.drilling import keep_schedule
from assent.runtime.settings import Settings
from assent.store.queries import drills
from assent.store.queries.drills import DrillView
from tests.cli.conftest import Shell, shell
from tests.drills.conftest import DRILLED
from tests.site import ADDRESS, build
from tests.worker_process import start_worker
from tests.world import ANN, World, make_world

__all__ = ["shell"]


async def ended(world: World, drill_id: str) -> DrillView:
    def look() -> DrillView | None:
        with world.database.read() as session:
            found = drills.one(session, drill_id)
        return found if found.status is not DrillStatus.RUNNING else None

    return await world.eventually(look)


async def test_on_the_command_line(shell: Shell) -> None:
    shell.world.publish(DRILLED)
    held = await shell("drill", "run", "desk-clerk")
    assert held.code == 0, held.err
    assert "✓ It passed." in held.out
    for step in DrillStep:
        assert f"  {step.words} …" in held.err
    (listed,) = (await shell("drill", "list", "--json")).json["items"]
    assert (listed["agent"], listed["status"]) == ("desk-clerk", "passed")
    shown = (await shell("drill", "show", listed["id"], "--json")).json
    assert [step["step"] for step in shown["steps"]] == [step.value for step in DrillStep]
    assert (await shell("drill", "show", listed["id"])).code == 0
    (standing,) = (await shell("drill", "due", "--json")).json
    assert (standing["overdue"], standing["wrong"], standing["last_id"]) == (False, "", listed["id"])
    assert (await shell("drill", "run", "nobody")).code == 3
    assert (await shell("drill", "show", "drill-none")).code == 3
    assert (await shell("agent", "list", "--json")).json["items"][0]["name"] == "desk-clerk"
    assert (await shell("run", "list", "--json")).json["items"] == []
    assert (await shell("pause", "list", "--all", "--json")).json["items"] == []
    assert (await shell("verify")).code == 0


async def test_by_rest(world: World) -> None:
    site = build(world)
    ada, eve = site.person("Ada Admin", Role.OPERATOR), site.person("Vera Viewer", Role.APPROVER)
    async with site.browser(eve) as browser:
        csrf = (await browser.get(f"{ADDRESS}/api/v1/me")).json()["csrf"]
        refused = await browser.post(
            f"{ADDRESS}/api/v1/drills", json={"agent": "desk-clerk"}, headers={"X-CSRF-Token": csrf}
        )
        assert refused.status_code == 403
    async with site.browser(ada) as browser:
        csrf = (await browser.get(f"{ADDRESS}/api/v1/me")).json()["csrf"]
        begun = await browser.post(
            f"{ADDRESS}/api/v1/drills", json={"agent": "desk-clerk"}, headers={"X-CSRF-Token": csrf}
        )
        assert begun.status_code == 202
        here = begun.json()["drill"]
        assert (await browser.get(f"{ADDRESS}{here}")).json()["status"] == "running"
        twice = await browser.post(
            f"{ADDRESS}/api/v1/drills", json={"agent": "desk-clerk"}, headers={"X-CSRF-Token": csrf}
        )
        assert twice.status_code == 409
        await ended(world, begun.json()["drill_id"])
        found = (await browser.get(f"{ADDRESS}{here}")).json()
        assert (found["status"], found["figures"]["slipped"]) == ("passed", 0)
        (listed,) = (await browser.get(f"{ADDRESS}/api/v1/drills?agent=desk-clerk")).json()["items"]
        assert listed["id"] == found["id"]
        (due,) = (await browser.get(f"{ADDRESS}/api/v1/drills/due")).json()["items"]
        assert due["every_seconds"] == 30 * 86_400


async def test_what_a_drill_refuses(world: World) -> None:
    with pytest.raises(NotFound):
        await world.gateway.start_drill("nobody", by=ANN)
    with pytest.raises(InvalidInput, match="scratch agent"):
        await world.gateway.start_drill("drill-of-desk-clerk-01234567", by=ANN)
    await world.gateway.pause(Scope(kind=ScopeKind.EVERYTHING), by=ANN)
    with pytest.raises(Conflict, match="holds everything"):
        await world.gateway.start_drill("desk-clerk", by=ANN)


async def test_the_schedule_holds_what_is_due_once(world: World) -> None:
    prefix = world.settings.task_queue_prefix
    await keep_schedule(world.client, prefix, every=timedelta(minutes=30))
    await keep_schedule(world.client, prefix, every=timedelta(minutes=10))
    handle = world.client.get_schedule_handle(f"{prefix}-drills")
    found = await handle.describe()
    assert [each.every for each in found.schedule.spec.intervals] == [timedelta(minutes=10)]
    await handle.trigger()

    def first() -> DrillView | None:
        with world.database.read() as session:
            items = drills.page(session).items
        return items[0] if items else None

    begun = await world.eventually(first)
    done = await ended(world, begun.id)
    assert (done.scheduled, done.status, done.reasons) == (True, DrillStatus.PASSED, ())
    await handle.trigger()
    await asyncio.sleep(1)
    with world.database.read() as session:
        assert len(drills.page(session).items) == 1
    await keep_schedule(world.client, prefix, every=timedelta(0))
    await keep_schedule(world.client, prefix, every=timedelta(0))


@pytest_asyncio.fixture
async def killed(temporal_server: str, settings: Settings) -> AsyncIterator[World]:
    """A world whose workers are processes that a test kills."""
    world = await make_world(temporal_server, settings.database_url, settings)
    world.publish(DRILLED)
    yield world
    world.database.close()


@pytest.mark.parametrize("at", [DrillStep.START, DrillStep.PROVE, DrillStep.ROLL_BACK])
async def test_a_drill_goes_on_after_its_worker_was_killed(killed: World, tmp_path: Path, at: DrillStep) -> None:
    world, workers = killed, []
    workers.append(start_worker(world, tmp_path))
    try:
        drill_id = await world.gateway.start_drill("desk-clerk", by=ANN)

        def reached() -> bool:
            with world.database.read() as session:
                return any(each.step is at for each in drills.one(session, drill_id).steps)

        await world.eventually(reached)
        _kill(workers[0])
        workers.append(start_worker(world, tmp_path))
        drill = await ended(world, drill_id)
        assert drill.steps[-1].step is DrillStep.CLEAN_UP
        assert drill.figures.slipped in (0, None)
        assert drill.figures.left in (0, None)
        # A worker's death in the middle may cost a drill its time; it never costs it the truth or its tidiness.
        assert drill.status is DrillStatus.PASSED or drill.reasons
        with world.database.read() as session:
            from assent.store.drills import open_runs, pause_over

            assert (open_runs(session, drill.scratch), pause_over(session, drill.scratch)) == ([], "")
    finally:
        for worker in workers:
            _kill(worker)


def _kill(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.wait()

"""With the database out of reach no claim succeeds; when it is back, everything goes on, once."""

from __future__ import annotations

import asyncio
import signal
import threading
from pathlib import Path

import pytest

from assent.domain.actions import ActionStatus
from assent.domain.errors import Unavailable
from assent.domain.pauses import Scope, ScopeKind
from assent.runtime.settings import Settings
from assent.store.tables import EffectRow
from assent_activities.connectors import Call
from tests.deadman.trouble import OwnPostgres
from tests.world import ANN, World, action, make_world

RUNS = 5


async def begun(world: World) -> list[str]:
    """Runs with a chain of notes each, which have all begun."""
    plan = [
        action(f"n{place}", "desk.note", text=str(place)).model_copy(
            update={"after": [f"n{place - 1}"] if place else []}
        )
        for place in range(40)
    ]
    world.desk.trouble = _slowly
    runs = [await world.start(*plan) for _ in range(RUNS)]
    await world.eventually(lambda: len(world.desk.done) >= 2 * RUNS)
    return runs


def _slowly(call: Call) -> None:
    threading.Event().wait(0.02)


async def finished(world: World, runs: list[str]) -> None:
    """Every run ends, with every effect done exactly once."""
    for run_id in runs:
        await world.result(run_id)
    assert len(world.desk.done) == len(set(world.desk.done)) == 40 * RUNS


@pytest.mark.postgres
@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGINT], ids=["crash", "shutdown"])
async def test_postgresql_stopped_midway(
    how: signal.Signals, temporal_server: str, settings: Settings, own_postgres: OwnPostgres
) -> None:
    world = await make_world(temporal_server, own_postgres.url, settings)
    # A call that is under way when the server stops has claimed before; whoever begins later must not.
    calls: list[str] = []

    def note(call: Call) -> None:
        threading.Event().wait(0.02)
        calls.append(call.key)

    async with world.working():
        runs = await begun(world)
        world.desk.trouble = note
        own_postgres.stop(how)
        await asyncio.sleep(0.2)
        seen = len(calls)
        await asyncio.sleep(2)
        assert len(calls) == seen
        with pytest.raises(Unavailable):
            await world.gateway.pause(Scope(kind=ScopeKind.EVERYTHING), by=ANN)
        own_postgres.start()
        await finished(world, runs)
    world.database.close()


async def test_sqlite_unreadable(temporal_server: str, settings: Settings) -> None:
    world = await make_world(temporal_server, settings.database_url, settings)
    async with world.working():
        runs = await begun(world)
        hidden = hide(world)
        await asyncio.sleep(0.3)
        seen = len(world.desk.done)
        await asyncio.sleep(2)
        assert len(world.desk.done) == seen
        with pytest.raises(Unavailable):
            await world.gateway.pause(Scope(kind=ScopeKind.EVERYTHING), by=ANN)
        give_back(world, hidden)
        await finished(world, runs)
    world.database.close()


async def test_a_worker_that_starts_without_its_database_waits_for_it(temporal_server: str, settings: Settings) -> None:
    world = await make_world(temporal_server, settings.database_url, settings)
    run_id = await world.start(action("a", "desk.note", text="x"))
    hidden = hide(world)
    async with world.working():
        await asyncio.sleep(1)
        assert world.desk.done == []
        give_back(world, hidden)
        assert (await world.outcome(run_id, "a")).status is ActionStatus.DONE
        assert world.row(EffectRow, f"{run_id}:a").attempts == 1
    world.database.close()


def hide(world: World) -> list[tuple[Path, Path]]:
    """Take the file away; what is open is closed first, as when the disk goes."""
    world.database.engine.dispose()
    file = Path(str(world.database.url.database))
    moved = [(path, path.with_name(f"away-{path.name}")) for path in file.parent.glob(f"{file.name}*")]
    for path, to in moved:
        path.rename(to)
    file.mkdir()
    return moved


def give_back(world: World, hidden: list[tuple[Path, Path]]) -> None:
    Path(str(world.database.url.database)).rmdir()
    for path, to in hidden:
        to.rename(path)

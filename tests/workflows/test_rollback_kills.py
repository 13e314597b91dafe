"""The worker is killed while it plans and undoes: no effect is undone twice, none is forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio

from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackStatus
from assent.runtime.settings import Settings
from assent.runtime.verify import verify
from assent.store.queries import rollbacks
from tests.workflows.rollback_acts import begin, ended
from tests.workflows.test_crashes import worker_revived
from tests.world import World, action, make_world

RUNS, EACH = 20, 4
KILLS_AT = (5, 40)
"""Undone effects after which the worker is killed."""


@pytest_asyncio.fixture
async def world(temporal_server: str, settings: Settings) -> AsyncIterator[World]:
    """A world without a worker."""
    world = await make_world(temporal_server, settings.database_url, settings)
    yield world
    world.database.close()


async def test_a_rollback_survives_kill_9(world: World, tmp_path: Path) -> None:
    undone = tmp_path / "undone"
    start = datetime.now(UTC)

    def lines() -> list[str]:
        return undone.read_text().split() if undone.exists() else []

    def kill_at(deaths: int) -> bool:
        return deaths < len(KILLS_AT) and len(lines()) >= KILLS_AT[deaths]

    async with worker_revived(world, tmp_path, kill_at=kill_at) as deaths:
        runs = []
        for _ in range(RUNS):
            runs.append(await world.start(*(action(f"n{n}", "desk.note", text="x") for n in range(EACH))))
        for run_id in runs:
            await world.result(run_id)
        scope = RollbackScope(kind=RollbackScopeKind.AGENT, id="desk-clerk", since=start)
        begun = await begin(world, scope)
        result = await ended(world, begun.id)
    assert len(deaths) == len(KILLS_AT)
    assert (result.status, result.undone, result.left) == (RollbackStatus.DONE, RUNS * EACH, 0)
    assert sorted(lines()) == sorted(f"{run_id}:n{n}#undo" for run_id in runs for n in range(EACH))
    with world.database.read() as session:
        assert rollbacks.header(session, begun.id).counts.undone == RUNS * EACH
    for run_id in runs:
        for n in range(EACH):
            assert world.events(action_id=f"{run_id}:n{n}").count("undo.done") == 1
    report = await verify(world.database, world.client, lambda step: None)
    assert report.faults == []

"""A world with a worker, in which drills can be held."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from assent.runtime.settings import Settings
from tests.databases import KINDS, empty_database
from tests.desk import CARD
from tests.world import World, make_world

DRILLED = f"{CARD}\ndrills:\n  every: 30d\n  runs: 2\n"


@pytest_asyncio.fixture
async def world(temporal_server: str, settings: Settings) -> AsyncIterator[World]:
    """A worker runs, and the desk clerk's card asks for drills."""
    world = await make_world(temporal_server, settings.database_url, settings)
    world.publish(DRILLED)
    async with world.working():
        yield world
    world.database.close()


@pytest_asyncio.fixture(params=KINDS)
async def each_world(request: pytest.FixtureRequest, temporal_server: str, settings: Settings) -> AsyncIterator[World]:
    """The same on each kind of database."""
    with empty_database(request.param, request, settings.data_dir) as url:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        world = await make_world(temporal_server, url, settings)
        world.publish(DRILLED)
        async with world.working():
            yield world
        world.database.close()

"""A stage on each database, and a world, for effects that nobody knows about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from assent.runtime.settings import Settings
from assent.store.database import Database
from tests.activities.stage import Stage
from tests.databases import KINDS, migrated_database
from tests.world import World, make_world


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind."""
    with migrated_database(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def stage(database: Database) -> Stage:
    """Everything furnished."""
    return Stage(database)


@pytest_asyncio.fixture
async def world(temporal_server: str, settings: Settings) -> AsyncIterator[World]:
    """A worker runs; everything is there."""
    world = await make_world(temporal_server, settings.database_url, settings)
    async with world.working():
        yield world
    world.database.close()

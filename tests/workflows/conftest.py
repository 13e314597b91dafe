"""A world for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from assent.runtime.settings import Settings
from tests.world import World, make_world


@pytest_asyncio.fixture
async def world(temporal_server: str, settings: Settings) -> AsyncIterator[World]:
    """A worker runs; everything is there."""
    world = await make_world(temporal_server, settings.database_url, settings)
    async with world.working():
        yield world
    world.database.close()

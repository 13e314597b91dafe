"""The API of a whole product, for clients."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from assent.runtime.settings import Settings
from tests.api.api import Api
from tests.site import build
from tests.world import make_world


@pytest_asyncio.fixture
async def api(temporal_server: str, settings: Settings) -> AsyncIterator[Api]:
    """The API, with a worker behind it."""
    world = await make_world(temporal_server, settings.database_url, settings)
    async with world.working():
        yield Api(build(world))
    world.database.close()

"""A site for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from assent.domain.people import Role
from assent.runtime.settings import Settings
from assent.store.people import Person
from tests.site import Site, build
from tests.world import make_world


@pytest_asyncio.fixture
async def site(temporal_server: str, settings: Settings) -> AsyncIterator[Site]:
    """The pages, with a worker behind them."""
    world = await make_world(temporal_server, settings.database_url, settings)
    async with world.working():
        yield build(world)
    world.database.close()


@pytest_asyncio.fixture
async def ada(site: Site) -> Person:
    """Somebody who may do everything."""
    return site.person("Ada Admin", Role.ADMIN)

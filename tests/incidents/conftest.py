"""The product with its pages, on a database of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from assent.domain.people import Role
from assent.runtime.settings import Settings
from assent.store.people import Person
from tests.databases import KINDS, empty_database
from tests.site import Site, build
from tests.world import make_world


@pytest_asyncio.fixture(params=KINDS)
async def site(
    request: pytest.FixtureRequest, temporal_server: str, settings: Settings, tmp_path: Path
) -> AsyncIterator[Site]:
    """The pages, with a worker behind them."""
    with empty_database(request.param, request, tmp_path) as url:
        world = await make_world(temporal_server, url, settings)
        async with world.working():
            yield build(world)
        world.database.close()


@pytest_asyncio.fixture
async def olga(site: Site) -> Person:
    """An operator."""
    return site.person("Olga Operator", Role.OPERATOR)

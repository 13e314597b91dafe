"""The API over a whole product, with agents' keys and people's sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest_asyncio

from assent.domain.people import SYSTEM, Role
from assent.gateway import Gateway
from assent.runtime.settings import Settings
from assent.store import people
from assent.store.database import Database
from assent.store.sign_in import SignIn
from assent_ui.app import create_app
from tests.api.api import Api
from tests.databases import prepare
from tests.site import ADDRESS, KEY, build
from tests.world import make_world


@pytest_asyncio.fixture
async def api(temporal_server: str, settings: Settings) -> AsyncIterator[Api]:
    """The API, with a worker behind it."""
    world = await make_world(temporal_server, settings.database_url, settings)
    async with world.working():
        yield Api(build(world))
    world.database.close()


@pytest_asyncio.fixture
async def still(temporal_server: str, settings: Settings) -> AsyncIterator[Api]:
    """The API without a worker: quicker, for what never gets as far as a run."""
    world = await make_world(temporal_server, settings.database_url, settings)
    yield Api(build(world))
    world.database.close()


@pytest_asyncio.fixture
async def quiet(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in administrator of an installation without Temporal."""
    database = Database(settings.database_url)
    prepare(database)
    at = datetime.now(UTC)
    with database.write() as session:
        ada = people.add(session, email="ada@example.com", roles=tuple(Role), at=at)
        token = SignIn(KEY).make_link(session, ada, at=at, by=SYSTEM)
    app = create_app(Gateway(None, database), database, public_url=ADDRESS, secret_key=KEY)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"{ADDRESS}/api/v1") as client:
        await client.post(f"{ADDRESS}/sign-in", data={"token": token})
        client.headers["X-CSRF-Token"] = (await client.get("/me")).json()["csrf"]
        yield client
    database.close()

"""A real browser in front of the whole product."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from assent.domain.people import Role
from assent.runtime.settings import Settings
from assent.store.people import Person
from tests.optional import missing
from tests.site import Site, build
from tests.world import make_world

PATIENCE = 60_000
"""Milliseconds that something may take to appear: far more than it needs, for busy machines."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@dataclass
class Desktop:
    """Somebody's browser windows, on pages that must not complain."""

    site: Site
    browser: Browser
    address: str
    complaints: list[str] = field(default_factory=list)

    async def open(self, person: Person, path: str = "/", **options: Any) -> Page:
        """A window of its own, signed in through a one-time link, on a page."""
        context = await self.browser.new_context(base_url=self.address, reduced_motion="reduce", **options)
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(f"/sign-in?token={self.site.link(person)}")
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url("**/")
        if path != "/":
            await page.goto(path)
        return page

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where Chromium is; without it these tests are skipped, or fail where everything is demanded."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    missing("Chromium")


@pytest_asyncio.fixture
async def desktop(chromium_path: str, temporal_server: str, settings: Settings) -> AsyncIterator[Desktop]:
    """The product, served, and a browser."""
    world = await make_world(temporal_server, settings.database_url, settings)
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    site = build(world, public_url=address)
    async with world.working(), _served(site, listener), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        desktop = Desktop(site, browser, address)
        yield desktop
        await browser.close()
    world.database.close()
    assert not desktop.complaints


@pytest_asyncio.fixture
async def ada(desktop: Desktop) -> Person:
    """Somebody who may do everything."""
    return desktop.site.person("Ada Admin", Role.ADMIN)


@contextlib.asynccontextmanager
async def _served(site: Site, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(site.app, log_level="warning", ws="none", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await serving

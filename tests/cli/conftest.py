"""The command line over a whole product."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from assent.cli import run
from assent.runtime.settings import Settings
from tests.world import World, make_world


@dataclass
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass
class Shell:
    """Somebody at the console of an installation."""

    world: World
    captured: pytest.CaptureFixture[str]

    async def __call__(self, *arguments: str) -> Ended:
        """Type a command."""
        self.captured.readouterr()
        code = await asyncio.to_thread(run, arguments)
        shown = self.captured.readouterr()
        return Ended(code, shown.out, shown.err)


@pytest_asyncio.fixture
async def shell(
    temporal_server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Shell]:
    """A console, with a worker behind it."""
    world = await make_world(temporal_server, settings.database_url, settings)
    for name, value in world.settings.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ASSENT_CONNECTORS", "tests.cli.connector:desk")
    async with world.working():
        yield Shell(world, capsys)
    world.database.close()

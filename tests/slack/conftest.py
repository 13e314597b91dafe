"""A fake Slack and the real app, for each test anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from assent.store.database import Database
from tests.databases import prepare
from tests.slack.fake_slack import FakeSlack
from tests.slack.office import Office, make_office


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is on this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'assent.db'}")
    prepare(made)
    yield made
    made.close()


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack().running() as running:
        yield running


@pytest_asyncio.fixture
async def office(slack: FakeSlack, database: Database) -> AsyncIterator[Office]:
    """The app in HTTP mode."""
    async with make_office(slack, database, way="http") as made:
        yield made


@pytest_asyncio.fixture(params=["http", "socket"])
async def hurried(request: pytest.FixtureRequest, slack: FakeSlack, database: Database) -> AsyncIterator[Office]:
    """The app in both modes, with little patience before it acknowledges an edit."""
    async with make_office(slack, database, way=request.param, patience_seconds=0.3) as made:
        yield made


@pytest_asyncio.fixture(params=["http", "socket"])
async def either(request: pytest.FixtureRequest, slack: FakeSlack, database: Database) -> AsyncIterator[Office]:
    """The app in HTTP mode and in Socket Mode."""
    async with make_office(slack, database, way=request.param) as made:
        yield made

"""A bureau and a mail server for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.identity.house import House, build
from tests.reaching.bureau import Bureau
from tests.reaching.mail_host import MailHost, mail_host


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The web pages, without Temporal."""
    made = build(tmp_path / "assent.db")
    yield made
    made.database.close()


@pytest.fixture
def bureau(house: House) -> Bureau:
    """Requests in the same database."""
    return Bureau(house.database, house.clock)


@pytest_asyncio.fixture
async def host() -> AsyncIterator[MailHost]:
    """A mail server."""
    async with mail_host() as listening:
        yield listening

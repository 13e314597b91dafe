"""A stage on each database, with people in groups and a card that lets some of them grant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.store.database import Database
from tests.databases import KINDS, migrated_database
from tests.grants.bureau import Bureau


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind."""
    with migrated_database(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def bureau(database: Database) -> Bureau:
    """Everything furnished."""
    return Bureau(database)

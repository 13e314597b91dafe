"""A database of its own for each test: SQLite always, PostgreSQL where one is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assent_activities.connectors.sql_rows import RowDatabase, RowStore
from tests.connectors.rows_sample import create_accounts, tables
from tests.databases import KINDS, empty_database


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database."""
    with empty_database(request.param, request, tmp_path) as url:
        yield url


@pytest.fixture
def store(database_url: str) -> Iterator[RowStore]:
    """Accounts and entries of a small bank, with three accounts in it."""
    database = RowDatabase(database_url)
    create_accounts(database.engine)
    store = RowStore("bank", database, tables, volatile={"accounts": frozenset({"touched"})})
    yield store
    store.close()

"""A database of its own for each test: SQLite always, PostgreSQL where one is at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from assent_activities.connectors.sql_rows import RowDatabase, RowStore
from tests.connectors.rows_sample import create_accounts, tables


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'rows.db'}"
        return
    server = os.environ.get("ASSENT_TEST_POSTGRES_URL")
    if not server:
        try:
            server = request.getfixturevalue("postgres_url")
        except pytest.FixtureLookupError:
            pytest.skip("ASSENT_TEST_POSTGRES_URL names no PostgreSQL server")
    name = f"rows_{uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def store(database_url: str) -> Iterator[RowStore]:
    """Accounts and entries of a small bank, with three accounts in it."""
    database = RowDatabase(database_url)
    create_accounts(database.engine)
    store = RowStore("bank", database, tables, volatile={"accounts": frozenset({"touched"})})
    yield store
    store.close()

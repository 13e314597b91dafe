"""An empty database of each kind for a test: SQLite always, PostgreSQL where one is at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
"""Parameters of a fixture that gives each kind."""


@contextmanager
def empty_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """URL of an empty database that goes away afterwards; the test is skipped where there is no such server."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'assent.db'}"
        return
    server = os.environ.get("ASSENT_TEST_POSTGRES_URL")
    if not server:
        try:
            server = request.getfixturevalue("postgres_url")
        except pytest.FixtureLookupError:
            pytest.skip("ASSENT_TEST_POSTGRES_URL names no PostgreSQL server")
    name = f"assent_{uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()

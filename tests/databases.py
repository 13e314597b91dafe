"""A database of each kind for a test, empty or migrated: SQLite always, PostgreSQL where one is at hand.

Running every migration takes half a second, and thousands of tests want its result: it is made once and copied.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from assent.store.database import Database
from assent.store.migrate import current_revision, migrate, newest_revision

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
"""Parameters of a fixture that gives each kind."""


@contextmanager
def empty_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """URL of an empty database that goes away afterwards; the test is skipped where there is no such server."""
    with _database(kind, request, folder) as url:
        yield url


@contextmanager
def migrated_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """A database with every table that goes away afterwards; the test is skipped where there is no such server."""
    with _database(kind, request, folder, template=_postgres_template) as url:
        database = Database(url)
        prepare(database)
        yield database
        database.close()


def prepare(database: Database) -> None:
    """Bring a database to the newest revision, the quickest way there is."""
    if database.sqlite and database.url.database:
        path = Path(database.url.database)
        if not path.exists() or path.stat().st_size == 0:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(_sqlite_template())
            return
    if current_revision(database) != _newest():
        migrate(database)


@contextmanager
def _database(
    kind: str, request: pytest.FixtureRequest, folder: Path, *, template: Callable[[str], str] | None = None
) -> Iterator[str]:
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
    _administer(server, f"CREATE DATABASE {name}" + (f" TEMPLATE {template(server)}" if template else ""))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(server: str, statement: str) -> None:
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(statement))
    admin.dispose()


@cache
def _newest() -> str:
    return newest_revision()


@cache
def _sqlite_template() -> bytes:
    """The file of an empty database with every table."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        database = Database(f"sqlite:///{path}")
        migrate(database)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        return path.read_bytes()


@cache
def _postgres_template(server: str) -> str:
    """Name of an empty database with every table on this server."""
    name = f"assent_template_{uuid4().hex[:12]}"
    _administer(server, f"CREATE DATABASE {name}")
    database = Database(make_url(server).set(database=name).render_as_string(hide_password=False))
    migrate(database)
    database.close()
    return name

"""The database: reachable, its tables at the version of this code, its clock not far from ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, func, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from assent.runtime.doctor.clock import look_at_workers
from assent.runtime.doctor.report import Finding
from assent.runtime.settings import Settings
from assent.store.migrate import newest_revision

CONNECT_TIMEOUT_SECONDS = 5
MOST_SKEW_SECONDS = 2.0
"""Deadlines and leases compare times of several machines; more skew than this would be seen by people."""


def look_at_database(settings: Settings) -> Iterator[Finding]:
    """Say which database would be used and whether it is ready."""
    label = settings.database_label
    try:
        url = make_url(settings.database_url)
        if is_missing_file(settings.database_url):
            yield Finding(part="database", ok=True, found=f"{label} is not there yet; the first start makes it.")
        elif url.get_backend_name() == "sqlite":
            yield from _look_inside(settings, label, {})
        else:
            yield from _look_inside(settings, label, {"connect_timeout": CONNECT_TIMEOUT_SECONDS})
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        yield _wrong(
            f"{label} is no database URL that can be used here.",
            "Write sqlite:///FILE, or postgresql+psycopg://USER:PASSWORD@HOST/NAME with assent[postgres] installed.",
        )


def is_missing_file(database_url: str) -> bool:
    """Whether the database is a file that the first start would make."""
    url = make_url(database_url)
    return url.get_backend_name() == "sqlite" and bool(url.database) and not Path(str(url.database)).exists()


def _look_inside(settings: Settings, label: str, options: dict[str, int]) -> Iterator[Finding]:
    engine = create_engine(settings.database_url, connect_args=options)
    try:
        with engine.connect() as connection:
            yield Finding(part="database", ok=True, found=f"{label} answers ({connection.dialect.name}).")
            tables = list(_look_at_tables(connection))
            yield from tables
            yield _look_at_clock(connection)
            if all(finding.ok for finding in tables):
                yield from look_at_workers(connection)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        yield _wrong(f"{label} cannot be reached: {reason}.", "Check that it runs, and the address, user and password.")
    finally:
        engine.dispose()


def _look_at_tables(connection: Connection) -> Iterator[Finding]:
    wanted = newest_revision()
    current = MigrationContext.configure(connection).get_current_revision()
    if current == wanted:
        yield Finding(part="database", ok=True, found=f"Its tables are current (revision {current}).")
    elif current is None:
        yield _wrong("It has no tables of Assent yet.", "Run: assent db upgrade (`assent up` does it by itself).")
    else:
        yield _wrong(
            f"Its tables are at revision {current}; this code wants {wanted}.",
            "Run: assent db upgrade. If the tables are newer, run a newer Assent.",
        )


def _look_at_clock(connection: Connection) -> Finding:
    if connection.dialect.name == "sqlite":
        return Finding(part="clock", ok=True, found="The database is a file and has no clock of its own.")
    before = datetime.now(UTC)
    theirs = connection.execute(select(func.clock_timestamp())).scalar_one()
    after = datetime.now(UTC)
    skew = abs((theirs - (before + (after - before) / 2)).total_seconds())
    ok = skew <= MOST_SKEW_SECONDS + (after - before).total_seconds()
    return Finding(
        part="clock",
        ok=ok,
        found=f"This machine's clock and the database's differ by {skew:.1f} s.",
        todo="" if ok else "Synchronise both with NTP: deadlines and leases depend on them.",
    )


def _wrong(found: str, todo: str) -> Finding:
    return Finding(part="database", ok=False, found=found, todo=todo)

"""Bring the database's schema up to date, once, whoever comes first."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import InterfaceError, OperationalError

from assent.domain.errors import Conflict, Unavailable
from assent.store.database import Database

_LOCK = 0x4153_4D49_4752
_FOLDER = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def newest_revision() -> str:
    """The revision this version of Assent needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def current_revision(database: Database) -> str | None:
    """The revision the database is at; ``None`` if it is empty.

    Raises:
        Unavailable: The database cannot be reached.
    """
    with _connected(database) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database) -> tuple[str | None, str]:
    """Run every migration that is missing, in one transaction; processes that start together wait for each other.

    Returns:
        The revision before and after.

    Raises:
        Conflict: The database belongs to a newer version of Assent.
        Unavailable: The database cannot be reached.
    """
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    with _connected(database, writing=True) as connection, connection.begin():
        if not database.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": _LOCK})
        before = MigrationContext.configure(connection).get_current_revision()
        if before is not None and before not in known:
            raise Conflict(
                f"The database is at revision {before}, which this version of Assent does not know.",
                where="database",
                todo="Install the newer version again; nothing was changed.",
            )
        logging.getLogger("alembic").setLevel(logging.WARNING)
        command.upgrade(_config(connection), "head")
    return before, newest_revision()


def _connected(database: Database, *, writing: bool = False) -> Connection:
    try:
        engine = database.writing_engine if writing else database.engine
        return engine.connect()
    except (OperationalError, InterfaceError) as error:
        reason = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
        raise Unavailable(
            f"The database cannot be reached: {reason}.", where="database", todo="See `assent doctor`."
        ) from error

"""The connection to the database that holds the rows, and what its errors mean to the effect protocol."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    StatementError,
)
from sqlalchemy.exc import (
    TimeoutError as PoolTimeout,
)

from assent_activities.connectors.contract import ActionFailed, ConnectorUnavailable

SQLITE_BUSY_MS = 30_000
"""How long a SQLite connection waits for another process's write lock."""
LOCK_TIMEOUT_MS = 15_000
"""How long a PostgreSQL transaction waits for a row that somebody else holds."""
CONNECT_TIMEOUT_S = 5
"""How long PostgreSQL may take to accept a connection."""

_WRITES = "assent_rows_writes"
_TRANSIENT = {"40001", "40P01"}
"""SQLSTATE of a serialization failure and of a deadlock: the transaction was rolled back, repeating it helps."""


class Contended(ConnectorUnavailable):
    """The database rolled the transaction back because of another one; it can be repeated at once."""


class OutcomeUnknown(Exception):
    """The connection broke while the transaction was committing. The journal knows, once it can be asked again."""


class RowDatabase:
    """One database, SQLite or PostgreSQL, safe for several threads.

    Args:
        url: SQLAlchemy URL, ``sqlite:///path`` or ``postgresql+psycopg://…``.
        pool_size: Connections kept open, and twice as many at most.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._postgres = self.url.get_backend_name() == "postgresql"
        if not self.sqlite and not self._postgres:
            raise ValueError(f"Rows live in SQLite or PostgreSQL, not in {self.url.get_backend_name()}.")
        options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": pool_size}
        if self.sqlite:
            if self.url.database in (None, "", ":memory:"):
                raise ValueError("Rows in memory would be another database for each thread; name a file.")
            Path(str(self.url.database)).parent.mkdir(parents=True, exist_ok=True)
            options["connect_args"] = {"timeout": SQLITE_BUSY_MS / 1000}
        else:
            options |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": CONNECT_TIMEOUT_S}}
        self.engine: Engine = create_engine(self.url, **options)
        if self.sqlite:
            event.listen(self.engine, "connect", _tune_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = self.engine.execution_options(**{_WRITES: True})
        self._writer = threading.Lock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that changes nothing.

        Raises:
            ConnectorUnavailable: The database cannot be reached.
        """
        with _translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block and rolls back on any error.

        On SQLite it takes the write lock at once (``BEGIN IMMEDIATE``), so that what it reads stays true until it
        commits; threads of one process queue for it fairly instead of polling.

        Raises:
            ActionFailed: A constraint or a value was refused; nothing was changed.
            ConnectorUnavailable: The database cannot be reached; nothing was changed.
            OutcomeUnknown: The connection broke during the commit.
        """
        queue = self._writer if self.sqlite else contextlib.nullcontext()
        with queue, _translated(), self._writing.connect() as connection:
            transaction = connection.begin()
            try:
                if self._postgres:
                    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
                yield connection
            except BaseException:
                with contextlib.suppress(DBAPIError):
                    transaction.rollback()
                raise
            try:
                transaction.commit()
            except (OperationalError, InterfaceError) as error:
                if _sqlstate(error) in _TRANSIENT:
                    raise
                raise OutcomeUnknown(f"The database went away during the commit: {first_line(error)}.") from error

    @contextlib.contextmanager
    def discarding(self) -> Iterator[Connection]:
        """A transaction that is rolled back at the end of the block, whatever happens in it.

        Raises:
            ConnectorUnavailable: The database cannot be reached.
        """
        queue = self._writer if self.sqlite else contextlib.nullcontext()
        with queue, _translated(), self._writing.connect() as connection:
            transaction = connection.begin()
            try:
                if self._postgres:
                    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
                yield connection
            finally:
                with contextlib.suppress(DBAPIError):
                    transaction.rollback()

    @staticmethod
    def translated() -> contextlib.AbstractContextManager[None]:
        """Turns errors of the database into those of the contract."""
        return _translated()

    def lock_key(self, connection: Connection, key: str) -> None:
        """Exclude other transactions with the same key until this one ends; SQLite's write lock already does."""
        if self._postgres:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def first_line(error: BaseException) -> str:
    """The database's own words, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0].rstrip(".") if str(cause).strip() else type(cause).__name__


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (IntegrityError, DataError) as error:
        raise ActionFailed(f"The database refused it: {first_line(error)}.") from error
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        kind = Contended if _sqlstate(error) in _TRANSIENT else ConnectorUnavailable
        raise kind(f"The database does not answer: {first_line(error)}. Nothing was changed.") from error
    except DBAPIError:
        raise
    except StatementError as error:
        raise ActionFailed(f"The database cannot store this value: {first_line(error)}.") from error


def _sqlstate(error: BaseException) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def _tune_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

"""The connection to the database: short transactions, and writers that exclude each other where they must."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from assent.domain.errors import Unavailable
from assent.store.together import Writers
from assent.store.turns import Turns

log = logging.getLogger(__name__)

SQLITE_BUSY_MS = 30_000
"""How long a SQLite connection waits for another process's write lock."""

_WRITES = "assent_writes"

_T = TypeVar("_T")


class Database:
    """One database, SQLite or PostgreSQL.

    Args:
        url: SQLAlchemy URL, ``sqlite:///path`` or ``postgresql+psycopg://…``.
        pool_size: Connections kept open for PostgreSQL, and twice as many at most.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": pool_size}
        file = _file_of(self.url)
        if self.sqlite:
            if file:
                _make_private(file)
            options |= {"pool_size": 40, "max_overflow": 40, "pool_use_lifo": True}
            options |= {"connect_args": {"timeout": SQLITE_BUSY_MS / 1000}}
        else:
            options |= {"pool_pre_ping": True}
        self.engine: Engine = create_engine(self.url, **options)
        if self.sqlite:
            event.listen(self.engine, "connect", _tune_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            event.listen(self.engine, "connect", _tune_postgres)
        self.writing_engine = self.engine.execution_options(**{_WRITES: True})
        self._writers = Writers(self.writing_engine, Turns(file)) if self.sqlite else None

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading.

        Raises:
            Unavailable: The database cannot be reached.
        """
        with _translated(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block and rolls back on any error.

        On SQLite it takes the write lock at once (``BEGIN IMMEDIATE``), so that what it reads stays true until it
        commits; threads of one process queue for it fairly instead of polling. Blocks do not nest.

        Raises:
            Unavailable: The database cannot be reached.
        """
        with _translated(), self._writers.alone() if self._writers else self._transaction() as session:
            yield session

    def together(self, work: Callable[[Session], _T]) -> _T:
        """Run a transaction like those of :meth:`write`, one of the many short ones of actions.

        On SQLite it may share its commit, and returns when that is on the disk. Until then others that share it see
        what this one wrote, so nothing that it reads may be remembered beyond what it writes.

        Args:
            work: What the transaction does, perhaps in another thread. It begins no other.

        Raises:
            Unavailable: The database cannot be reached, or could not keep it.
        """
        with _translated():
            if self._writers:
                return self._writers.together(work)
            with self._transaction() as session:
                return work(session)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Session]:
        with Session(self.writing_engine, expire_on_commit=False) as session, session.begin():
            yield session

    def lock_shared(self, session: Session, name: int) -> None:
        """Hold a named lock together with others until the transaction ends; SQLite's write lock already excludes."""
        if not self.sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock_shared(:name)"), {"name": name})

    def lock_alone(self, session: Session, name: int) -> None:
        """Hold a named lock alone until the transaction ends; SQLite's write lock already excludes."""
        lock_alone(session, name)

    def close(self) -> None:
        """Give back all connections."""
        if self._writers:
            self._writers.close()
        self.engine.dispose()


def lock_alone(session: Session, name: int) -> None:
    """Hold a named lock alone until the transaction ends, where only the session is at hand."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": name})


def _file_of(url: URL) -> Path | None:
    """The file of a SQLite database that has one."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":memory:", "file:")):
        return None
    return Path(url.database)


def _make_private(path: Path) -> None:
    """Make a new SQLite file that only this user can read; its companions take over its mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(OSError):
        # An existing file must not be opened here: closing it would drop the locks of every connection that this
        # process has to it (POSIX), and others could take its log away. What cannot be made is told by the first
        # connection.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        # What the driver says names hosts and users: it is for the log and for `assent doctor`, not for a page.
        log.warning("The database does not answer: %s", _first_line(error))
        raise Unavailable(
            "The database does not answer.",
            where="database",
            todo="Nothing was changed. See `assent doctor`; trying again is safe.",
        ) from error


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0] if error.orig and str(error.orig).strip() else type(error).__name__


def _tune_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MS}")
    cursor.close()


def _tune_postgres(connection: Any, _: ConnectionPoolEntry) -> None:
    """Write the NUL character, which PostgreSQL refuses in any text, as its visible picture."""
    from psycopg.types.string import StrDumper

    class VisibleNul(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "␀"))

    connection.adapters.register_dumper(str, VisibleNul)


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

"""Rehearsals: work on real rows in one transaction that is taken back, so that nothing stays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy import Connection

from assent_activities.connectors.sql_rows.database import RowDatabase
from assent_activities.connectors.sql_rows.store import RowStore


class RehearsedDatabase(RowDatabase):
    """A database as one transaction sees it: each transaction in it is a savepoint, and none is ever committed.

    Args:
        database: The database itself.
        connection: With the transaction that is taken back in the end.
    """

    def __init__(self, database: RowDatabase, connection: Connection) -> None:
        # Not the initialiser of a database of its own: that would open connections.
        self.url, self.sqlite, self.engine = database.url, database.sqlite, database.engine
        self._connection = connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """What the transaction sees now."""
        yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A savepoint that is released at the end of the block and rolled back on any error."""
        with RowDatabase.translated(), self._connection.begin_nested():
            yield self._connection

    def lock_key(self, connection: Connection, key: str) -> None:
        """Nobody else knows the keys of a rehearsal."""

    def close(self) -> None:
        """The connection belongs to the database."""


@contextlib.contextmanager
def rehearsed(store: RowStore) -> Iterator[RowStore]:
    """A store on the same rows whose every change is gone when the block ends.

    It holds the locks of what it changes for as long as the block takes; on SQLite nobody else writes meanwhile.

    Raises:
        ConnectorUnavailable: The database cannot be reached.
    """
    store.prepare()
    with store.database.discarding() as connection:
        yield store.on(RehearsedDatabase(store.database, connection))

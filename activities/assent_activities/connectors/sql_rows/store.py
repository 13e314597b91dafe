"""Exactly-once work on rows: performed, looked up and taken back by key."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy import Table, select

from assent.domain.canonical import Json
from assent.domain.effects import Performed, ResourceChange
from assent_activities.connectors.contract import ActionFailed, ConnectorUnavailable, UndoConflict
from assent_activities.connectors.sql_rows.database import Contended, RowDatabase, first_line
from assent_activities.connectors.sql_rows.journal import Kind, create_journal, record, recorded
from assent_activities.connectors.sql_rows.reversal import changes_of, take_back, undo_data_of
from assent_activities.connectors.sql_rows.transaction import RowTransaction

Answer = TypeVar("Answer")
Work = Callable[[RowTransaction], Answer]

ATTEMPTS = 10
"""How often a transaction is repeated that the database rolled back for the sake of another one."""


class RowStore:
    """A set of tables whose rows are changed at most once per key, and can be taken back.

    The journal row of a key is written in the same transaction as the rows, and its primary key is unique. So however
    many attempts with one key overlap (a slow worker whose lease ran out, and the one that took over), one commits
    and every other returns what that one recorded. That makes ``perform`` and ``undo`` idempotent by key. A refusal
    is recorded as well, so that an attempt that comes late cannot do what was reported as failed.

    ``lookup`` answers ``None`` while nothing is recorded: until an attempt has committed, a slow one may still do
    so, and repeating is the safe way to find out.

    Args:
        name: Name of the system, the first part of every resource.
        database: Where the tables are.
        tables: The tables that may be reached, by the name that resources carry.
        volatile: By table, columns that change by themselves (a time of last change) and never are a conflict.
    """

    def __init__(
        self,
        name: str,
        database: RowDatabase,
        tables: Mapping[str, Table],
        *,
        volatile: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.name = name
        self.database = database
        self.tables = dict(tables)
        self._volatile = dict(volatile or {})
        self._journal = threading.Lock()
        self._ready = False

    def probe(self) -> None:
        """Ask the database for nothing, to see whether it answers.

        Raises:
            ConnectorUnavailable: It does not.
        """
        with self.database.reading() as connection:
            connection.execute(select(1))

    def read(self, work: Work[Answer]) -> Answer:
        """Look at rows; what the work puts is forgotten.

        Raises:
            ConnectorUnavailable: The database cannot be reached.
        """
        with self.database.reading() as connection:
            return work(RowTransaction(connection, self.tables, lock=False, dry=True))

    def preview(self, work: Work[Json]) -> list[ResourceChange]:
        """What the work would change now; writes nothing and holds nothing.

        Raises:
            ActionFailed: The work would be refused as things are.
            ConnectorUnavailable: The database cannot be reached.
        """

        def look(rows: RowTransaction) -> list[ResourceChange]:
            work(rows)
            return changes_of(self.name, rows.images())

        return self.read(look)

    def perform(self, key: str, work: Work[Json]) -> Performed:
        """Do the work in one transaction, or return what was done under this key before.

        Args:
            key: Idempotency key, at most 300 characters.
            work: Reads and writes rows and returns the answer; may be called again if the database asks for it.

        Raises:
            ActionFailed: The work or the database refused; nothing was changed.
            ConnectorUnavailable: The database cannot be reached; nothing was changed.
            OutcomeUnknown: The connection broke during the commit; repeating tells.
        """

        def attempt(rows: RowTransaction) -> Performed:
            answer = work(rows)
            images = rows.images()
            return Performed(result=answer, changes=changes_of(self.name, images), undo_data=undo_data_of(images))

        try:
            return self._once(key, Kind.PERFORM, attempt)
        except ActionFailed as error:
            reason = str(error)
        return self._once(key, Kind.PERFORM, lambda _: reason)

    def lookup(self, key: str) -> Performed | bool | None:
        """What was done under a key; ``False`` if it was refused for good; ``None`` if an attempt may still be at it.

        Raises:
            ConnectorUnavailable: The database cannot be reached.
        """
        self.prepare()
        with self.database.reading() as connection:
            found = recorded(connection, key, Kind.PERFORM)
        return False if isinstance(found, str) else found

    def undo(self, key: str, undo_data: Json) -> Performed:
        """Restore every row of an effect, or return what was restored under this key before.

        Raises:
            UndoConflict: A row is not as the effect left it; nothing was changed.
            ConnectorUnavailable: The database cannot be reached; nothing was changed.
            OutcomeUnknown: The connection broke during the commit; repeating tells.
        """

        def attempt(rows: RowTransaction) -> Performed:
            if undo_data is not None:
                take_back(self.name, rows, undo_data, volatile=self._volatile)
            return Performed(changes=list(reversed(changes_of(self.name, rows.images()))))

        try:
            return self._once(key, Kind.UNDO, attempt)
        except ActionFailed as error:
            raise UndoConflict(f"The database does not take the earlier row back. {error}") from error

    def undo_preview(self, undo_data: Json) -> list[ResourceChange]:
        """What :meth:`undo` would change now.

        Raises:
            UndoConflict: A row is not as the effect left it.
            ConnectorUnavailable: The database cannot be reached.
        """

        def look(rows: RowTransaction) -> list[ResourceChange]:
            if undo_data is not None:
                take_back(self.name, rows, undo_data, volatile=self._volatile)
            return list(reversed(changes_of(self.name, rows.images())))

        return self.read(look)

    def on(self, database: RowDatabase) -> RowStore:
        """The same tables as another view of their database has them; the journal must be there."""
        other = RowStore(self.name, database, self.tables, volatile=self._volatile)
        other._ready = True
        return other

    def close(self) -> None:
        """Give back all connections."""
        self.database.close()

    def _once(self, key: str, kind: Kind, attempt: Work[Performed | str]) -> Performed:
        self.prepare()
        held: set[tuple[str, tuple[Json, ...]]] = set()
        for left in reversed(range(ATTEMPTS)):
            try:
                done = self._attempt(key, kind, attempt, held)
            except Contended:
                # Two transactions wanted each other's rows. Taking them in one order lets the next attempt through.
                if not left:
                    raise
            else:
                if isinstance(done, str):
                    raise ActionFailed(done)
                return done
        raise AssertionError("unreachable")

    def _attempt(
        self, key: str, kind: Kind, attempt: Work[Performed | str], held: set[tuple[str, tuple[Json, ...]]]
    ) -> Performed | str:
        with self.database.writing() as connection:
            self.database.lock_key(connection, f"{kind}:{key}")
            done = recorded(connection, key, kind)
            if done is None:
                rows = RowTransaction(connection, self.tables, lock=True, dry=False)
                try:
                    rows.hold(held)
                    done = attempt(rows)
                finally:
                    held |= rows.touched
                record(connection, key, kind, done)
            return done

    def prepare(self) -> None:
        """Make the journal where it is not there yet.

        Raises:
            ConnectorUnavailable: The database cannot be reached.
        """
        if self._ready:
            return
        with self._journal:
            if not self._ready:
                try:
                    create_journal(self.database.engine)
                except Exception as error:
                    raise ConnectorUnavailable(f"The database does not answer: {first_line(error)}.") from error
                self._ready = True

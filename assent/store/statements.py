"""Statements of the hot path, built once and run on the session's connection.

Building a statement and running it through the ORM costs several times what the database takes for it; the effect
protocol runs about ten statements for each action, so they are built when their module is loaded, and those that only
write are handed to the driver as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import CursorResult, Delete, Executable, Insert, Result, Table, Update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

_Values = Mapping[str, Any]


def table_of(row: type[SQLModel]) -> Table:
    """The table behind a row class."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table


def run(session: Session, statement: Executable, values: _Values | Sequence[_Values]) -> CursorResult[Any]:
    """Run a prebuilt statement in the session's transaction."""
    return session.connection().execute(statement, values)


def rows_changed(result: Result[Any]) -> int:
    """How many rows an update or a delete changed."""
    assert isinstance(result, CursorResult)
    return result.rowcount


class InsertNew:
    """An insert that leaves rows that are there already as they are, on either kind of database."""

    def __init__(self, table: Table) -> None:
        # Without the option psycopg's count of inserted rows is gone by the time it is asked for.
        self._by_kind = {
            dialect.name: insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
            for dialect, insert in ((sqlite.dialect, sqlite.insert), (postgresql.dialect, postgresql.insert))
        }

    def run(self, session: Session, values: _Values | Sequence[_Values]) -> bool:
        """Run it in the session's transaction; true if a row was new."""
        connection = session.connection()
        return connection.execute(self._by_kind[connection.dialect.name], values).rowcount > 0


class Prepared:
    """An insert, update or delete that is turned into SQL once for each kind of database and set of values."""

    def __init__(self, statement: Insert | Update | Delete) -> None:
        self._statement = statement.inline() if isinstance(statement, Insert) else statement
        self._texts: dict[tuple[str, ...], _Text] = {}

    def run(self, session: Session, *rows: _Values) -> int:
        """Run it in the session's transaction, once for each row; all of them name the same values.

        Returns:
            How many rows were changed.
        """
        connection = session.connection()
        which = (connection.dialect.name, *rows[0])
        text = self._texts.get(which)
        if text is None:
            text = self._texts[which] = _Text(self._statement, list(rows[0]), connection.dialect)
        given = [text.parameters(row) for row in rows]
        return connection.exec_driver_sql(text.sql, given[0] if len(given) == 1 else given).rowcount


class _Text:
    """A statement in the words of one database's driver, and how its values are written."""

    def __init__(self, statement: Insert | Update | Delete, names: list[str], dialect: Dialect) -> None:
        inserts = isinstance(statement, Insert)
        compiled = statement.compile(dialect=dialect, column_keys=names if inserts else None)
        left_out = compiled.insert_prefetch if inserts else ()
        defaults = {column.key: getattr(column.default, "arg", None) for column in left_out}
        self.sql = str(compiled)
        self._order: Sequence[str] | None = compiled.positiontup
        self._write: dict[str, Callable[[Any], Any]] = {}
        self._fixed: dict[str, Any] = {}
        for name, parameter in compiled.binds.items():
            write = parameter.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is
            if name in names:
                self._write[name] = write
            else:
                self._fixed[name] = write(defaults.get(name, parameter.value))

    def parameters(self, row: _Values) -> Any:
        """The values as the driver takes them."""
        values = {name: write(row[name]) for name, write in self._write.items()} | self._fixed
        return values if self._order is None else tuple([values[name] for name in self._order])


def _as_it_is(value: Any) -> Any:
    return value

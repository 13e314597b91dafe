"""One transaction on rows: what it reads and writes, with an image of each row before and after."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, select, update

from assent.domain.canonical import Json
from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows.values import Row, differing, parameters, row_to_json, value_from_json

Key = Json | tuple[Json, ...]
"""A primary key: its value, or a tuple of values where it has several columns."""


@dataclass(slots=True)
class Image:
    """One row that a transaction touched.

    Attributes:
        table: Name of the table, as configured.
        key: Values of the primary key.
        before: The row before; ``None`` if there was none.
        after: The row after; ``None`` if there is none.
    """

    table: str
    key: tuple[Json, ...]
    before: Row | None
    after: Row | None

    @property
    def changed(self) -> bool:
        """Whether the transaction left the row different."""
        return self.before != self.after


class RowTransaction:
    """Reads and writes rows by primary key; made by :class:`RowStore`, which commits or discards it.

    Args:
        connection: An open transaction.
        tables: The tables that can be reached, by name.
        lock: Hold every row read until the transaction ends.
        dry: Keep changes in memory instead of writing them.
    """

    def __init__(self, connection: Connection, tables: Mapping[str, Table], *, lock: bool, dry: bool) -> None:
        self._connection = connection
        self._tables = tables
        self._lock = lock
        self._dry = dry
        self._images: dict[tuple[str, tuple[Json, ...]], Image] = {}
        self._touched: set[tuple[str, tuple[Json, ...]]] = set()
        self._new = 0

    def get(self, table: str, key: Key) -> Row | None:
        """The row with this primary key, as this transaction left it; ``None`` if there is none."""
        return copy.deepcopy(self._image(table, as_key(key)).after)

    def find(self, table: str, *where: ColumnElement[bool], limit: int = 100) -> list[Row]:
        """Rows as they are in the database, for look-ups; changes of a dry transaction are not seen.

        Args:
            table: Name of the table.
            where: Conditions that must all hold.
            limit: Most rows returned, in the order of the primary key.
        """
        this = self._tables[table]
        query = select(this).where(*where).order_by(*this.primary_key.columns).limit(limit)
        return [row_to_json(row) for row in self._connection.execute(query).mappings()]

    def put(self, table: str, key: Key, row: Row | None) -> Row | None:
        """Write a row: insert it, update the columns that differ, or delete it if ``row`` is ``None``.

        Columns that are missing in ``row`` keep their value, or get their default.

        Returns:
            The row as it is now, defaults of the database included.

        Raises:
            ActionFailed: A value cannot stand in its column.
        """
        image = self._image(table, as_key(key))
        names = [column.name for column in self._tables[table].primary_key.columns]
        own = dict(zip(names, image.key, strict=True))
        if row is not None and {**row, **own} != {**own, **row}:
            raise ValueError(f"A row of {table} cannot change its own key.")
        if row is None and image.after is not None:
            self._write(table, image.key, delete(self._tables[table]))
            image.after = None
        elif row is not None and image.after is None:
            image.after = self._insert(table, {**row, **own})[1]
        elif row is not None and image.after is not None:
            changed = {name: row[name] for name in differing(image.after, {**image.after, **row})}
            if changed:
                values = self._values(table, changed)
                self._write(table, image.key, update(self._tables[table]).values(values))
                image.after = {**image.after, **changed} if self._dry else self._read(table, image.key)
        return copy.deepcopy(image.after)

    def add(self, table: str, row: Row) -> Row:
        """Insert a row whose primary key the database may choose; in a dry run it is shown as ``new``.

        Raises:
            ActionFailed: A value cannot stand in its column, or the key exists.
        """
        names = [column.name for column in self._tables[table].primary_key.columns]
        if all(name in row for name in names):
            key = tuple(row[name] for name in names)
            if self._image(table, key).after is not None:
                raise ActionFailed(f"{table} already has a row {', '.join(map(str, key))}.")
            return self.put(table, key, row) or {}
        key, stored = self._insert(table, row)
        self._images[table, key] = Image(table, key, None, stored)
        return copy.deepcopy(stored)

    def hold(self, keys: Iterable[tuple[str, tuple[Json, ...]]]) -> None:
        """Read, and so lock, some rows in an order that is the same for everybody."""
        for table, key in sorted(keys, key=repr):
            self._image(table, key)

    @property
    def touched(self) -> set[tuple[str, tuple[Json, ...]]]:
        """Table and key of every row asked for so far, granted or not."""
        return set(self._touched)

    def images(self) -> Sequence[Image]:
        """Rows that were changed, in the order they were first touched."""
        return [image for image in self._images.values() if image.changed]

    def _image(self, table: str, key: tuple[Json, ...]) -> Image:
        if (table, key) not in self._images:
            self._touched.add((table, key))
            row = self._read(table, key)
            self._images[table, key] = Image(table, key, row, copy.deepcopy(row))
        return self._images[table, key]

    def _read(self, table: str, key: tuple[Json, ...]) -> Row | None:
        query = select(self._tables[table]).where(self._is(table, key))
        found = self._connection.execute(query.with_for_update() if self._lock else query).mappings().one_or_none()
        return None if found is None else row_to_json(found)

    def _insert(self, table: str, row: Row) -> tuple[tuple[Json, ...], Row]:
        values = self._values(table, row)
        names = [column.name for column in self._tables[table].primary_key.columns]
        if self._dry:
            self._new += 1
            return tuple(row.get(name, f"new {self._new}") for name in names), dict(row)
        chosen = self._connection.execute(insert(self._tables[table]).values(values)).inserted_primary_key
        key = tuple(row_to_json(chosen._mapping).values()) if chosen is not None else ()
        stored = self._read(table, key)
        if stored is None:
            raise ActionFailed(f"The database took the new row of {table} but does not show it.")
        return key, stored

    def _write(self, table: str, key: tuple[Json, ...], statement: Any) -> None:
        if not self._dry and self._connection.execute(statement.where(self._is(table, key))).rowcount != 1:
            raise ActionFailed(f"The row {', '.join(map(str, key))} of {table} was changed by somebody else meanwhile.")

    def _is(self, table: str, key: tuple[Json, ...]) -> ColumnElement[bool]:
        columns = list(self._tables[table].primary_key.columns)
        if len(columns) != len(key):
            raise ValueError(f"A key of {table} has {len(columns)} values, not {len(key)}.")
        try:
            return and_(*(c == value_from_json(c, value) for c, value in zip(columns, key, strict=True)))
        except (ValueError, ArithmeticError) as error:
            raise ActionFailed(f"{', '.join(map(str, key))} cannot be a key of {table}: {error}.") from error

    def _values(self, table: str, row: Row) -> dict[str, Any]:
        try:
            return parameters(self._tables[table], row)
        except (ValueError, ArithmeticError) as error:
            raise ActionFailed(f"{table} cannot hold this: {error}") from error


def as_key(key: Key) -> tuple[Json, ...]:
    """A primary key as a tuple of values."""
    return key if isinstance(key, tuple) else (key,)

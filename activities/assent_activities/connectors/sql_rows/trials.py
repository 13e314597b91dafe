"""Arguments with which a verb on a table can be tried: a real row, and a value that is not there yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Column, Table
from sqlalchemy.types import Enum

from assent.domain.canonical import Json
from assent_activities.connectors.contract import ActionFailed, Operation
from assent_activities.connectors.sql_rows.options import TableOptions, Verb
from assent_activities.connectors.sql_rows.schema import must_be_given
from assent_activities.connectors.sql_rows.store import RowStore
from assent_activities.connectors.sql_rows.values import Row, is_json, python_type, value_from_json

MOST_ROWS = 5
"""Rows that are looked at for one to try a verb on."""


@dataclass(frozen=True, slots=True)
class RowTrial:
    """An operation on rehearsed rows, and arguments that work there."""

    operation: Operation
    arguments: dict[str, Json]


def arguments_for(verb: Verb, name: str, table: Table, options: TableOptions, store: RowStore) -> dict[str, Json]:
    """Arguments to try a verb with.

    Raises:
        ActionFailed: There is no row to try it on, or none of its columns can be given another value.
    """
    rows = store.read(lambda seen: seen.find(name, *_only(table, options), limit=MOST_ROWS))
    title = options.title or name
    if not rows:
        raise ActionFailed(f"There is no {title} to try it on: one row that may be touched is enough.")
    row = rows[0]
    if verb is Verb.INSERT:
        return {"values": _copied(table, options, row)}
    if verb is Verb.DELETE:
        return {"row": _key(table, row)}
    keys = {column.name for column in table.primary_key.columns}
    for column in options.columns:
        if column not in keys and column not in options.only:
            other = _other(table.columns[column], row.get(column))
            if other is not None:
                return {"row": _key(table, row), "set": {column: other}}
    raise ActionFailed(f"No column of {title} can be given another value to try it with.")


def _only(table: Table, options: TableOptions) -> Iterator[Any]:
    for column, wanted in options.only.items():
        yield table.columns[column] == value_from_json(table.columns[column], wanted)


def _key(table: Table, row: Row) -> Json:
    names = [column.name for column in table.primary_key.columns]
    return row[names[0]] if len(names) == 1 else {name: row[name] for name in names}


def _copied(table: Table, options: TableOptions, row: Row) -> Row:
    """The values of a new row like another one, with a key of its own."""
    writable = [name for name in options.columns if name not in options.only]
    keys = {column.name for column in table.primary_key.columns}
    needed = set(must_be_given(table))
    values = {name: row[name] for name in writable if name in row and (name in needed or name not in keys)}
    for name in keys & values.keys():
        values[name] = _other(table.columns[name], values[name])
    return values


def _other(column: Column[Any], value: Json) -> Json:
    """Another value for a column; ``None`` if there is none that surely fits."""
    if column.foreign_keys:
        return None
    if is_json(column.type):
        return {"tried": True} if value != {"tried": True} else {"tried": False}
    if isinstance(column.type, Enum) and column.type.enums:
        return next((each for each in column.type.enums if each != value), None)
    kind = python_type(column.type)
    if kind is bool:
        return value is not True
    if kind is int:
        return int(value or 0) + 1
    if kind is float:
        return float(value or 0) + 1.0
    if kind is Decimal:
        return str(Decimal(str(value or 0)) + 1)
    if kind is UUID:
        return str(uuid4())
    if kind in (datetime, date) and isinstance(value, str):
        return (kind.fromisoformat(value) + timedelta(days=1)).isoformat()
    return _other_text(column, value) if kind is str else None


def _other_text(column: Column[Any], value: Json) -> str:
    text, length = str(value or ""), getattr(column.type, "length", None)
    longest = length if isinstance(length, int) else 40
    tried = f"{text}x" if len(text) < longest else f"{text[:-1]}{'y' if text.endswith('x') else 'x'}"
    return tried[:longest]

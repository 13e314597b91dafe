"""Rows as JSON and back, without loss: what the database gives is what an undo restores."""

from __future__ import annotations

import base64
import math
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, RowMapping, Table, null
from sqlalchemy.types import JSON, TypeEngine

from assent.domain.canonical import Json

Row = dict[str, Json]
"""A row: JSON values by column name."""

_SAFE_INTEGER = 2**53 - 1


def row_to_json(row: RowMapping) -> Row:
    """A row as the database returned it, as JSON."""
    return {str(name): value_to_json(value) for name, value in row.items()}


def value_to_json(value: Any) -> Json:
    """A column's value as JSON; what JSON does not have becomes text that :func:`value_from_json` reads back."""
    match value:
        case None | bool() | str():
            return value
        case Enum():
            return value.name
        case int():
            return value if abs(value) <= _SAFE_INTEGER else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal() | UUID():
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case dict():
            return {str(name): value_to_json(item) for name, item in value.items()}
        case list() | tuple():
            return [value_to_json(item) for item in value]
    return str(value)


def value_from_json(column: Column[Any], value: Json) -> Any:
    """A JSON value as the column's type wants it.

    Raises:
        ValueError: The value cannot stand in this column.
    """
    if value is None:
        return JSON.NULL if is_json(column.type) and not column.nullable else null()
    if is_json(column.type):
        return value
    wanted = python_type(column.type)
    if isinstance(value, str):
        if wanted in (datetime, date, time):
            return wanted.fromisoformat(value)
        if wanted is bytes:
            return base64.b64decode(value, validate=True)
        if wanted in (Decimal, UUID, int, float):
            return wanted(value)
    if wanted is Decimal and isinstance(value, int | float):
        return Decimal(str(value))
    if wanted is float and isinstance(value, int):
        return float(value)
    return value


def python_type(kind: TypeEngine[Any]) -> type[Any]:
    """The Python type behind a column's type; ``str`` if it does not say."""
    try:
        return kind.python_type
    except NotImplementedError:
        return str


def is_json(kind: TypeEngine[Any]) -> bool:
    """Whether the column holds JSON, textual or binary."""
    return isinstance(kind, JSON)


def parameters(table: Table, row: Row) -> dict[str, Any]:
    """Values to write, without the columns that the database computes.

    Raises:
        ValueError: A column is unknown or cannot hold its value.
    """
    unknown = sorted(set(row) - {column.name for column in table.columns})
    if unknown:
        raise ValueError(f"The table {table.name} has no column {', '.join(unknown)}.")
    return {
        column.name: value_from_json(column, row[column.name])
        for column in table.columns
        if column.name in row and column.computed is None
    }


def differing(one: Row, other: Row, ignored: frozenset[str] = frozenset()) -> list[str]:
    """Names of the columns in which two rows differ."""
    return [
        name
        for name in {**one, **other}
        if name not in ignored and (name in one, one.get(name)) != (name in other, other.get(name))
    ]

"""JSON Schemas of arguments, made from the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table
from sqlalchemy.types import Enum

from assent.domain.canonical import Json
from assent_activities.connectors.sql_rows.values import is_json, python_type

_NUMBER = r"^-?\d+(\.\d+)?$"

_SCHEMAS: dict[type[Any], dict[str, Json]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": ["number", "string"], "pattern": _NUMBER},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    UUID: {"type": "string", "format": "uuid"},
}


def column_schema(column: Column[Any]) -> dict[str, Json]:
    """What an agent may write into a column."""
    if is_json(column.type):
        return {}
    schema = dict(_SCHEMAS.get(python_type(column.type), {"type": "string"}))
    if isinstance(column.type, Enum) and column.type.enums:
        schema["enum"] = [*column.type.enums, None] if column.nullable else list(column.type.enums)
    length = getattr(column.type, "length", None)
    if schema["type"] == "string" and isinstance(length, int) and "contentEncoding" not in schema:
        schema["maxLength"] = length
    if column.nullable and not column.primary_key:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        schema["type"] = [*kinds, "null"]
    if column.comment:
        schema["description"] = column.comment
    return schema


def columns_schema(table: Table, names: Sequence[str], *, required: Sequence[str] = ()) -> dict[str, Json]:
    """An object with some of a table's columns."""
    return {
        "type": "object",
        "properties": {name: column_schema(table.columns[name]) for name in names},
        "required": list(required),
        "additionalProperties": False,
    }


def key_schema(table: Table) -> dict[str, Json]:
    """The primary key: its value, or an object where it has several columns."""
    columns = list(table.primary_key.columns)
    if len(columns) == 1:
        return {**column_schema(columns[0]), "description": f"Primary key of the row ({columns[0].name})."}
    names = [column.name for column in columns]
    return {**columns_schema(table, names, required=names), "description": "Primary key of the row."}


def must_be_given(table: Table, names: Sequence[str]) -> list[str]:
    """Columns, among those that may be written, that an insert cannot do without."""
    return [
        name
        for name in names
        if not (column := table.columns[name]).nullable
        and column.default is None
        and column.server_default is None
        and not (column.primary_key and column is table.autoincrement_column)
    ]

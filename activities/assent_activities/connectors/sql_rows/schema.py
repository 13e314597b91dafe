"""JSON Schemas of arguments, made from the columns of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Inspector, Table
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


def must_be_given(table: Table) -> list[str]:
    """Columns that an insert cannot do without."""
    return [
        column.name
        for column in table.columns
        if (column.primary_key or not column.nullable) and not _filled_by_database(table, column)
    ]


def references(inspector: Inspector, schema: str | None, wanted: str) -> Iterator[tuple[str, str]]:
    """Tables that refer to a table, each with what a delete there does to their rows (``CASCADE``, …)."""
    for other in inspector.get_table_names(schema=schema):
        if inspector.dialect.name == "sqlite":
            # SQLAlchemy does not see the options of a foreign key that SQLite's column definition carries.
            quoted = inspector.dialect.identifier_preparer.quote(other)
            with inspector.engine.connect() as connection:
                keys = connection.exec_driver_sql(f"PRAGMA foreign_key_list({quoted})").mappings().all()
            yield from ((other, str(key["on_delete"]).upper()) for key in keys if key["table"] == wanted)
            continue
        for found in inspector.get_foreign_keys(other, schema=schema):
            if found["referred_table"] == wanted:
                yield other, str(found.get("options", {}).get("ondelete", "")).upper()


def _filled_by_database(table: Table, column: Column[Any]) -> bool:
    if column.server_default is not None or column.identity is not None or column.computed is not None:
        return True
    # An integer primary key is SQLite's row number; nothing but this tells it from PostgreSQL's plain integer.
    sqlite = table.info.get("dialect") == "sqlite"
    return sqlite and column.primary_key and column is table.autoincrement_column

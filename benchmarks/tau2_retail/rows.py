"""The shop's rows before and after a case, and what differs."""

from __future__ import annotations

from assent_activities.connectors.sql_rows import Row, RowStore

TABLES = ("users", "products", "orders")
"""Tables that the benchmark compares."""
MOST_ROWS = 100_000

Content = dict[str, dict[str, Row]]
"""Rows by table and id."""


def content(store: RowStore) -> Content:
    """Every row of the shop."""
    keys = {name: store.tables[name].primary_key.columns[0].name for name in TABLES}
    return store.read(
        lambda rows: {name: {row[key]: row for row in rows.find(name, limit=MOST_ROWS)} for name, key in keys.items()}
    )


def changed(before: Content, after: Content) -> Content:
    """Rows that are new or different, by table and id; tables without any are left out."""
    found = {name: {key: row for key, row in after[name].items() if before[name].get(key) != row} for name in TABLES}
    gone = [f"{name}/{key}" for name in TABLES for key in before[name] if key not in after[name]]
    if gone:
        raise AssertionError(f"The shop never deletes rows, but {', '.join(gone)} went away.")
    return {name: rows for name, rows in found.items() if rows}

"""The shop's content: where it comes from, and putting it into a database."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, delete, insert
from sqlalchemy.exc import DBAPIError

from assent_activities.connectors.sql_rows import Row
from assent_shop.tables import TABLES, metadata, orders, products, users

ShopData = Mapping[str, Mapping[str, Row]]
"""Rows by id, under ``users``, ``products`` and ``orders``."""

ATTEMPTS = 5
PAUSE_S = 0.3
"""Between attempts to make the shop."""

_FILLED: tuple[Table, ...] = (users, products, orders)


def load_tau2(folder: Path) -> ShopData:
    """The shop of the public retail benchmark.

    Args:
        folder: Holds ``db.json``.

    Raises:
        FileNotFoundError: It does not.
    """
    content: dict[str, dict[str, Row]] = json.loads((folder / "db.json").read_text("utf-8"))
    return {table.name: content[table.name] for table in _FILLED}


def create_shop(engine: Engine, data: ShopData) -> None:
    """Make the shop's tables and fill them, unless the shop is there already.

    Several processes may try at once: one wins, and the others find its work on their next attempt.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            metadata.create_all(engine)
            with engine.begin() as connection:
                if not connection.execute(users.select().limit(1)).first():
                    _fill(connection, data)
            return
        except DBAPIError:
            if not left:
                raise
            time.sleep(PAUSE_S)


def replace_shop(engine: Engine, data: ShopData) -> None:
    """Put every table of the shop back to this content, notes and mail emptied."""
    metadata.create_all(engine)
    with engine.begin() as connection:
        for table in TABLES.values():
            connection.execute(delete(table))
        _fill(connection, data)


def _fill(connection: Connection, data: ShopData) -> None:
    for table in _FILLED:
        names = [column.name for column in table.columns]
        rows = [{name: row.get(name) for name in names} for row in data[table.name].values()]
        if rows:
            connection.execute(insert(table), rows)

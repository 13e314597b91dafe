"""Statements of the hot path, built once and run on the session's connection.

Building a statement and running it through the ORM costs several times what the database takes for it; the effect
protocol runs about ten statements for each action, so they are built when their module is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CursorResult, Executable, Table
from sqlalchemy.orm import Session
from sqlmodel import SQLModel


def table_of(row: type[SQLModel]) -> Table:
    """The table behind a row class."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table


def run(
    session: Session, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]
) -> CursorResult[Any]:
    """Run a prebuilt statement in the session's transaction."""
    return session.connection().execute(statement, values)

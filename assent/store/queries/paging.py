"""Keyset pages: a list goes on where the last page ended, at the same cost on page one and on page ten thousand."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from assent.domain.errors import InvalidInput

DEFAULT_LIMIT = 50
"""Items of a page that asks for no number."""

MAX_LIMIT = 200
"""Items of a page at most."""

COUNT_CAP = 1_000
"""Where counts for people stop: the difference between 1,000 and more is not worth reading every row."""

Item = TypeVar("Item")
Row = TypeVar("Row")
Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list is wanted.

    Attributes:
        limit: Items at most, 1 to :data:`MAX_LIMIT`.
        cursor: ``next_cursor`` of the page before, unchanged; ``None`` for the first page.
    """

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidInput(
                f"A page has 1 to {MAX_LIMIT} items, not {self.limit}.",
                where="limit",
                todo="Ask for fewer and go on with the page's cursor.",
            )


FIRST = PageRequest()
"""The first page, of the usual size."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list.

    Attributes:
        items: What is on it.
        next_cursor: What to ask the next page with; ``None`` on the last one.
    """

    items: tuple[Item, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A total order that an index already has.

    Attributes:
        name: Name of the list; a cursor of one list is refused by another.
        columns: Sort columns, the last one unique.
        descending: Newest (or greatest) first.
    """

    name: str
    columns: Sequence[Any]
    descending: bool = True

    def window(self, statement: Statement, request: PageRequest) -> Statement:
        """The rows of a page and one more, which tells whether there is another page."""
        if request.cursor is not None:
            position = decode(self.name, request.cursor, [_kind(column) for column in self.columns])
            here: ColumnElement[Any] = tuple_(*self.columns)
            there = tuple_(*(literal(value, column.type) for value, column in zip(position, self.columns, strict=True)))
            statement = statement.where(here < there if self.descending else here > there)
        ordered = [column.desc() if self.descending else column.asc() for column in self.columns]
        return statement.order_by(*ordered).limit(request.limit + 1)

    def cursor(self, row: Any) -> str:
        """The cursor of the page that begins after a row."""
        return encode(self.name, self.position(row))

    def position(self, row: Any) -> tuple[Any, ...]:
        """Where a row is in the order."""
        return tuple(getattr(row, column.key) for column in self.columns)

    def page(self, rows: Sequence[Row], request: PageRequest, view: Callable[[Row], Item]) -> Page[Item]:
        """The page out of what :meth:`window` found."""
        shown = rows[: request.limit]
        more = len(rows) > request.limit
        return Page(tuple(view(row) for row in shown), self.cursor(shown[-1]) if more else None)


def encode(name: str, position: Sequence[object]) -> str:
    """An opaque cursor."""
    values = [value.isoformat() if isinstance(value, date) else value for value in position]
    return base64.urlsafe_b64encode(json.dumps([name, *values]).encode()).decode().rstrip("=")


def decode(name: str, cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The position in a cursor.

    Raises:
        InvalidInput: It is no cursor of this list.
    """
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or values[:1] != [name]:
            raise ValueError("another list's cursor")
        return [_read(value, kind) for value, kind in zip(values[1:], kinds, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise InvalidInput(
            "This cursor does not belong to this list.",
            where="cursor",
            todo="Use next_cursor of the page before, unchanged, or leave it out for the first page.",
        ) from error


def _kind(column: Any) -> type:
    stored = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    kind: type = stored.python_type
    return kind


def _read(value: Any, kind: type) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a time without its zone")
        return moment.astimezone(UTC)
    if kind is date:
        return date.fromisoformat(value)
    if type(value) is not kind or (isinstance(value, int) and abs(value) >= 2**63):
        raise ValueError(f"not a {kind.__name__}")
    return value


def count_up_to(session: Session, statement: Select[*tuple[Any, ...]], cap: int = COUNT_CAP) -> int:
    """How many rows a statement has, counting no further than ``cap``."""
    return session.execute(select(func.count()).select_from(statement.limit(cap).subquery())).scalar_one()

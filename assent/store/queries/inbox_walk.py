"""Walking what waits in an order that an index has, a bounded stretch at a time.

A *range* is a stretch of one index in the wanted order: all pending requests, those of one agent and type, those asked
of one token. What the range itself does not decide is checked on the entries of the index, which hold everything that
the inbox filters by. So a page costs the same with a hundred requests as with a million, and a filter that hardly
anything passes ends after :data:`FURTHEST` entries with a cursor to look further.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import Any, Protocol, TypeAlias

from sqlalchemy import ColumnElement, Select, func, literal, literal_column, select, tuple_
from sqlalchemy.orm import Session

from assent.store import statements
from assent.store.tables import ApprovalRow, AskedRow

Position: TypeAlias = tuple[Any, str]
"""Where a request is in an order: what it is ordered by, and its id."""

FURTHEST = 20_000
"""Entries of an index that are looked at for one page."""

_STRIDES = {0: 500, 500: 4_500}
"""How many entries are looked at next, by how many were: most filters let enough through at once."""


class Sort(StrEnum):
    """Orders of the inbox."""

    DUE = "due"
    OLDEST = "oldest"
    NEWEST = "newest"
    AMOUNT = "amount"
    LAST_DUE = "last-due"

    @property
    def descending(self) -> bool:
        """Greatest first."""
        return self in (Sort.NEWEST, Sort.AMOUNT, Sort.LAST_DUE)


@dataclass(frozen=True, slots=True)
class Source:
    """Where entries are: the pending requests, or what is asked of one token.

    Attributes:
        id: The request's id.
        agent: Its agent.
        type: Its action type.
        amount: What it moves; may be nothing.
        created_at: When it was asked.
        due_at: When it is too late.
        within: What makes an entry one of this source.
    """

    id: Any
    agent: Any
    type: Any
    amount: Any
    created_at: Any
    due_at: Any
    within: tuple[Any, ...]

    def by(self, sort: Sort) -> ColumnElement[Any]:
        """What an order sorts by."""
        match sort:
            case Sort.DUE | Sort.LAST_DUE:
                return self.due_at  # type: ignore[no-any-return]
            case Sort.AMOUNT:
                return func.coalesce(self.amount, literal_column("0"))
            case _:
                return self.created_at  # type: ignore[no-any-return]


@lru_cache
def everything(name: str = "here") -> Source:
    """All requests that wait; ``name`` tells the table from itself where a statement needs it twice."""
    row = statements.table_of(ApprovalRow).alias(name).c
    return Source(
        id=row.id,
        agent=row.agent,
        type=row.type,
        amount=row.amount,
        created_at=row.created_at,
        due_at=row.expires_at,
        within=(row.decided_at.is_(None),),
    )


@lru_cache
def _asked(name: str) -> Source:
    row = statements.table_of(AskedRow).alias(name).c
    # Written out: bound as a number, SQLite could not tell that an index of what waits serves.
    pending: ColumnElement[bool] = literal_column(f"{name}.pending")
    return Source(
        id=row.approval_id,
        agent=row.agent,
        type=row.type,
        amount=row.amount,
        created_at=row.created_at,
        due_at=row.due_at,
        within=(pending, row.token),
    )


def asked_of(token: str, name: str = "here") -> Source:
    """What is asked of a token and still waits."""
    source = _asked(name)
    pending, column = source.within
    return replace(source, within=(column == token, pending))


class _Bound(Protocol):
    """What bounds look at."""

    @property
    def agent(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def amount(self) -> float | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What requests must also be; ``None`` does not count.

    Attributes:
        agent: Of this agent.
        type: Of this action type.
        least: Moving this much or more.
        most: Moving this much or less.
        asked_before: Asked before this time.
        due_before: Due before this time.
    """

    agent: str | None = None
    type: str | None = None
    least: float | None = None
    most: float | None = None
    asked_before: datetime | None = None
    due_before: datetime | None = None

    def hold(self, request: _Bound) -> bool:
        """Whether one request is all of it."""
        amount = request.amount or 0
        return (
            self.agent in (None, request.agent)
            and self.type in (None, request.type)
            and (self.least is None or amount >= self.least)
            and (self.most is None or amount <= self.most)
            and (self.asked_before is None or request.created_at < self.asked_before)
            and (self.due_before is None or request.expires_at < self.due_before)
        )


ANYTHING = Bounds()
"""No bounds."""


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of one index, and what its entries must also be.

    Attributes:
        source: Where the entries are.
        kind: Only those of this agent and action type.
        bounds: What the entries must also be.
    """

    source: Source
    kind: tuple[str, str] | None = None
    bounds: Bounds = ANYTHING


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a walk found.

    Attributes:
        found: Positions in order.
        ended_at: How far it looked, if there may be more and it has not found enough.
        gave_up: It looked at many entries that did not fit, and stopped.
    """

    found: tuple[Position, ...]
    ended_at: Position | None = None
    gave_up: bool = False


def walk(session: Session, ranges: Sequence[Range], sort: Sort, after: Position | None, need: int) -> Stretch:
    """The next positions of all ranges together, each once.

    Args:
        session: Open.
        ranges: Where to look; the same request may be in several.
        sort: The order.
        after: Where the page before ended.
        need: How many are wanted.
    """
    share = FURTHEST // max(len(ranges), 1)
    stretches = [_walk_one(session, each, sort, after, need, share) for each in ranges]
    merged = heapq.merge(*(stretch.found for stretch in stretches), reverse=sort.descending)
    found = [position for position, _ in groupby(merged)]
    borders = [stretch.ended_at for stretch in stretches if stretch.ended_at is not None]
    border = None if not borders else max(borders) if sort.descending else min(borders)
    if border is not None:
        # Beyond the nearest border nothing can be shown yet: that range may have something that comes earlier.
        found = [each for each in found if (each >= border if sort.descending else each <= border)]
    gave_up = any(stretch.gave_up for stretch in stretches)
    return Stretch(tuple(found[:need]), border if len(found) < need else None, gave_up)


def _walk_one(session: Session, within: Range, sort: Sort, after: Position | None, need: int, furthest: int) -> Stretch:
    sorted_by, bounds = _bounds_of_order(within, sort)
    if not _checks(within.source, bounds):
        rows = session.execute(_entries(within, sort, sorted_by, after).limit(need))
        return _up_to([(row.value, row.id) for row in rows], need)
    found: list[Position] = []
    looked_at = 0
    while len(found) < need and looked_at < furthest:
        stride = min(_STRIDES.get(looked_at, furthest), furthest - looked_at)
        entries = _entries(within, sort, sorted_by, after)
        inner = entries.limit(stride).subquery()
        passing = select(inner.c.value, inner.c.id).where(*_checks(inner.c, bounds))
        found += sorted(((row.value, row.id) for row in session.execute(passing)), reverse=sort.descending)
        looked_at += stride
        last = session.execute(entries.offset(stride - 1).limit(1)).first()
        if last is None:
            return Stretch(tuple(found))
        after = (last.value, last.id)
    return _up_to(found, need) if len(found) >= need else Stretch(tuple(found), after, gave_up=True)


def _up_to(found: list[Position], need: int) -> Stretch:
    """What was found, of which more may follow if it is as much as was needed."""
    return Stretch(tuple(found[:need]), found[need - 1] if len(found) >= need else None)


def _entries(within: Range, sort: Sort, also: Sequence[Any], after: Position | None) -> Select[*tuple[Any, ...]]:
    source = within.source
    value, id = source.by(sort), source.id
    entries = select(
        value.label("value"),
        id.label("id"),
        source.agent.label("agent"),
        source.type.label("type"),
        source.amount.label("amount"),
        source.created_at.label("created_at"),
        source.due_at.label("due_at"),
    ).where(*source.within, *also)
    if within.kind is not None:
        entries = entries.where(source.agent == within.kind[0], source.type == within.kind[1])
    if after is not None:
        there = tuple_(literal(after[0], value.type), literal(after[1], id.type))
        entries = entries.where(tuple_(value, id) < there if sort.descending else tuple_(value, id) > there)
    if sort.descending:
        return entries.order_by(value.desc(), id.desc())
    return entries.order_by(value.asc(), id.asc())


def _bounds_of_order(within: Range, sort: Sort) -> tuple[list[Any], Bounds]:
    """Bounds that shorten the range itself, because it is in their order, and the others."""
    source, bounds = within.source, within.bounds
    value = source.by(sort)
    own: list[Any] = []
    left = {name: getattr(bounds, name) for name in ("agent", "type", "least", "most", "asked_before", "due_before")}

    def take(name: str, condition: Any) -> None:
        if left[name] is not None:
            own.append(condition(left[name]))
            left[name] = None

    match sort:
        case Sort.DUE | Sort.LAST_DUE:
            take("due_before", lambda limit: value < literal(limit, value.type))
        case Sort.AMOUNT:
            take("least", lambda limit: value >= limit)
            take("most", lambda limit: value <= limit)
        case _:
            take("asked_before", lambda limit: value < literal(limit, value.type))
    return own, Bounds(**left)


def _checks(columns: Any, bounds: Bounds) -> list[ColumnElement[bool]]:
    """What is left to check on each entry."""
    money = func.coalesce(columns.amount, literal_column("0"))
    checks: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
        (bounds.agent, lambda bound: columns.agent == bound),
        (bounds.type, lambda bound: columns.type == bound),
        (bounds.least, lambda bound: money >= bound),
        (bounds.most, lambda bound: money <= bound),
        (bounds.asked_before, lambda bound: columns.created_at < bound),
        (bounds.due_before, lambda bound: columns.due_at < bound),
    ]
    return [condition(bound) for bound, condition in checks if bound is not None]


def count(session: Session, within: Range, cap: int) -> int:
    """How many entries a range has, counting no further than ``cap``; its bounds do not count."""
    source = within.source
    entries = select(source.id).where(*source.within)
    if within.kind is not None:
        entries = entries.where(source.agent == within.kind[0], source.type == within.kind[1])
    return session.execute(select(func.count()).select_from(entries.limit(cap).subquery())).scalar_one()

"""The inbox: what waits, chosen and ordered as somebody likes, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus
from assent.domain.people import Actor
from assent.store.queries import alike, inbox_walk, search
from assent.store.queries.alike import Kind
from assent.store.queries.inbox_walk import ANYTHING, Bounds, Position, Range, Sort, Source, Stretch
from assent.store.queries.paging import FIRST, Page, PageRequest, decode, encode
from assent.store.tables import ApprovalRow

LINE = 400
"""Characters of a headline that a list shows."""

FEW_KINDS = 12
"""So many kinds are walked side by side where only the agent or only the type is asked for."""

COUNTED = 100
"""Where counting alike requests ends."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see of what waits.

    Attributes:
        bounds: What the requests must be.
        tokens: Asked of one of these; ``None`` for everybody's.
        sort: In which order.
    """

    bounds: Bounds = ANYTHING
    tokens: tuple[str, ...] | None = None
    sort: Sort = Sort.DUE


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A request on a line.

    Attributes:
        id: Its id.
        agent: The agent that asks.
        type: Name of the action type.
        digest: What a decision must carry.
        headline: The first :data:`LINE` characters of what will happen.
        size: How many characters that has in all.
        why: Why it stopped, in a sentence.
        amount: Money moved, if declared.
        status: Where it is in its life.
        created_at: When it was asked.
        expires_at: When it is too late.
        changed_at: When it was revised last; ``None`` if it never was.
        decided_at: When it was closed.
        decided_by: Who decided it; ``None`` if nobody did.
    """

    id: str
    agent: str
    type: str
    digest: str
    headline: str
    size: int
    why: str
    amount: float | None
    status: ApprovalStatus
    created_at: datetime
    expires_at: datetime
    changed_at: datetime | None
    decided_at: datetime | None
    decided_by: Actor | None

    @property
    def pending(self) -> bool:
        """It waits for a decision."""
        return self.status is ApprovalStatus.PENDING


@dataclass(frozen=True, slots=True)
class InboxPage:
    """One page of the inbox.

    Attributes:
        items: What is on it.
        next_cursor: What to ask the next page with; ``None`` on the last one.
        gave_up: It looked at many that did not fit and stopped there; the next page looks further.
    """

    items: tuple[InboxRow, ...]
    next_cursor: str | None = None
    gave_up: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Requests that are alike.

    Attributes:
        agent: Their agent.
        type: Their action type.
        count: How many wait, up to :data:`COUNTED`.
        items: The first ones.
    """

    agent: str
    type: str
    count: int
    items: tuple[InboxRow, ...]


def page(session: Session, wanted: Wanted = Wanted(), *, request: PageRequest = FIRST) -> InboxPage:
    """Requests that wait."""
    ids, cursor, gave_up = _ids(session, wanted, request)
    return InboxPage(rows(session, ids), cursor, gave_up)


def ids(session: Session, wanted: Wanted = Wanted(), *, request: PageRequest = FIRST) -> Page[str]:
    """Ids of requests that wait."""
    found, cursor, _ = _ids(session, wanted, request)
    return Page(tuple(found), cursor)


def found(session: Session, question: str, *, request: PageRequest = FIRST) -> InboxPage:
    """Requests, waiting or decided, that have all words of a question; newest first."""
    matching = search.find(session, question, request)
    return InboxPage(rows(session, matching.ids), matching.next_cursor)


def rows(session: Session, ids: Sequence[str]) -> tuple[InboxRow, ...]:
    """Requests by id, in the order of the ids; unknown ones are left out."""
    if not ids:
        return ()
    wanted = select(
        col(ApprovalRow.id),
        col(ApprovalRow.agent),
        col(ApprovalRow.type),
        col(ApprovalRow.digest),
        func.substr(ApprovalRow.headline, 1, LINE).label("headline"),
        func.length(ApprovalRow.headline).label("size"),
        col(ApprovalRow.why),
        col(ApprovalRow.amount),
        col(ApprovalRow.status),
        col(ApprovalRow.created_at),
        col(ApprovalRow.expires_at),
        col(ApprovalRow.revised_at).label("changed_at"),
        col(ApprovalRow.decided_at),
        col(ApprovalRow.decided_by),
    ).where(col(ApprovalRow.id).in_(ids))
    known = {}
    for row in session.execute(wanted).mappings():
        by = None if row["decided_by"] is None else Actor.model_validate(row["decided_by"])
        known[row["id"]] = InboxRow(**{**row, "status": ApprovalStatus(row["status"]), "decided_by": by})
    return tuple(known[id] for id in ids if id in known)


def asked_now(session: Session, tokens: Iterable[str]) -> tuple[str, ...]:
    """Those of somebody's tokens of which anything is asked now, so that no list looks at the others."""
    looks = []
    for token in sorted(set(tokens)):
        source = inbox_walk.asked_of(token)
        # In the order of its index: a planner that takes the first row for common would read the table for it.
        first = select(source.id).where(*source.within).order_by(source.due_at, source.id).limit(1)
        looks.append(select(literal(token)).where(first.scalar_subquery().is_not(None)))
    return tuple(session.execute(union_all(*looks)).scalars()) if looks else ()


def count(session: Session, wanted: Wanted = Wanted(), *, cap: int = COUNTED) -> int:
    """How many requests wait, counting no further than ``cap``, nor than one walk looks."""
    return _count(session, _ranges(session, wanted), wanted.sort, cap)


def groups(
    session: Session, wanted: Wanted = Wanted(), *, first: int = 0, most: int = 12, each: int = 5
) -> tuple[list[Group], bool]:
    """What waits by kind, the kind whose first request is due soonest first.

    Args:
        session: Open.
        wanted: What is wanted; its order holds within the groups.
        first: Kinds to pass over.
        most: Kinds at most.
        each: Requests of each at most.

    Returns:
        The groups, and whether there are more kinds.
    """
    chosen = _kinds(session, wanted)
    rest = replace(wanted.bounds, agent=None, type=None)
    shown = []
    for one in chosen[first : first + most]:
        kind = one.kind
        ranges = [_alike(source("here"), kind, rest, wanted.sort) for source in one.sources]
        ids = [id for _, id in inbox_walk.walk(session, ranges, wanted.sort, None, each).found]
        if ids:
            shown.append((kind, ids, _count(session, ranges, wanted.sort, COUNTED) if len(ids) == each else len(ids)))
    known = {row.id: row for row in rows(session, [id for _, ids, _ in shown for id in ids])}
    groups = [
        Group(kind.agent, kind.type, total, tuple(known[id] for id in ids if id in known)) for kind, ids, total in shown
    ]
    return groups, len(chosen) > first + most


def cursor_at(sort: Sort, value: datetime | float, id: str) -> str:
    """The cursor of the page that begins after a request, by what the order sorts by and its id."""
    return encode(_name(sort), (value, id))


def _count(session: Session, ranges: Sequence[Range], sort: Sort, cap: int) -> int:
    if len(ranges) == 1 and ranges[0].bounds == ANYTHING:
        return inbox_walk.count(session, ranges[0], cap)
    return len(inbox_walk.walk(session, ranges, sort, None, cap).found)


def _ids(session: Session, wanted: Wanted, request: PageRequest) -> tuple[list[str], str | None, bool]:
    stretch = _walk(session, wanted, _position(wanted.sort, request.cursor), request.limit + 1)
    shown = stretch.found[: request.limit]
    more = len(stretch.found) > request.limit
    ends = shown[-1] if more else stretch.ended_at
    cursor = encode(_name(wanted.sort), ends) if ends is not None else None
    return [id for _, id in shown], cursor, stretch.gave_up and not more


def _walk(session: Session, wanted: Wanted, after: Position | None, need: int) -> Stretch:
    return inbox_walk.walk(session, _ranges(session, wanted), wanted.sort, after, need)


def _ranges(session: Session, wanted: Wanted) -> list[Range]:
    """The index ranges that hold what is wanted."""
    bounds = wanted.bounds
    sources = [source("here") for source in _sources(wanted.tokens)]
    if wanted.sort not in (Sort.DUE, Sort.LAST_DUE) or (bounds.agent is None and bounds.type is None):
        return [Range(source, bounds=bounds) for source in sources]
    rest = replace(bounds, agent=None, type=None)
    if bounds.agent is not None and bounds.type is not None:
        return [Range(source, (bounds.agent, bounds.type), rest) for source in sources]
    chosen = _kinds(session, wanted)
    if len(chosen) > FEW_KINDS:
        return [Range(source, bounds=bounds) for source in sources]
    return [
        Range(source("here"), (each.kind.agent, each.kind.type), rest) for each in chosen for source in each.sources
    ]


@dataclass(slots=True)
class _Chosen:
    """A kind, and the sources that have it."""

    kind: Kind
    sources: list[Callable[[str], Source]]


def _alike(source: Source, kind: Kind, rest: Bounds, sort: Sort) -> Range:
    """One kind of a source: a range of its own where requests of a kind stand in that order."""
    if sort in (Sort.DUE, Sort.LAST_DUE):
        return Range(source, (kind.agent, kind.type), rest)
    return Range(source, bounds=replace(rest, agent=kind.agent, type=kind.type))


def _kinds(session: Session, wanted: Wanted) -> list[_Chosen]:
    found: dict[tuple[str, str], _Chosen] = {}
    for source in _sources(wanted.tokens):
        for kind in alike.kinds(session, source, agent=wanted.bounds.agent):
            if wanted.bounds.type not in (None, kind.type):
                continue
            chosen = found.setdefault((kind.agent, kind.type), _Chosen(kind, []))
            chosen.sources.append(source)
            if kind.due_at < chosen.kind.due_at:
                chosen.kind = kind
    return sorted(found.values(), key=lambda each: (each.kind.due_at, each.kind.agent, each.kind.type))


def _sources(tokens: Iterable[str] | None) -> list[Callable[[str], Source]]:
    if tokens is None:
        return [inbox_walk.everything]
    return [partial(inbox_walk.asked_of, token) for token in sorted(set(tokens))]


def _name(sort: Sort) -> str:
    return f"inbox-{sort}"


def _position(sort: Sort, cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    value, id = decode(_name(sort), cursor, [float if sort is Sort.AMOUNT else datetime, str])
    return value, id

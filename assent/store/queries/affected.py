"""What agents did to records, found by table, id or customer across all agents, since a time.

Tables and records are found in the key of the touches, which orders them by name: one query a page, however many there
are. What was done for a customer is found by the runs that had to do with them, as far as records or requests name
them, and reads the effects of those runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, false, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.effects import EffectStatus, ResourceChange, UndoStatus
from assent.domain.errors import InvalidInput
from assent.domain.incidents import PartKind
from assent.store.database import Database
from assent.store.queries import records
from assent.store.queries.paging import FIRST, MAX_LIMIT, Order, Page, PageRequest
from assent.store.tables import (
    ActionRow,
    ApprovalRow,
    ApprovalWordRow,
    EffectRow,
    IncidentPartRow,
    ResourceRow,
    UndoRow,
)

MOST_RUNS = 500
"""Runs of a customer that are looked through."""

_LAST = "\U0010ffff"


class SoughtBy(StrEnum):
    """By what affected records are sought."""

    TABLE = "table"
    RECORD = "record"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Sought:
    """Which records are sought.

    Attributes:
        by: By what.
        name: The table (``shop/orders``); the record's name or its id in any table (``W1``); the customer's id or name.
        since: Touched at this time or later.
        agent: By this agent only.
    """

    by: SoughtBy
    name: str
    since: datetime | None = None
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Affected:
    """One effect on one record.

    Attributes:
        record: Its stable name.
        at: When.
        action_id: The action.
        run_id: Its run.
        agent: Its agent.
        type: Its action type.
        sentence: What the action does, in words.
        status: What became of the effect.
        undo: What became of its undo; ``None`` if none was tried.
        undone_at: When it was undone.
        before: The record before, declared secrets replaced.
        after: The record after, likewise.
    """

    record: str
    at: datetime
    action_id: str
    run_id: str
    agent: str
    type: str
    sentence: str
    status: EffectStatus
    undo: UndoStatus | None
    undone_at: datetime | None
    before: Json
    after: Json


_TOUCHES = Order(
    "affected", [col(ResourceRow.resource), col(ResourceRow.at), col(ResourceRow.action_id)], descending=False
)
_EFFECTS = Order(
    "affected-runs", [col(EffectRow.run_id), col(EffectRow.claimed_at), col(EffectRow.action_id)], descending=False
)


def find(session: Session, sought: Sought, *, request: PageRequest = FIRST) -> Page[Affected]:
    """What was done to the records that are sought, by record and time; of a customer, by run and time.

    Raises:
        InvalidInput: Nothing is named, or too much.
    """
    name = sought.name.strip()
    if not 1 <= len(name) <= 200:
        raise InvalidInput("Name a table, a record or a customer.", where="name", todo="Such as shop/orders or W123.")
    if sought.by is SoughtBy.CUSTOMER:
        return _of_customer(session, name, sought, request)
    here = _in_table(name) if sought.by is SoughtBy.TABLE else col(ResourceRow.resource).in_(_spelled(session, name))
    return _touched(session, here, sought, request)


def of_incident(database: Database, incident_id: str, since: datetime) -> Iterator[Affected]:
    """Every effect of an incident's runs, and every other one on its records, since a time; memory stays flat."""
    runs, named = (_refs(incident_id, kind) for kind in (PartKind.RUN, PartKind.RECORD))
    cursor: str | None = None
    while True:
        with database.read() as session:
            done = col(EffectRow.run_id).in_(runs) & (col(EffectRow.claimed_at) >= since)
            page = _done_in(session, done, PageRequest(MAX_LIMIT, cursor))
        yield from page.items
        if (cursor := page.next_cursor) is None:
            break
    while True:
        here = col(ResourceRow.resource).in_(named) & (col(ResourceRow.at) >= since)
        with database.read() as session:
            request = PageRequest(MAX_LIMIT, cursor)
            page = _touched(session, here & col(ActionRow.run_id).not_in(runs), None, request)
        yield from page.items
        if (cursor := page.next_cursor) is None:
            return


def _touched(
    session: Session, here: ColumnElement[bool], sought: Sought | None, request: PageRequest
) -> Page[Affected]:
    statement = (
        select(ResourceRow, ActionRow, EffectRow, UndoRow)
        .join(ActionRow, col(ActionRow.action_id) == col(ResourceRow.action_id))
        .join(EffectRow, col(EffectRow.action_id) == col(ResourceRow.action_id))
        .join(UndoRow, col(UndoRow.action_id) == col(ResourceRow.action_id), isouter=True)
        .where(here, col(ResourceRow.undo) == false())
    )
    if sought is not None and sought.since is not None:
        statement = statement.where(col(ResourceRow.at) >= sought.since)
    if sought is not None and sought.agent:
        statement = statement.where(col(ActionRow.agent) == sought.agent)
    rows = session.execute(_TOUCHES.window(statement, request)).all()
    found = {}
    for touch, action, effect, undo in rows:
        change = _change(effect, touch.resource)
        found[(touch.resource, touch.at, touch.action_id)] = _affected(touch.resource, action, effect, undo, change)
    touches = [row[0] for row in rows]
    return _TOUCHES.page(touches, request, lambda touch: found[(touch.resource, touch.at, touch.action_id)])


def _of_customer(session: Session, name: str, sought: Sought, request: PageRequest) -> Page[Affected]:
    here: ColumnElement[bool] = col(EffectRow.run_id).in_(_runs_of(session, name))
    if sought.since is not None:
        here &= col(EffectRow.claimed_at) >= sought.since
    if sought.agent:
        here &= col(EffectRow.agent) == sought.agent
    return _done_in(session, here, request)


def _done_in(session: Session, here: ColumnElement[bool], request: PageRequest) -> Page[Affected]:
    """A page of effects, each as what it did to every record; one that names no record counts once, with no name."""
    statement = (
        select(EffectRow, ActionRow, UndoRow)
        .join(ActionRow, col(ActionRow.action_id) == col(EffectRow.action_id))
        .join(UndoRow, col(UndoRow.action_id) == col(EffectRow.action_id), isouter=True)
        .where(here)
    )
    rows = session.execute(_EFFECTS.window(statement, request)).all()
    shown = {effect.action_id: (action, undo) for effect, action, undo in rows}

    def told(effect: EffectRow) -> list[Affected]:
        action, undo = shown[effect.action_id]
        changes = [ResourceChange.model_validate(change) for change in effect.changes]
        named = [_affected(change.resource, action, effect, undo, change) for change in changes]
        return named or [_affected("", action, effect, undo, None)]

    page = _EFFECTS.page([row[0] for row in rows], request, told)
    return Page(tuple(each for several in page.items for each in several), page.next_cursor)


def _runs_of(session: Session, name: str) -> Sequence[str]:
    """Runs that touched a record of this id, or asked for something whose request names it, the newest of them."""
    touched = (
        select(col(ActionRow.run_id))
        .join(ResourceRow, col(ResourceRow.action_id) == col(ActionRow.action_id))
        .where(col(ResourceRow.resource).in_(_spelled(session, name)))
        .order_by(col(ResourceRow.at).desc())
        .limit(MOST_RUNS)
    )
    asked = (
        select(col(ApprovalRow.run_id))
        .join(ApprovalWordRow, col(ApprovalWordRow.approval_id) == col(ApprovalRow.id))
        .where(col(ApprovalWordRow.word) == name.rpartition("/")[2].lower())
        .order_by(col(ApprovalWordRow.created_at).desc())
        .limit(MOST_RUNS)
    )
    found = dict.fromkeys([*session.execute(touched).scalars(), *session.execute(asked).scalars()])
    return list(found)[:MOST_RUNS]


def _spelled(session: Session, name: str) -> list[str]:
    """Names of records with this name, or with this id in any table."""
    if "/" in name:
        return [name]
    spellings = {name, name.upper(), name.lower()}
    spellings |= {f"#{each}" for each in spellings}
    return sorted(f"{table}{each}" for table in records.tables(session) for each in spellings)


def _in_table(name: str) -> ColumnElement[bool]:
    prefix = f"{name.rstrip('/')}/"
    return (col(ResourceRow.resource) >= prefix) & (col(ResourceRow.resource) < prefix + _LAST)


def _refs(incident_id: str, kind: PartKind) -> Select[Any]:
    return select(col(IncidentPartRow.ref)).where(
        col(IncidentPartRow.incident_id) == incident_id, col(IncidentPartRow.kind) == kind.value
    )


def _change(effect: EffectRow, resource: str) -> ResourceChange | None:
    return next(
        (ResourceChange.model_validate(change) for change in effect.changes if change.get("resource") == resource), None
    )


def _affected(
    record: str, action: ActionRow, effect: EffectRow, undo: UndoRow | None, change: ResourceChange | None
) -> Affected:
    status = None if undo is None else UndoStatus(undo.status)
    return Affected(
        record=record,
        at=effect.finished_at or effect.claimed_at,
        action_id=action.action_id,
        run_id=action.run_id,
        agent=action.agent,
        type=action.type,
        sentence=action.sentence,
        status=EffectStatus(effect.status),
        undo=status,
        undone_at=undo.finished_at if undo is not None and status is UndoStatus.UNDONE else None,
        before=change.before if change else None,
        after=change.after if change else None,
    )

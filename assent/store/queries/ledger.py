"""The ledger as auditors ask for it: by run, action, agent, kind, record and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.store.queries.events import EventView, event_view
from assent.store.queries.paging import FIRST, Order, Page, PageRequest
from assent.store.tables import ActionRow, LedgerEventRow, LedgerLinkRow, ResourceRow

UNDO_KINDS = "undo."
"""How kinds of events begin that tell of taking an effect back."""

_LATE_COMMITS = 2_000
"""How far an event's id may be from where its time belongs: writers that overlap take ids and times independently."""


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """What is asked of the ledger; filters that are ``None`` do not count, the others must all hold.

    Attributes:
        run_id: Events of a run.
        action_id: Events of an action.
        agent: Events that concern an agent.
        kind: Events of one kind, ``effect.done``.
        since: Events at this time or later.
        until: Events before this time.
    """

    run_id: str | None = None
    action_id: str | None = None
    agent: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TouchView:
    """One time an action's effect, or its undo, touched a record.

    Attributes:
        resource: The record.
        at: When.
        action_id: The action.
        undo: It was taken back rather than done.
        run_id: The action's run.
        agent: Its agent.
        sentence: What the action does, in words.
        status: Where the action is in its life now.
    """

    resource: str
    at: datetime
    action_id: str
    undo: bool
    run_id: str
    agent: str
    sentence: str
    status: ActionStatus


_EVENTS = Order("ledger", [col(LedgerEventRow.id)])
_TOUCHES = Order("touches", [col(ResourceRow.at), col(ResourceRow.action_id), col(ResourceRow.undo)])


def page(session: Session, wanted: LedgerFilter = LedgerFilter(), *, request: PageRequest = FIRST) -> Page[EventView]:
    """Events, newest first."""
    rows = session.execute(_EVENTS.window(_chosen(session, wanted), request)).scalars().all()
    return _EVENTS.page(rows, request, event_view)


def touches(session: Session, resource: str, *, request: PageRequest = FIRST) -> Page[TouchView]:
    """Every effect and undo that touched a record, newest first."""
    statement = (
        select(ResourceRow, ActionRow)
        .join(ActionRow, col(ActionRow.action_id) == col(ResourceRow.action_id))
        .where(col(ResourceRow.resource) == resource)
    )
    found = session.execute(_TOUCHES.window(statement, request)).all()
    actions = {action.action_id: action for _, action in found}
    rows = [touch for touch, _ in found]
    return _TOUCHES.page(rows, request, lambda touch: _touch_view(touch, actions[touch.action_id]))


def page_of_resource(session: Session, resource: str, *, request: PageRequest = FIRST) -> Page[EventView]:
    """Everything that led to and followed from what touched a record, newest touch first.

    A page holds the events of up to ``request.limit`` touches: of an effect all events of its action but the undo,
    of an undo the events of the undo.
    """
    found = touches(session, resource, request=request)
    wanted = {touch.action_id for touch in found.items}
    by_action: dict[str, list[EventView]] = {action_id: [] for action_id in wanted}
    of_actions = (
        select(LedgerEventRow)
        .where(col(LedgerEventRow.action_id).in_(sorted(wanted)))
        .order_by(col(LedgerEventRow.action_id), col(LedgerEventRow.id))
    )
    for row in session.execute(of_actions).scalars() if wanted else ():
        by_action[row.action_id].append(event_view(row))
    events = tuple(
        event
        for touch in found.items
        for event in reversed(by_action[touch.action_id])
        if event.kind.startswith(UNDO_KINDS) == touch.undo
    )
    return Page(events, found.next_cursor)


def after(session: Session, event_id: int, *, limit: int = 1_000) -> tuple[tuple[EventView, str], ...]:
    """Sealed events from the chain after an event, in chain order, each with its link's hash; for exports."""
    start = select(col(LedgerLinkRow.seq)).where(col(LedgerLinkRow.event_id) == event_id)
    seq = session.execute(start).scalar_one_or_none() or 0
    statement = (
        select(LedgerEventRow, col(LedgerLinkRow.hash))
        .join(LedgerLinkRow, col(LedgerLinkRow.event_id) == col(LedgerEventRow.id))
        .where(col(LedgerLinkRow.seq) > seq)
        .order_by(col(LedgerLinkRow.seq))
        .limit(limit)
    )
    return tuple((event_view(row), link_hash) for row, link_hash in session.execute(statement))


def _chosen(session: Session, wanted: LedgerFilter) -> Select[LedgerEventRow]:
    statement = select(LedgerEventRow).where(col(LedgerEventRow.id) > 0)
    if wanted.action_id is not None:
        statement = statement.where(col(LedgerEventRow.action_id) == wanted.action_id)
    if wanted.run_id is not None:
        statement = statement.where(col(LedgerEventRow.run_id) == wanted.run_id)
    if wanted.agent is not None:
        statement = statement.where(col(LedgerEventRow.agent) == wanted.agent)
    if wanted.kind is not None:
        statement = statement.where(col(LedgerEventRow.kind) == wanted.kind)
    if wanted.since is not None:
        first = first_id_at(session, wanted.since)
        statement = statement.where(col(LedgerEventRow.id) >= first - _LATE_COMMITS)
        statement = statement.where(col(LedgerEventRow.at) >= wanted.since)
    if wanted.until is not None:
        first = first_id_at(session, wanted.until)
        statement = statement.where(col(LedgerEventRow.id) < first + _LATE_COMMITS)
        statement = statement.where(col(LedgerEventRow.at) < wanted.until)
    return statement


def first_id_at(session: Session, moment: datetime) -> int:
    """About the smallest id of the events at a time or later, found by halving: ids rise with time.

    An index by time would have to be written with every event; this costs some twenty look-ups by primary key when
    somebody asks.
    """
    low, high = _end(session, newest=False), _end(session, newest=True) + 1
    while low < high:
        middle = (low + high) // 2
        at_or_after = (
            select(col(LedgerEventRow.id), col(LedgerEventRow.at))
            .where(col(LedgerEventRow.id) >= middle)
            .order_by(col(LedgerEventRow.id))
            .limit(1)
        )
        found = session.execute(at_or_after).first()
        if found is None or found.at >= moment:
            high = middle
        else:
            low = found.id + 1
    return low


def _end(session: Session, *, newest: bool) -> int:
    ids: Sequence[int | None] = (
        session.execute(
            select(col(LedgerEventRow.id))
            .order_by(col(LedgerEventRow.id).desc() if newest else col(LedgerEventRow.id))
            .limit(1)
        )
        .scalars()
        .all()
    )
    return (ids[0] or 0) if ids else 0


def _touch_view(touch: ResourceRow, action: ActionRow) -> TouchView:
    return TouchView(
        resource=touch.resource,
        at=touch.at,
        action_id=touch.action_id,
        undo=touch.undo,
        run_id=action.run_id,
        agent=action.agent,
        sentence=action.sentence,
        status=ActionStatus(action.status),
    )

"""Effects in the scope of a rollback, newest first, page by page; and who worked on their records since."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, column, exists, select, values
from sqlalchemy.orm import Session, aliased
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.effects import EffectStatus, ResourceChange, UndoStatus
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.undo_steps import LaterWork
from assent.store import claims, pause_scopes, statements
from assent.store.tables import ActionRow, EffectRow, IncidentPartRow, ResourceRow, UndoRow

MOST_IN_FLIGHT = 1_000
"""Effects under way that a plan lists; there are never more than workers have hands."""

_effects, _actions = statements.table_of(EffectRow), statements.table_of(ActionRow)
_undos, _touches = statements.table_of(UndoRow), statements.table_of(ResourceRow)
_COLUMNS = (
    *(_effects.c[name] for name in ("action_id", "run_id", "agent", "type", "status", "finished_at", "changes")),
    _effects.c.undo_data,
    _effects.c.holder,
    *(_actions.c[name] for name in ("sentence", "arguments", "card_version")),
    _undos.c.status.label("undone"),
)
_EFFECTS = (
    select(*_COLUMNS)
    .join(_actions, _actions.c.action_id == _effects.c.action_id)
    .outerjoin(_undos, _undos.c.action_id == _effects.c.action_id)
)
_HAPPENED = _effects.c.finished_at.is_not(None) & (_effects.c.status != EffectStatus.FAILED.value)


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect as a rollback sees it."""

    action_id: str
    run_id: str
    agent: str
    type: str
    sentence: str
    arguments: dict[str, Json]
    status: EffectStatus
    finished_at: datetime | None
    changes: list[ResourceChange]
    undo_data: Json
    undone: UndoStatus | None
    attested: bool = False
    """A person said that it happened, and nothing is known that could take it back."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a scope a page ended: by time, then by the action's id."""

    at: datetime
    action_id: str


def page(session: Session, scope: RollbackScope, *, after: Position | None, limit: int) -> list[Effect]:
    """The next effects in scope that have an outcome, newest first; those that failed had none and are left out.

    Args:
        session: A reading one.
        scope: What is rolled back.
        after: Where the page before ended; ``None`` for the first one.
        limit: Effects at most.
    """
    if scope.kind is RollbackScopeKind.INCIDENT:
        return _of_incident(session, scope, after, limit)
    return [_effect(row) for row in session.execute(_within(scope, after).limit(limit))]


def under_way(session: Session, scope: RollbackScope) -> list[Effect]:
    """Effects in scope without an outcome, in the order of their ids.

    What they will have touched is not known yet: those of a record are the ones whose action names it as its target.
    """
    statement = _EFFECTS.where(_effects.c.status == EffectStatus.CLAIMED.value)
    within = _whose(scope)
    if within is not None:
        statement = statement.where(within)
    rows = session.execute(statement.order_by(_effects.c.action_id).limit(MOST_IN_FLIGHT)).all()
    if within is None and rows:
        theirs = _concerned(session, scope, {row.action_id: row.run_id for row in rows})
        rows = [row for row in rows if row.action_id in theirs]
    return [_effect(row) for row in rows]


def by_ids(session: Session, action_ids: Sequence[str]) -> dict[str, Effect]:
    """Effects of these actions, by id; those that failed had none and are left out."""
    if not action_ids:
        return {}
    statement = _EFFECTS.where(_effects.c.action_id.in_(action_ids), _effects.c.status != EffectStatus.FAILED.value)
    return {row.action_id: _effect(row) for row in session.execute(statement)}


def next_touches(session: Session, effects: Sequence[Effect]) -> dict[tuple[str, str], str]:
    """Who worked next on each record of these effects, by action and record; what was undone since does not count.

    Returns:
        The action's id, for each pair that has one.
    """
    wanted = [
        (effect.action_id, name, effect.finished_at)
        for effect in effects
        if effect.finished_at is not None
        for name in dict.fromkeys(change.resource for change in effect.changes)
    ]
    if not wanted:
        return {}
    given = (
        values(
            column("action_id", _touches.c.action_id.type),
            column("resource", _touches.c.resource.type),
            column("at", _touches.c.at.type),
            name="given",
        )
        .data(wanted)
        .cte("given")
    )
    later = aliased(ResourceRow)
    undone = exists().where(_undos.c.action_id == col(later.action_id), _undos.c.status == UndoStatus.UNDONE.value)
    nearest = (
        select(col(later.action_id))
        .where(
            col(later.resource) == given.c.resource,
            col(later.at) >= given.c.at,
            (col(later.at) > given.c.at) | (col(later.action_id) > given.c.action_id),
            col(later.action_id) != given.c.action_id,
            ~col(later.undo),
            ~undone,
        )
        .order_by(col(later.at), col(later.action_id))
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(select(given.c.action_id, given.c.resource, nearest.label("next")))
    return {(row.action_id, row.resource): row.next for row in rows if row.next is not None}


def as_later_work(effect: Effect, resource: str) -> LaterWork:
    """An effect as later work on a record."""
    assert effect.finished_at is not None
    return LaterWork(
        resource=resource,
        action_id=effect.action_id,
        run_id=effect.run_id,
        agent=effect.agent,
        sentence=effect.sentence,
        at=effect.finished_at,
    )


def _within(scope: RollbackScope, after: Position | None) -> Select[Any]:
    if scope.kind is RollbackScopeKind.RECORD:
        return _of_record(scope, after)
    within = _whose(scope)
    assert within is not None
    statement = _EFFECTS.where(within, _HAPPENED)
    return _ordered(statement, scope, after, _effects.c.finished_at, _effects.c.action_id)


def _of_record(scope: RollbackScope, after: Position | None) -> Select[Any]:
    statement = (
        select(*_COLUMNS)
        .select_from(_touches)
        .join(_effects, _effects.c.action_id == _touches.c.action_id)
        .join(_actions, _actions.c.action_id == _effects.c.action_id)
        .outerjoin(_undos, _undos.c.action_id == _effects.c.action_id)
        .where(_touches.c.resource == scope.id, ~_touches.c.undo, _HAPPENED)
    )
    return _ordered(statement, scope, after, _touches.c.at, _touches.c.action_id)


def _ordered(
    statement: Select[Any], scope: RollbackScope, after: Position | None, at: ColumnElement[Any], by: ColumnElement[Any]
) -> Select[Any]:
    if scope.since is not None:
        statement = statement.where(at >= scope.since)
    if scope.until is not None:
        statement = statement.where(at < scope.until)
    if after is not None:
        statement = statement.where(at <= after.at, (at < after.at) | (by < after.action_id))
    return statement.order_by(at.desc(), by.desc())


def _whose(scope: RollbackScope) -> ColumnElement[bool] | None:
    """What its effects have in common; ``None`` where that is no column of theirs."""
    match scope.kind:
        case RollbackScopeKind.ACTION:
            return _effects.c.action_id == scope.id
        case RollbackScopeKind.RUN:
            return _effects.c.run_id == scope.id
        case RollbackScopeKind.AGENT:
            return _effects.c.agent == scope.id
        case RollbackScopeKind.TYPE:
            return _effects.c.type == scope.id
        case RollbackScopeKind.VERSION:
            agent, _, version = scope.id.rpartition("@")
            number = int(version) if version.isdecimal() else -1
            return (_effects.c.agent == agent) & (_actions.c.card_version == number)
        case RollbackScopeKind.RECORD | RollbackScopeKind.INCIDENT:
            return None


def _of_incident(session: Session, scope: RollbackScope, after: Position | None, limit: int) -> list[Effect]:
    """The newest effects of the incident's runs and records: each one's own newest, put together."""
    found: dict[str, Effect] = {}
    parts = [_some(session, part, after, limit) for part in _parts(session, scope)]
    for effect in heapq.merge(*parts, key=_newness, reverse=True):
        found.setdefault(effect.action_id, effect)
        if len(found) == limit:
            break
    return list(found.values())


def _parts(session: Session, scope: RollbackScope) -> Iterator[RollbackScope]:
    kinds = [RollbackScopeKind.RUN.value, RollbackScopeKind.RECORD.value]
    rows = session.execute(
        select(col(IncidentPartRow.kind), col(IncidentPartRow.ref))
        .where(col(IncidentPartRow.incident_id) == scope.id, col(IncidentPartRow.kind).in_(kinds))
        .order_by(col(IncidentPartRow.kind), col(IncidentPartRow.ref))
    ).all()
    for kind, ref in rows:
        yield scope.model_copy(update={"kind": RollbackScopeKind(kind), "id": ref})


def _concerned(session: Session, scope: RollbackScope, runs: Mapping[str, str]) -> set[str]:
    """Those of some actions, given with their runs, that are about a record or belong to an incident."""
    targets = pause_scopes.targets_of(session, list(runs))
    if scope.kind is RollbackScopeKind.RECORD:
        return {action_id for action_id, record in targets.items() if record == scope.id}
    rows = session.execute(
        select(col(IncidentPartRow.kind), col(IncidentPartRow.ref)).where(
            col(IncidentPartRow.incident_id) == scope.id,
            col(IncidentPartRow.kind).in_([RollbackScopeKind.RUN.value, RollbackScopeKind.RECORD.value]),
            col(IncidentPartRow.ref).in_({*runs.values(), *targets.values()}),
        )
    )
    grouped = {(kind, ref) for kind, ref in rows.all()}
    return {
        action_id
        for action_id, run_id in runs.items()
        if (RollbackScopeKind.RUN.value, run_id) in grouped
        or (RollbackScopeKind.RECORD.value, targets.get(action_id, "")) in grouped
    }


def _some(session: Session, part: RollbackScope, after: Position | None, limit: int) -> Iterator[Effect]:
    """Effects of one part, fetched a few at a time, as the merge asks for them."""
    few = max(1, min(limit, 20))
    while True:
        rows = page(session, part, after=after, limit=few)
        yield from rows
        if len(rows) < few:
            return
        last = rows[-1]
        assert last.finished_at is not None
        after = Position(last.finished_at, last.action_id)


def _newness(effect: Effect) -> tuple[datetime, str]:
    assert effect.finished_at is not None
    return effect.finished_at, effect.action_id


def _effect(row: Row[Any]) -> Effect:
    return Effect(
        row.action_id,
        row.run_id,
        row.agent,
        row.type,
        row.sentence,
        row.arguments,
        EffectStatus(row.status),
        row.finished_at,
        [ResourceChange.model_validate(change) for change in row.changes],
        row.undo_data,
        UndoStatus(row.undone) if row.undone else None,
        row.holder == claims.ATTESTED,
    )

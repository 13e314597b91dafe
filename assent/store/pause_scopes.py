"""Scopes of pauses as conditions on rows, and what is under way or held in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session
from sqlmodel import SQLModel, col

from assent.domain.actions import ActionStatus
from assent.domain.effects import EffectStatus
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.targets import resource_named
from assent.store import cards
from assent.store.tables import (
    ActionRow,
    ApprovalRow,
    AskedAboutRow,
    EffectRow,
    PauseHoldRow,
    PauseRow,
    ResourceRow,
    RunLabelRow,
    RunRow,
)


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A claim without an outcome."""

    action_id: str
    run_id: str
    agent: str
    type: str
    holder: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """An action that a pause holds."""

    action_id: str
    run_id: str
    since: datetime


def within(table: type[SQLModel], scope: Scope) -> ColumnElement[bool]:
    """Whether a row of effects, actions, approvals or runs is in scope, as far as rows say it.

    A record is found by what effects touched and by what people were asked about. What is claimed or held has touched
    nothing yet: ask :func:`under_way` and :func:`held`.
    """
    rows: Any = table
    match scope.kind:
        case ScopeKind.EVERYTHING:
            return col(rows.run_id) != ""
        case ScopeKind.AGENT:
            return col(rows.agent) == scope.name
        case ScopeKind.RUN:
            return col(rows.run_id) == scope.name
        case ScopeKind.LABEL:
            labelled = select(col(RunLabelRow.run_id)).where(col(RunLabelRow.label) == scope.name)
            return col(rows.run_id).in_(labelled)
        case ScopeKind.VERSION:
            return _of_version(rows, scope)
        case ScopeKind.RECORD:
            return _of_record(rows, scope.name)
        case _:
            if table is RunRow:
                return col(RunRow.run_id).in_(select(col(ActionRow.run_id)).where(within(ActionRow, scope)))
            named = col(rows.type)
            if scope.kind is ScopeKind.TYPE:
                return named == scope.name
            return and_(named >= f"{scope.name}.", named < f"{scope.name}/")


def scope_of(row: PauseRow) -> Scope:
    """What a pause covers."""
    return Scope(kind=ScopeKind(row.scope_kind), name=row.scope_name)


def under_way(session: Session, scope: Scope) -> list[UnderWay]:
    """Claims in scope without an outcome, the oldest first."""
    found = select(EffectRow).where(col(EffectRow.status) == EffectStatus.CLAIMED.value)
    if scope.kind is not ScopeKind.RECORD:
        found = found.where(within(EffectRow, scope))
    rows = session.execute(found.order_by(col(EffectRow.claimed_at), col(EffectRow.action_id))).scalars().all()
    if scope.kind is ScopeKind.RECORD:
        about = _about_record(session, scope.name, [row.action_id for row in rows])
        rows = [row for row in rows if row.action_id in about]
    return [UnderWay(row.action_id, row.run_id, row.agent, row.type, row.holder, row.claimed_at) for row in rows]


def held(session: Session, pause_id: str, scope: Scope) -> list[Held]:
    """Actions that a pause holds, those first that have waited the longest."""
    noted = select(col(PauseHoldRow.action_id)).where(col(PauseHoldRow.pause_id) == pause_id)
    status = col(ActionRow.status) == ActionStatus.HELD.value
    found = select(col(ActionRow.action_id), col(ActionRow.run_id), col(ActionRow.proposed_at)).where(status)
    if scope.kind is not ScopeKind.RECORD:
        found = found.where(or_(within(ActionRow, scope), col(ActionRow.action_id).in_(noted)))
    rows: Sequence[Any] = session.execute(found.order_by(col(ActionRow.proposed_at), col(ActionRow.action_id))).all()
    if scope.kind is ScopeKind.RECORD:
        about = _about_record(session, scope.name, [row.action_id for row in rows])
        about |= set(session.execute(noted).scalars())
        rows = [row for row in rows if row.action_id in about]
    return [Held(row.action_id, row.run_id, row.proposed_at) for row in rows]


def _of_version(rows: Any, scope: Scope) -> ColumnElement[bool]:
    agent, _, number = scope.name.rpartition("@")
    if not number.isdecimal():
        return false()
    version = col(ActionRow.card_version) == int(number)
    if rows is ActionRow:
        return and_(col(ActionRow.agent) == agent, version)
    theirs = select(col(ActionRow.run_id if rows is RunRow else ActionRow.action_id))
    theirs = theirs.where(col(ActionRow.agent) == agent, version)
    return and_(col(rows.agent) == agent, col(rows.run_id if rows is RunRow else rows.action_id).in_(theirs))


def _of_record(rows: Any, record: str) -> ColumnElement[bool]:
    if rows is ApprovalRow:
        asked = select(col(AskedAboutRow.approval_id)).where(col(AskedAboutRow.resource) == record)
        return col(ApprovalRow.id).in_(asked)
    touched = select(col(ResourceRow.action_id)).where(col(ResourceRow.resource) == record)
    if rows is RunRow:
        return col(RunRow.run_id).in_(select(col(ActionRow.run_id)).where(col(ActionRow.action_id).in_(touched)))
    return col(rows.action_id).in_(touched)


def targets_of(session: Session, action_ids: Sequence[str]) -> dict[str, str]:
    """The records that some actions are about as their types declare it, by action; those without one are left out."""
    found: dict[str, str] = {}
    templates: dict[tuple[str, int], dict[str, str]] = {}
    for start in range(0, len(action_ids), _AT_ONCE):
        some = action_ids[start : start + _AT_ONCE]
        for row in session.execute(select(ActionRow).where(col(ActionRow.action_id).in_(some))).scalars():
            version = (row.agent, row.card_version)
            if version not in templates:
                templates[version] = _templates(session, *version)
            template = templates[version].get(row.type, "")
            if template and (record := resource_named(template, row.arguments)):
                found[row.action_id] = record
    return found


def _about_record(session: Session, record: str, action_ids: Sequence[str]) -> set[str]:
    """Those of some actions whose type says by its target that they are about a record."""
    return {action_id for action_id, named in targets_of(session, action_ids).items() if named == record}


def _templates(session: Session, agent: str, version: int) -> dict[str, str]:
    """The target of each action type as a card's catalogue declares it."""
    found = cards.read_version(session, agent, version)
    declared = found.catalogue.items() if found else ()
    return {name: (type.get("target") or {}).get("resource", "") for name, type in declared}


_AT_ONCE = 500
"""Actions looked up by one statement."""

"""When things happened in an incident: its ledger events in order, and its effects along a line of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, false, select, union
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.effects import EffectStatus, UndoStatus
from assent.domain.incidents import PartKind
from assent.store.queries import pauses, rollbacks
from assent.store.queries.events import EventView, event_view
from assent.store.queries.incidents import IncidentView, refs
from assent.store.queries.ledger import first_id_at
from assent.store.queries.paging import Page, PageRequest, decode, encode
from assent.store.queries.pauses import PauseView
from assent.store.queries.rollbacks import RollbackView
from assent.store.tables import (
    EffectRow,
    IncidentEventRow,
    IncidentPartRow,
    LedgerEventRow,
    ResourceRow,
    RollbackRow,
    UndoRow,
)

MOST_CONTROLS = 100
"""Pauses and rollbacks of an incident that are shown."""

MOST_EFFECTS = 5_000
"""Effects that are counted one by one; an incident with more says so."""

CONTROL_KINDS = (
    "pause.requested",
    "pause.changed",
    "pause.stop_asked",
    "pause.quiesced",
    "pause.compensating",
    "pause.resume_asked",
    "pause.releasing",
    "pause.released",
    "pause.fell_back",
    "pause.resumed",
    "rollback.awaiting",
    "rollback.decided",
    "rollback.started",
    "rollback.held",
    "rollback.continued",
    "rollback.retried",
    "rollback.settled",
    "rollback.refused",
    "rollback.ended",
)
"""Kinds of ledger events that a timeline shows of its pauses and rollbacks."""

_LIST = "incident-timeline"
_LATE_COMMITS = 2_000


@dataclass(frozen=True, slots=True)
class Done:
    """An effect of an incident as the line of time has it.

    Attributes:
        action_id: The action.
        run_id: Its run.
        agent: Its agent.
        type: Its action type.
        status: What became of it.
        at: When it was claimed.
        undone_at: When it was taken back; ``None`` if it stands.
    """

    action_id: str
    run_id: str
    agent: str
    type: str
    status: EffectStatus
    at: datetime
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Controls:
    """What people did about an incident: its pauses and rollbacks, oldest first."""

    pauses: tuple[PauseView, ...]
    rollbacks: tuple[RollbackView, ...]

    @property
    def ids(self) -> list[str]:
        """Ids of all of them."""
        return [*self.pause_ids, *self.rollback_ids]

    @property
    def pause_ids(self) -> list[str]:
        """Ids of the pauses."""
        return [each.id for each in self.pauses]

    @property
    def rollback_ids(self) -> list[str]:
        """Ids of the rollbacks."""
        return [each.id for each in self.rollbacks]


def effects(session: Session, incident: IncidentView) -> tuple[list[Done], bool]:
    """What was done in an incident's runs and to its records since it began, and whether there is more."""
    found = union(_in_runs(incident.id, incident.began_at), _on_records(incident.id, incident.began_at)).subquery()
    statement = (
        select(EffectRow, UndoRow)
        .join(found, found.c.action_id == col(EffectRow.action_id))
        .join(UndoRow, col(UndoRow.action_id) == col(EffectRow.action_id), isouter=True)
        .limit(MOST_EFFECTS + 1)
    )
    rows = session.execute(statement).all()
    done = [
        Done(
            effect.action_id,
            effect.run_id,
            effect.agent,
            effect.type,
            EffectStatus(effect.status),
            effect.claimed_at,
            _undone_at(undo),
        )
        for effect, undo in rows[:MOST_EFFECTS]
    ]
    return done, len(rows) > MOST_EFFECTS


def controls_of(session: Session, incident: IncidentView) -> Controls:
    """An incident's pauses and rollbacks, at most :data:`MOST_CONTROLS` of each."""
    return Controls(pauses_of(session, incident.id), rollbacks_of(session, incident))


def pauses_of(session: Session, incident_id: str) -> tuple[PauseView, ...]:
    """An incident's pauses, oldest first, at most :data:`MOST_CONTROLS`."""
    found = [pauses.one(session, ref) for ref in refs(session, incident_id, PartKind.PAUSE, limit=MOST_CONTROLS)]
    return tuple(sorted(found, key=lambda pause: (pause.requested_at, pause.id)))


def rollbacks_of(session: Session, incident: IncidentView) -> tuple[RollbackView, ...]:
    """An incident's rollbacks, oldest first: those it was told of, of itself, and of its runs since it was opened."""
    named = refs(session, incident.id, PartKind.ROLLBACK, limit=MOST_CONTROLS)
    found = {each: rollbacks.one(session, each) for each in named}
    found |= {each.id: each for each in rollbacks.of_scope(session, incident.id, limit=MOST_CONTROLS)}
    of_runs = (
        select(col(RollbackRow.scope_id))
        .where(
            col(RollbackRow.scope_id).in_(_refs(incident.id, PartKind.RUN)),
            col(RollbackRow.requested_at) >= incident.opened_at,
        )
        .distinct()
        .limit(MOST_CONTROLS)
    )
    for run_id in session.execute(of_runs).scalars():
        later = (each for each in rollbacks.of_scope(session, run_id) if each.requested_at >= incident.opened_at)
        found |= {each.id: each for each in later}
    return tuple(sorted(found.values(), key=lambda each: (each.requested_at, each.id))[:MOST_CONTROLS])


def timeline(
    session: Session, incident: IncidentView, *, request: PageRequest, controls: Iterable[str]
) -> Page[EventView]:
    """Ledger events of an incident, oldest first: its own, and those of its pauses and rollbacks.

    Args:
        session: To read with.
        incident: Which one.
        request: Which page.
        controls: Ids of its pauses and rollbacks, as :attr:`Controls.ids` gives them.
    """
    wanted = set(controls)
    after = 0 if request.cursor is None else int(decode(_LIST, request.cursor, [int])[0])
    limit = request.limit + 1
    own = (
        select(LedgerEventRow)
        .join(IncidentEventRow, col(IncidentEventRow.event_id) == col(LedgerEventRow.id))
        .where(col(IncidentEventRow.incident_id) == incident.id, col(IncidentEventRow.event_id) > after)
        .order_by(col(IncidentEventRow.event_id))
        .limit(limit)
    )
    found = [event_view(row) for row in session.execute(own).scalars()]
    if wanted:
        start = max(after, first_id_at(session, incident.began_at) - _LATE_COMMITS)
        for kind in CONTROL_KINDS:
            found += _of_controls(session, kind, wanted, start, limit)
    found.sort(key=lambda event: event.id)
    shown = found[: request.limit]
    more = encode(_LIST, [shown[-1].id]) if len(found) > request.limit else None
    return Page(tuple(shown), more)


def _of_controls(session: Session, kind: str, wanted: set[str], after: int, limit: int) -> list[EventView]:
    """Events of one kind about some pauses and rollbacks: there are few of these kinds, so the others are read over."""
    found: list[EventView] = []
    while True:
        statement = (
            select(LedgerEventRow)
            .where(col(LedgerEventRow.kind) == kind, col(LedgerEventRow.id) > after)
            .order_by(col(LedgerEventRow.id))
            .limit(limit)
        )
        events = [event_view(row) for row in session.execute(statement).scalars()]
        found += [each for each in events if {each.body.get("pause"), each.body.get("rollback")} & wanted]
        if len(events) < limit or len(found) >= limit:
            return found[:limit]
        after = events[-1].id


def _undone_at(undo: UndoRow | None) -> datetime | None:
    return undo.finished_at if undo is not None and undo.status == UndoStatus.UNDONE.value else None


def _in_runs(incident_id: str, since: datetime) -> Select[Any]:
    return select(col(EffectRow.action_id)).where(
        col(EffectRow.run_id).in_(_refs(incident_id, PartKind.RUN)), col(EffectRow.claimed_at) >= since
    )


def _on_records(incident_id: str, since: datetime) -> Select[Any]:
    return select(col(ResourceRow.action_id)).where(
        col(ResourceRow.resource).in_(_refs(incident_id, PartKind.RECORD)),
        col(ResourceRow.at) >= since,
        col(ResourceRow.undo) == false(),
    )


def _refs(incident_id: str, kind: PartKind) -> Select[Any]:
    return select(col(IncidentPartRow.ref)).where(
        col(IncidentPartRow.incident_id) == incident_id, col(IncidentPartRow.kind) == kind.value
    )

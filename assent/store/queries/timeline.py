"""The timeline of a run: its ledger events in order, and what is new since one of them."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.store.queries.events import EventView, event_view
from assent.store.tables import LedgerEventRow

TIMELINE_LIMIT = 500
"""Events read at once at most."""


def of_run(session: Session, run_id: str, *, after: int = 0, limit: int = TIMELINE_LIMIT) -> tuple[EventView, ...]:
    """Events of a run with an id greater than ``after``, oldest first; go on after the last one's id."""
    wanted = (
        select(LedgerEventRow)
        .where(col(LedgerEventRow.run_id) == run_id, col(LedgerEventRow.id) > after)
        .order_by(col(LedgerEventRow.id))
        .limit(min(limit, TIMELINE_LIMIT))
    )
    return tuple(event_view(row) for row in session.execute(wanted).scalars())


def of_action(session: Session, action_id: str, *, limit: int = TIMELINE_LIMIT) -> tuple[EventView, ...]:
    """Events of one action, oldest first."""
    wanted = (
        select(LedgerEventRow)
        .where(col(LedgerEventRow.action_id) == action_id)
        .order_by(col(LedgerEventRow.id))
        .limit(min(limit, TIMELINE_LIMIT))
    )
    return tuple(event_view(row) for row in session.execute(wanted).scalars())


def newest_id(session: Session) -> int:
    """The id of the newest event of all runs; 0 if there is none."""
    return session.execute(select(func.max(LedgerEventRow.id))).scalar_one() or 0


def of_runs_between(session: Session, *, after: int, limit: int = TIMELINE_LIMIT) -> tuple[EventView, ...]:
    """Events of everything with an id greater than ``after``, oldest first."""
    wanted = (
        select(LedgerEventRow)
        .where(col(LedgerEventRow.id) > after)
        .order_by(col(LedgerEventRow.id))
        .limit(min(limit, TIMELINE_LIMIT))
    )
    return tuple(event_view(row) for row in session.execute(wanted).scalars())

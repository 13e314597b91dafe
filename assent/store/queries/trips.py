"""Lists of breakers that fired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.breakers import BreakerRule
from assent.domain.errors import NotFound
from assent.domain.pauses import Disposition, Scope, ScopeKind
from assent.store.queries.paging import FIRST, Order, Page, PageRequest
from assent.store.tables import TripRow
from assent.store.trips import TripKind
from assent.store.waking import Woken

_ORDER = Order("trips", [col(TripRow.at), col(TripRow.id)])

OF_PAUSE = 10
"""Trips of one pause that are shown: the one that made it, and those in its ramps."""


@dataclass(frozen=True, slots=True)
class TripView:
    """One time that a breaker fired, with its rule and its figures as they were.

    Attributes:
        id: Its id.
        agent: Whose card the breaker is in.
        breaker: Its name.
        card_version: Version of the card.
        kind: It paused, or took a release back.
        scope: What it paused.
        disposition: What became of the work in it.
        pause_id: The pause.
        cause: The figures in words.
        measured: What was measured.
        threshold: What it must not exceed.
        cases: Cases that it was of.
        counted: Those that counted against it.
        since: From when on it counted.
        at: When it fired.
        rule: The breaker as it was.
        figures: Further figures.
        evidence: Ids of actions, newest first.
        fallback: What the agent is told meanwhile.
        woken: Who was woken.
    """

    id: str
    agent: str
    breaker: str
    card_version: int
    kind: TripKind
    scope: Scope
    disposition: Disposition
    pause_id: str
    cause: str
    measured: float
    threshold: float
    cases: int
    counted: int
    since: datetime
    at: datetime
    rule: BreakerRule
    figures: dict[str, Any]
    evidence: Sequence[str]
    fallback: Sequence[dict[str, Any]]
    woken: Sequence[Woken]


def page(session: Session, *, agent: str | None = None, request: PageRequest = FIRST) -> Page[TripView]:
    """Trips, newest first; those of one agent, or of all."""
    wanted = select(TripRow)
    if agent is not None:
        wanted = wanted.where(col(TripRow.agent) == agent)
    rows = session.execute(_ORDER.window(wanted, request)).scalars().all()
    return _ORDER.page(rows, request, _view)


def one(session: Session, trip_id: str) -> TripView:
    """One trip.

    Raises:
        NotFound: There is none of this id.
    """
    row = session.get(TripRow, trip_id)
    if row is None:
        raise NotFound(f"There is no trip {trip_id}.", where="trip", todo="`assent breaker trips` shows the newest.")
    return _view(row)


def of_pauses(session: Session, pause_ids: Sequence[str]) -> dict[str, list[TripView]]:
    """What fired by pause, newest first, for the pauses of a page."""
    found: dict[str, list[TripView]] = {}
    if pause_ids:
        wanted = (
            select(TripRow)
            .where(col(TripRow.pause_id).in_(pause_ids))
            .order_by(col(TripRow.at).desc())
            .limit(OF_PAUSE * len(pause_ids))
        )
        for row in session.execute(wanted).scalars():
            found.setdefault(row.pause_id, []).append(_view(row))
    return found


def _view(row: TripRow) -> TripView:
    return TripView(
        id=row.id,
        agent=row.agent,
        breaker=row.breaker,
        card_version=row.card_version,
        kind=TripKind(row.kind),
        scope=Scope(kind=ScopeKind(row.scope_kind), name=row.scope_name),
        disposition=Disposition(row.disposition),
        pause_id=row.pause_id,
        cause=row.cause,
        measured=row.measured,
        threshold=row.threshold,
        cases=row.cases,
        counted=row.counted,
        since=row.since,
        at=row.at,
        rule=BreakerRule.model_validate(row.rule),
        figures=row.figures,
        evidence=tuple(row.evidence),
        fallback=tuple(row.fallback),
        woken=tuple(Woken(**each) for each in row.woken),
    )

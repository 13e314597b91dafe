"""Figures on decisions, by agent and action type over a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import InvalidInput
from assent.domain.quality import Figures
from assent.store.quality import figures_of
from assent.store.queries.paging import Order, Page, PageRequest
from assent.store.tables import QualityDayRow, QualityKindRow

PERIODS = (7, 30, 90)
"""Days that figures are given for."""

KINDS = PageRequest(25)
"""Kinds of a page, so that it reads at most 2,250 rows."""


@dataclass(frozen=True, slots=True)
class KindFigures:
    """The figures of one agent's action type.

    Attributes:
        agent: The agent.
        type: Name of the action type.
        days: The period, in days, today (UTC) included.
        total: Over the whole period.
        daily: By day; days without anything are left out.
    """

    agent: str
    type: str
    days: int
    total: Figures
    daily: Mapping[date, Figures] = field(default_factory=dict)


_KINDS = Order("quality-kinds", [col(QualityKindRow.agent), col(QualityKindRow.type)], descending=False)


def page(
    session: Session, now: datetime, *, days: int = 30, agent: str | None = None, request: PageRequest = KINDS
) -> Page[KindFigures]:
    """Figures by agent and action type, in their order; today is the day of ``now`` in UTC.

    Raises:
        InvalidInput: ``days`` is none of :data:`PERIODS`.
    """
    if days not in PERIODS:
        raise InvalidInput(f"Figures are kept for {', '.join(map(str, PERIODS))} days.", where="days")
    wanted = select(QualityKindRow)
    if agent is not None:
        wanted = wanted.where(col(QualityKindRow.agent) == agent)
    rows = session.execute(_KINDS.window(wanted, request)).scalars().all()
    return _KINDS.page(rows, request, lambda row: of_kind(session, row.agent, row.type, now, days=days))


def of_kind(session: Session, agent: str, type: str, now: datetime, *, days: int) -> KindFigures:
    """The figures of one agent's action type."""
    first = (now.date() - timedelta(days=days - 1)).isoformat()
    rows = session.execute(
        select(QualityDayRow)
        .where(col(QualityDayRow.agent) == agent, col(QualityDayRow.type) == type, col(QualityDayRow.day) >= first)
        .order_by(col(QualityDayRow.day))
    ).scalars()
    daily = {date.fromisoformat(row.day): figures_of(row) for row in rows}
    return KindFigures(agent, type, days, sum(daily.values(), Figures()), daily)

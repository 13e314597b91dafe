"""Drills as pages and lists show them, and where an agent stands with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.drills import (
    DrillFigures,
    DrillStanding,
    DrillStatus,
    DrillTerms,
    StepDone,
    is_scratch,
    standing_of,
)
from assent.domain.durations import parse_duration
from assent.domain.errors import NotFound
from assent.domain.people import Actor
from assent.store.queries.paging import FIRST, Order, Page, PageRequest
from assent.store.tables import AgentRow, CardVersionRow, DrillRow


@dataclass(frozen=True, slots=True)
class DrillView:
    """A drill.

    Attributes:
        id: Its id.
        agent: The agent whose stop was rehearsed.
        scratch: The scratch copy of it.
        status: Where the drill is in its life.
        scheduled: It was due, and nobody asked for it.
        requested_by: Who asked for it.
        started_at: When it began.
        ended_at: When it ended.
        pause_id: Its pause; empty before it paused.
        rollback_id: Its rollback; empty before it rolled back.
        terms: What it had to keep to.
        figures: What it measured.
        steps: What it did so far, in order.
        reasons: Why it failed.
    """

    id: str
    agent: str
    scratch: str
    status: DrillStatus
    scheduled: bool
    requested_by: Actor
    started_at: datetime
    ended_at: datetime | None
    pause_id: str
    rollback_id: str
    terms: DrillTerms
    figures: DrillFigures
    steps: tuple[StepDone, ...]
    reasons: tuple[str, ...]


_DRILLS = Order("drills", [col(DrillRow.started_at), col(DrillRow.id)])


def page(session: Session, *, agent: str | None = None, request: PageRequest = FIRST) -> Page[DrillView]:
    """Drills, newest first."""
    statement = select(DrillRow)
    if agent is not None:
        statement = statement.where(col(DrillRow.agent) == agent)
    return _DRILLS.page(session.execute(_DRILLS.window(statement, request)).scalars().all(), request, _view)


def one(session: Session, drill_id: str) -> DrillView:
    """One drill.

    Raises:
        NotFound: There is no such drill.
    """
    row = session.get(DrillRow, drill_id)
    if row is None:
        raise NotFound(
            f"There is no drill {drill_id!r}.", where="drill_id", todo="`assent drill list` shows all of them."
        )
    return _view(row)


def standing(session: Session, agent: str, *, now: datetime) -> DrillStanding:
    """Where an agent stands with its drills, by the card in force.

    Raises:
        NotFound: There is no such agent.
    """
    row = session.execute(
        select(col(CardVersionRow.card))
        .join(
            AgentRow,
            (col(AgentRow.name) == col(CardVersionRow.agent)) & (col(AgentRow.version) == col(CardVersionRow.version)),
        )
        .where(col(AgentRow.name) == agent)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no agent {agent!r}.", where="agent", todo="`assent agent list` shows all.")
    return standing_under(session, agent, row[0].get("drills"), now=now)


def standing_under(session: Session, agent: str, block: dict[str, object] | None, *, now: datetime) -> DrillStanding:
    """Where an agent stands with its drills under a card's block of drills; ``None`` where the card has none."""
    last = _newest(session, agent, [DrillStatus.PASSED, DrillStatus.FAILED])
    passed = _newest(session, agent, [DrillStatus.PASSED])
    first = session.execute(
        select(func.min(col(CardVersionRow.published_at))).where(col(CardVersionRow.agent) == agent)
    ).scalar_one_or_none()
    block = block or {}
    every = block.get("every")
    found = DrillStanding(
        agent=agent,
        every=parse_duration(every) if every is not None else None,
        automatic=bool(block.get("automatic", True)),
        block_live=bool(block.get("block_live", False)),
        last_id=last.id if last else "",
        last_status=DrillStatus(last.status) if last else None,
        last_at=last.started_at if last else None,
        passed_at=passed.started_at if passed else None,
    )
    return standing_of(found, first_published_at=first or now, now=now)


def standings(session: Session, *, now: datetime) -> Sequence[DrillStanding]:
    """Where every agent stands whose card asks for drills, by name."""
    cards = session.execute(
        select(col(AgentRow.name), col(CardVersionRow.card))
        .join(
            CardVersionRow,
            (col(AgentRow.name) == col(CardVersionRow.agent)) & (col(AgentRow.version) == col(CardVersionRow.version)),
        )
        .order_by(col(AgentRow.name))
    ).all()
    return [
        standing_under(session, name, card["drills"], now=now)
        for name, card in cards
        if card.get("drills") and not is_scratch(name)
    ]


def _newest(session: Session, agent: str, of: Sequence[DrillStatus]) -> DrillRow | None:
    newest = [
        session.execute(
            select(DrillRow)
            .where(col(DrillRow.agent) == agent, col(DrillRow.status) == status.value)
            .order_by(col(DrillRow.started_at).desc())
            .limit(1)
        ).scalar_one_or_none()
        for status in of
    ]
    return max(filter(None, newest), key=lambda row: row.started_at, default=None)


def _view(row: DrillRow) -> DrillView:
    return DrillView(
        id=row.id,
        agent=row.agent,
        scratch=row.scratch,
        status=DrillStatus(row.status),
        scheduled=row.scheduled,
        requested_by=Actor.model_validate(row.requested_by),
        started_at=row.started_at,
        ended_at=row.ended_at,
        pause_id=row.pause_id,
        rollback_id=row.rollback_id,
        terms=DrillTerms.model_validate(row.terms),
        figures=DrillFigures.model_validate(row.figures),
        steps=tuple(StepDone.model_validate(step) for step in row.steps),
        reasons=tuple(row.reasons),
    )

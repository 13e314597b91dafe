"""What the figures suggest, and suggestions that people put aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.catalogue import ActionType
from assent.domain.errors import InvalidInput, NotFound
from assent.domain.people import MAX_REASON, Actor
from assent.domain.suggestions import DAYS, LONGEST_DISMISSAL, Direction, Suggestion, suggest
from assent.domain.tiers import Tier
from assent.store import ledger
from assent.store.queries import quality
from assent.store.queries.paging import PageRequest
from assent.store.tables import AgentRow, CardVersionRow, DismissalRow

MOST_KINDS = PageRequest(200)
"""Agents' action types that suggestions look at."""

_CARD = (
    select(col(CardVersionRow.card), col(CardVersionRow.catalogue))
    .join(
        AgentRow,
        (col(CardVersionRow.agent) == col(AgentRow.name)) & (col(CardVersionRow.version) == col(AgentRow.version)),
    )
    .where(col(AgentRow.name) == bindparam("for_agent"))
)


@dataclass(frozen=True, slots=True)
class Dismissed:
    """A suggestion that somebody put aside.

    Attributes:
        agent: The agent.
        type: Name of the action type.
        direction: Where it led.
        until: Until when.
        reason: Why.
        by: Who did.
        at: When.
    """

    agent: str
    type: str
    direction: Direction
    until: datetime
    reason: str
    by: Actor
    at: datetime


def open_ones(session: Session, now: datetime) -> list[Suggestion]:
    """What the figures suggest and nobody has put aside, stricter ones first."""
    aside = {(each.agent, each.type, each.direction) for each in dismissed(session, now)}
    found = [each for each in _all(session, now) if (each.agent, each.type, each.direction) not in aside]
    return sorted(found, key=lambda each: (each.direction is Direction.FREER, each.agent, each.type))


def dismissed(session: Session, now: datetime) -> list[Dismissed]:
    """Suggestions that are put aside now; a row for each that ever was, so there are few."""
    rows = session.execute(
        select(DismissalRow)
        .order_by(col(DismissalRow.agent), col(DismissalRow.type), col(DismissalRow.suggestion))
        .limit(MOST_KINDS.limit)
    ).scalars()
    return [_view(row) for row in rows if row.until > now]


def dismiss(
    session: Session, agent: str, type: str, direction: Direction, *, days: int, reason: str, by: Actor, at: datetime
) -> Dismissed:
    """Put a suggestion aside for some days; the ledger keeps who did and why.

    Raises:
        InvalidInput: No reason, or a time out of bounds.
        NotFound: Nothing of the kind is suggested now.
    """
    said = reason.strip()
    if not said or len(said) > MAX_REASON:
        raise InvalidInput("Say why, in at most 4,000 characters.", where="reason")
    if not 1 <= days <= LONGEST_DISMISSAL.days:
        raise InvalidInput(f"It can be put aside for 1 to {LONGEST_DISMISSAL.days} days.", where="days")
    if not any((each.agent, each.type, each.direction) == (agent, type, direction) for each in open_ones(session, at)):
        raise NotFound("Nothing of the kind is suggested now.", where="suggestion", todo="Look at the list again.")
    row = DismissalRow(
        agent=agent,
        type=type,
        suggestion=direction.value,
        until=at + timedelta(days=days),
        reason=said,
        person=by.model_dump(mode="json"),
        at=at,
    )
    session.merge(row)
    body = {"type": type, "suggestion": direction.value, "until": row.until.isoformat(), "reason": said}
    ledger.append(session, at=at, kind="quality.dismissed", actor=by, agent=agent, body=body)
    return _view(row)


def _all(session: Session, now: datetime) -> list[Suggestion]:
    figures = quality.page(session, now, days=DAYS, request=MOST_KINDS).items
    cards = {agent: _card(session, agent) for agent in {each.agent for each in figures}}
    found = []
    for each in figures:
        card, catalogue = cards[each.agent]
        rule, declared = card.get("actions", {}).get(each.type), catalogue.get(each.type)
        if rule and declared:
            tier = Tier[rule["tier"].upper()]
            found.append(suggest(each.agent, ActionType.model_validate(declared), tier, each.total))
    return [each for each in found if each is not None]


def _card(session: Session, agent: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """An agent's card in force, and the action types that it lists."""
    found = session.execute(_CARD, {"for_agent": agent}).first()
    return (found[0], found[1]) if found else ({}, {})


def _view(row: DismissalRow) -> Dismissed:
    return Dismissed(
        row.agent,
        row.type,
        Direction(row.suggestion),
        row.until,
        row.reason,
        Actor.model_validate(row.person),
        row.at,
    )

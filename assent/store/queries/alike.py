"""Requests that are alike: of one agent and one action type.

The kinds that wait are found by stepping from one to the next in an index, so that their number counts and not that of
the requests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.orm import Session

from assent.store import statements
from assent.store.queries.inbox_walk import Source
from assent.store.tables import ApprovalRow

MOST_KINDS = 200
"""Kinds that are told apart."""


@dataclass(frozen=True, slots=True)
class Kind:
    """An agent and an action type with something that waits.

    Attributes:
        agent: The agent.
        type: The action type.
        due_at: When its first request is due.
    """

    agent: str
    type: str
    due_at: datetime


def kinds(session: Session, source: Callable[[str], Source], *, agent: str | None = None) -> list[Kind]:
    """The kinds of requests in a source, by agent and type, at most :data:`MOST_KINDS` and one more.

    Args:
        session: Open.
        source: Gives the source under a name.
        agent: Only of this agent.
    """
    start = _first(source("start"), agent=agent).subquery()
    steps = select(start.c.agent, start.c.type, start.c.due_at, literal(1).label("place")).cte("steps", recursive=True)
    following = _first_id(source("same"), agent=steps.c.agent, type_after=steps.c.type)
    if agent is None:
        following = func.coalesce(following, _first_id(source("other"), agent_after=steps.c.agent))
    here = statements.table_of(ApprovalRow).alias("here")
    steps = steps.union_all(
        select(here.c.agent, here.c.type, here.c.expires_at, steps.c.place + 1)
        .join_from(steps, here, here.c.id == following)
        .where(steps.c.place <= MOST_KINDS)
    )
    return [Kind(row.agent, row.type, row.due_at) for row in session.execute(select(steps))]


def _first_id(source: Source, **where: Any) -> ColumnElement[str]:
    return _first(source, **where).with_only_columns(source.id).scalar_subquery()


def _first(source: Source, *, agent: Any = None, agent_after: Any = None, type_after: Any = None) -> Select[Any]:
    """The entry due first of the first kind there; one step down an index, as every condition is on its next column."""
    entries = select(source.agent.label("agent"), source.type.label("type"), source.due_at.label("due_at"))
    entries = entries.where(*source.within)
    if agent is not None:
        entries = entries.where(source.agent == agent)
    if agent_after is not None:
        entries = entries.where(source.agent > agent_after)
    if type_after is not None:
        entries = entries.where(source.type > type_after)
    return entries.order_by(source.agent, source.type, source.due_at, source.id).limit(1)

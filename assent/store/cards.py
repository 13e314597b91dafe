"""Publishing agent cards, and reading the one in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json, digest_of
from assent.domain.people import Actor
from assent.store import ledger
from assent.store.tables import AgentRow, CardVersionRow


@dataclass(frozen=True, slots=True)
class CardVersion:
    """A published card."""

    agent: str
    version: int
    digest: str
    card: dict[str, Any]
    catalogue: dict[str, Any]


def publish(
    session: Session,
    *,
    agent: str,
    title: str,
    source: str,
    card: dict[str, Json],
    catalogue: dict[str, Json],
    at: datetime,
    by: Actor,
) -> tuple[int, bool]:
    """Make a card the one in force, as a new version unless it equals the newest.

    Args:
        session: The transaction.
        agent: The agent's name.
        title: Its name for people.
        source: The card as its author wrote it.
        card: The card as JSON.
        catalogue: The action types it lists, as JSON by name.
        at: When.
        by: Who publishes it.

    Returns:
        The version in force and whether it is new.
    """
    digest = digest_of({"card": card, "catalogue": catalogue})
    newest = session.execute(
        select(CardVersionRow)
        .where(col(CardVersionRow.agent) == agent)
        .order_by(col(CardVersionRow.version).desc())
        .limit(1)
    ).scalar_one_or_none()
    if newest is not None and newest.digest == digest:
        return newest.version, False
    version = newest.version + 1 if newest else 1
    row = {"digest": digest, "source": source, "card": card, "catalogue": catalogue}
    session.execute(
        insert(CardVersionRow).values(agent=agent, version=version, published_at=at, published_by=by.name, **row)
    )
    session.merge(AgentRow(name=agent, title=title, version=version, updated_at=at))
    ledger.append(
        session,
        at=at,
        kind="card.published",
        actor=by,
        agent=agent,
        body={"version": version, "digest": digest, "title": title},
    )
    return version, True


def version_in_force(session: Session, agent: str) -> int | None:
    """The version of an agent's card in force; ``None`` if there is no such agent."""
    return session.execute(select(col(AgentRow.version)).where(col(AgentRow.name) == agent)).scalar_one_or_none()


def published_by(session: Session, agent: str) -> tuple[int, str] | None:
    """The version of an agent's card in force and who published it; ``None`` if there is no such agent."""
    row = session.execute(
        select(col(CardVersionRow.version), col(CardVersionRow.published_by))
        .join(
            AgentRow,
            (col(AgentRow.name) == col(CardVersionRow.agent)) & (col(AgentRow.version) == col(CardVersionRow.version)),
        )
        .where(col(AgentRow.name) == agent)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def all_in_force(session: Session, agent: str = "") -> list[CardVersion]:
    """The cards in force of one agent, or of all."""
    found = select(CardVersionRow).join(
        AgentRow,
        (col(AgentRow.name) == col(CardVersionRow.agent)) & (col(AgentRow.version) == col(CardVersionRow.version)),
    )
    if agent:
        found = found.where(col(AgentRow.name) == agent)
    rows = session.execute(found.order_by(col(AgentRow.name))).scalars()
    return [CardVersion(row.agent, row.version, row.digest, row.card, row.catalogue) for row in rows]


def types_known(session: Session) -> set[str]:
    """Names of the action types that any published card lists, in force or not: runs under way may still use them."""
    known: set[str] = set()
    for catalogue in session.execute(select(col(CardVersionRow.catalogue))).scalars():
        known |= catalogue.keys()
    return known


def read_version(session: Session, agent: str, version: int) -> CardVersion | None:
    """One published version."""
    row = session.get(CardVersionRow, (agent, version))
    if row is None:
        return None
    return CardVersion(row.agent, row.version, row.digest, row.card, row.catalogue)

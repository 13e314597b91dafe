"""Agents, their cards and how much they are doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus
from assent.domain.canonical import Json
from assent.domain.errors import NotFound
from assent.domain.runs import RunStatus
from assent.store.queries.paging import COUNT_CAP, FIRST, Order, Page, PageRequest, count_up_to
from assent.store.queries.scratch import not_of_drills
from assent.store.tables import AgentKeyRow, AgentRow, ApprovalRow, CardVersionRow, RunRow


@dataclass(frozen=True, slots=True)
class CardVersionView:
    """A published version of an agent card.

    Attributes:
        version: 1 and counting.
        digest: SHA-256 of the card.
        published_at: When.
        published_by: Who.
    """

    version: int
    digest: str
    published_at: datetime
    published_by: str


@dataclass(frozen=True, slots=True)
class AgentCounts:
    """What an agent is doing; counts stop at :data:`~assent.store.queries.paging.COUNT_CAP`.

    Attributes:
        running: Runs under way.
        waiting: Runs that wait for a person.
        held: Runs that a pause holds.
        completed: Runs that ended well.
        failed: Runs that failed.
        stopped: Runs that were stopped.
        pending_approvals: Requests that wait for a person.
    """

    running: int = 0
    waiting: int = 0
    held: int = 0
    completed: int = 0
    failed: int = 0
    stopped: int = 0
    pending_approvals: int = 0


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent with the card in force.

    Attributes:
        name: Its name.
        title: What it is for, in a few words.
        version: Version of the card in force.
        updated_at: When that came into force.
        card: The card's content.
        catalogue: The action types it lists, by name.
        source: The card as it was written.
        digest: SHA-256 of the card.
        published_by: Who published it.
        counts: What it is doing; only filled by :func:`one`.
    """

    name: str
    title: str
    version: int
    updated_at: datetime
    card: dict[str, Json]
    catalogue: dict[str, Json]
    source: str
    digest: str
    published_by: str
    counts: AgentCounts = AgentCounts()


@dataclass(frozen=True, slots=True)
class KeyView:
    """An agent's key, without the key.

    Attributes:
        id: Its id.
        agent: Whose it is.
        name: What it is called.
        scopes: What it may do.
        created_at: When it was made.
        expires_at: When it ends by itself.
        revoked_at: When it was ended.
    """

    id: str
    agent: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


_AGENTS = Order("agents", [col(AgentRow.name)], descending=False)
_VERSIONS = Order("card-versions", [col(CardVersionRow.version)])


def page(session: Session, *, request: PageRequest = FIRST) -> Page[AgentView]:
    """Agents by name, without counts."""
    wanted = _with_card().where(not_of_drills(col(AgentRow.name)))
    found = session.execute(_AGENTS.window(wanted, request)).all()
    cards = {agent.name: card for agent, card in found}
    return _AGENTS.page([agent for agent, _ in found], request, lambda agent: _view(agent, cards[agent.name]))


def names(session: Session, *, limit: int = 200) -> list[str]:
    """Names of agents, in order, without their cards."""
    wanted = select(col(AgentRow.name)).where(not_of_drills(col(AgentRow.name)))
    return list(session.execute(wanted.order_by(col(AgentRow.name)).limit(limit)).scalars())


def one(session: Session, name: str) -> AgentView:
    """One agent with its counts.

    Raises:
        NotFound: There is no such agent.
    """
    found = session.execute(_with_card().where(col(AgentRow.name) == name)).first()
    if found is None:
        raise NotFound(
            f"There is no agent {name!r}.", where="agent", todo="Publish its card: `assent agent publish FILE`."
        )
    return _view(found[0], found[1], _counts(session, name))


def versions(session: Session, name: str, *, request: PageRequest = FIRST) -> Page[CardVersionView]:
    """Versions of an agent's card, newest first."""
    wanted = select(CardVersionRow).where(col(CardVersionRow.agent) == name)
    return _VERSIONS.page(session.execute(_VERSIONS.window(wanted, request)).scalars().all(), request, _version_view)


def version(session: Session, name: str, number: int) -> tuple[CardVersionView, dict[str, Json], str]:
    """One version of an agent's card: what is known of it, its content, and its source.

    Raises:
        NotFound: There is no such version.
    """
    row = session.get(CardVersionRow, (name, number))
    if row is None:
        raise NotFound(f"Agent {name!r} has no card version {number}.", where="version")
    return _version_view(row), row.card, row.source


def keys(session: Session, name: str) -> tuple[KeyView, ...]:
    """Keys of an agent, newest first, without the keys themselves."""
    rows = session.execute(select(AgentKeyRow).where(col(AgentKeyRow.agent) == name)).scalars()
    return tuple(_key_view(row) for row in sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True))


def _with_card() -> Select[AgentRow, CardVersionRow]:
    return select(AgentRow, CardVersionRow).join(
        CardVersionRow,
        (col(CardVersionRow.agent) == col(AgentRow.name)) & (col(CardVersionRow.version) == col(AgentRow.version)),
    )


def _counts(session: Session, name: str) -> AgentCounts:
    runs = {
        status.value: count_up_to(
            session,
            select(col(RunRow.run_id)).where(col(RunRow.agent) == name, col(RunRow.status) == status.value),
            COUNT_CAP,
        )
        for status in RunStatus
    }
    pending = select(col(ApprovalRow.id)).where(
        col(ApprovalRow.agent) == name, col(ApprovalRow.status) == ApprovalStatus.PENDING.value
    )
    return AgentCounts(**runs, pending_approvals=count_up_to(session, pending, COUNT_CAP))


def _view(agent: AgentRow, card: CardVersionRow, counts: AgentCounts = AgentCounts()) -> AgentView:
    return AgentView(
        name=agent.name,
        title=agent.title,
        version=agent.version,
        updated_at=agent.updated_at,
        card=card.card,
        catalogue=card.catalogue,
        source=card.source,
        digest=card.digest,
        published_by=card.published_by,
        counts=counts,
    )


def _version_view(row: CardVersionRow) -> CardVersionView:
    return CardVersionView(
        version=row.version, digest=row.digest, published_at=row.published_at, published_by=row.published_by
    )


def _key_view(row: AgentKeyRow) -> KeyView:
    return KeyView(
        id=row.id,
        agent=row.agent,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )

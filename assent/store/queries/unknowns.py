"""Effects that nobody knows about, oldest first, and what was found out of earlier ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import RequestCard
from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.effects import EffectStatus, ResourceChange
from assent.domain.errors import NotFound
from assent.domain.people import Actor
from assent.domain.settling import SettledBy
from assent.store.queries import runs
from assent.store.queries.paging import COUNT_CAP, FIRST, Order, Page, PageRequest, count_up_to
from assent.store.queries.runs import ActionView, RunView
from assent.store.tables import ActionRow, AgentRow, ApprovalRow, CardVersionRow, EffectRow, UnknownEffectRow

MOST_OF_A_RUN = 50
"""Questions of one run that are read at once."""


@dataclass(frozen=True, slots=True)
class UnknownView:
    """An effect that nobody knows about, or that nobody knew about.

    Attributes:
        action_id: The action; also the idempotency key that it was tried with.
        run_id: Its run.
        agent: Its agent.
        type: Its action type.
        sentence: What it does, in words.
        found_at: Since when it is unknown.
        tried_at: When it was tried.
        attempts: Which attempt that was, from 1.
        said: What the connector said last, or what is known of the attempt.
        asked_at: When the connector was asked last; ``None`` if it was not since.
        looks: How often workers asked by themselves.
        look_at: When they ask next; ``None`` if they do not any more.
        settled_at: When it was found out; ``None`` while it is unknown.
        settled_by: Who said it.
        how: Whether the connector or a person said it.
        happened: What they said.
        note: How they found out.
        reference: What the other system calls it.
    """

    action_id: str
    run_id: str
    agent: str
    type: str
    sentence: str
    found_at: datetime
    tried_at: datetime
    attempts: int
    said: str
    asked_at: datetime | None
    looks: int
    look_at: datetime | None
    settled_at: datetime | None
    settled_by: Actor | None
    how: SettledBy | None
    happened: bool | None
    note: str
    reference: str

    @property
    def open(self) -> bool:
        """Whether somebody still has to find out."""
        return self.settled_at is None


@dataclass(frozen=True, slots=True)
class UnknownInFull:
    """Everything that somebody needs to find out what became of an effect.

    Attributes:
        view: The question.
        action: The action, declared secrets of its arguments replaced.
        run: Its run.
        type: What the connector declares of its type; ``None`` if the card that admitted it does not list it.
        effect: What the effect is now; ``None`` if it is tried again.
        foreseen: Records that people were shown when they approved it.
        arguments: The arguments whole, for sentences that fill them in; never shown as they are.
    """

    view: UnknownView
    action: ActionView
    run: RunView
    type: ActionType | None
    effect: EffectStatus | None
    foreseen: tuple[ResourceChange, ...] = ()
    arguments: dict[str, Json] = field(default_factory=dict)


_OPEN = Order("unknown effects", [col(UnknownEffectRow.found_at), col(UnknownEffectRow.action_id)], descending=False)
_SETTLED = Order("settled effects", [col(UnknownEffectRow.settled_at), col(UnknownEffectRow.action_id)])


def page(session: Session, *, agent: str | None = None, request: PageRequest = FIRST) -> Page[UnknownView]:
    """Effects that are unknown now, the longest unknown first."""
    rows = session.execute(_OPEN.window(_open(agent), request)).scalars().all()
    return _OPEN.page(rows, request, lambda row: _view(row, _sentence(session, row)))


def settled(session: Session, *, request: PageRequest = FIRST) -> Page[UnknownView]:
    """Effects that were unknown and are not any more, the last one settled first."""
    wanted = select(UnknownEffectRow).where(col(UnknownEffectRow.settled_at).is_not(None))
    rows = session.execute(_SETTLED.window(wanted, request)).scalars().all()
    return _SETTLED.page(rows, request, lambda row: _view(row, _sentence(session, row)))


def count(session: Session, *, agent: str | None = None, cap: int = COUNT_CAP) -> int:
    """How many are unknown, counting no further than ``cap``."""
    return count_up_to(session, _open(agent), cap)


def tally(session: Session, *, most: int) -> Counter[tuple[str, str]]:
    """How many of the ``most`` longest unknown effects are of each agent and action type."""
    rows = session.execute(
        _open(None)
        .with_only_columns(col(UnknownEffectRow.agent), col(UnknownEffectRow.type))
        .order_by(col(UnknownEffectRow.found_at), col(UnknownEffectRow.action_id))
        .limit(most)
    )
    return Counter((agent, type) for agent, type in rows)


def kinds(session: Session, *, limit: int = 200) -> list[tuple[str, str]]:
    """Agents and action types of the longest unknown effects."""
    rows = session.execute(
        _open(None).order_by(col(UnknownEffectRow.found_at), col(UnknownEffectRow.action_id)).limit(limit)
    ).scalars()
    return sorted({(row.agent, row.type) for row in rows})


def of_run(session: Session, run_id: str) -> dict[str, UnknownView]:
    """What is or was unknown in a run, by action."""
    rows = session.execute(
        select(UnknownEffectRow).where(col(UnknownEffectRow.run_id) == run_id).limit(MOST_OF_A_RUN)
    ).scalars()
    return {row.action_id: _view(row, "") for row in rows}


def one(session: Session, action_id: str) -> UnknownInFull:
    """Everything about one.

    Raises:
        NotFound: It is not unknown and never was.
    """
    row = session.get(UnknownEffectRow, action_id)
    if row is None:
        raise NotFound(
            f"Nobody ever had to find out about an effect of {action_id!r}.",
            where="action_id",
            todo="`assent effect list` shows those that are unknown.",
        )
    action = runs.action(session, action_id)
    raw = session.get(ActionRow, action_id)
    effect = session.get(EffectRow, action_id)
    return UnknownInFull(
        view=_view(row, action.sentence),
        action=action,
        run=runs.one(session, row.run_id),
        type=_type(session, action),
        effect=EffectStatus(effect.status) if effect else None,
        foreseen=_foreseen(session, action.approval_id),
        arguments=raw.arguments if raw else {},
    )


def _open(agent: str | None) -> Select[UnknownEffectRow]:
    wanted = select(UnknownEffectRow).where(col(UnknownEffectRow.settled_at).is_(None))
    return wanted if agent is None else wanted.where(col(UnknownEffectRow.agent) == agent)


def _sentence(session: Session, row: UnknownEffectRow) -> str:
    found = session.execute(select(col(ActionRow.sentence)).where(col(ActionRow.action_id) == row.action_id))
    return found.scalar_one_or_none() or ""


def _type(session: Session, action: ActionView) -> ActionType | None:
    version = action.card_version
    if not version:
        agent = session.get(AgentRow, action.agent)
        version = agent.version if agent else 0
    published = session.get(CardVersionRow, (action.agent, version))
    declared = published.catalogue.get(action.type) if published else None
    return ActionType.model_validate(declared) if declared else None


def _foreseen(session: Session, approval_id: str | None) -> tuple[ResourceChange, ...]:
    asked = session.get(ApprovalRow, approval_id) if approval_id else None
    return tuple(RequestCard.model_validate(asked.card).changes) if asked else ()


def _view(row: UnknownEffectRow, sentence: str) -> UnknownView:
    return UnknownView(
        action_id=row.action_id,
        run_id=row.run_id,
        agent=row.agent,
        type=row.type,
        sentence=sentence,
        found_at=row.found_at,
        tried_at=row.tried_at,
        attempts=row.attempts,
        said=row.said,
        asked_at=row.asked_at,
        looks=row.looks,
        look_at=row.look_at,
        settled_at=row.settled_at,
        settled_by=None if row.settled_by is None else Actor.model_validate(row.settled_by),
        how=SettledBy(row.how) if row.how else None,
        happened=row.happened,
        note=row.note,
        reference=row.reference,
    )

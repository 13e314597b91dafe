"""What a pause found under way, what it holds, and what it let go: for the page of what is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.effects import EffectStatus
from assent.domain.pauses import Scope, ScopeKind
from assent.store.queries import stopping
from assent.store.queries.paging import COUNT_CAP, PageRequest
from assent.store.queries.stopping import ClaimView, PauseRollbackView
from assent.store.tables import ActionRow, PauseHoldRow, PauseReleaseRow, PauseRow

SHOWN = 20
"""Claims, held actions and runs shown of each kind."""


@dataclass(frozen=True, slots=True)
class HeldView:
    """An action that a pause holds.

    Attributes:
        action_id: The action.
        run_id: The run.
        agent: Its agent.
        sentence: What it would do.
        since: Since when it is held.
        others: What else holds it: the scopes of other pauses in force.
    """

    action_id: str
    run_id: str
    agent: str
    sentence: str
    since: datetime
    others: tuple[Scope, ...]


@dataclass(frozen=True, slots=True)
class ReleasedRun:
    """A run that a pause let go.

    Attributes:
        run_id: The run.
        at: When.
        stage: At which step of letting go.
        taken_back_at: When it was held again.
    """

    run_id: str
    at: datetime
    stage: int
    taken_back_at: datetime | None


@dataclass(frozen=True, slots=True)
class PauseDetails:
    """What there is to a pause, the first :data:`SHOWN` of each list.

    Attributes:
        claims: What was under way, what still is first.
        held: What it holds.
        held_total: How many actions it holds, counted up to the cap.
        released: Runs it let go.
        rollbacks: Runs it rolls back.
    """

    claims: tuple[ClaimView, ...]
    held: tuple[HeldView, ...]
    held_total: int
    released: tuple[ReleasedRun, ...]
    rollbacks: tuple[PauseRollbackView, ...]


def details(session: Session, pause_id: str) -> PauseDetails:
    """Everything there is to a pause, each list cut.

    Raises:
        NotFound: There is no such pause.
    """
    first = PageRequest(SHOWN)
    claims = stopping.claims(session, pause_id, request=first).items
    return PauseDetails(
        tuple(sorted(claims, key=lambda each: each.status is not EffectStatus.CLAIMED)),
        _held(session, pause_id),
        _held_total(session, pause_id),
        _released(session, pause_id),
        stopping.rollbacks(session, pause_id, request=first).items,
    )


def _holding(pause_id: str) -> ColumnElement[bool]:
    return and_(col(PauseHoldRow.pause_id) == pause_id, col(ActionRow.status) == ActionStatus.HELD.value)


def _held(session: Session, pause_id: str) -> tuple[HeldView, ...]:
    statement = (
        select(PauseHoldRow, col(ActionRow.agent), col(ActionRow.sentence))
        .join(ActionRow, col(ActionRow.action_id) == col(PauseHoldRow.action_id))
        .where(_holding(pause_id))
        .order_by(col(PauseHoldRow.action_id))
        .limit(SHOWN)
    )
    rows = session.execute(statement).all()
    others = _others(session, pause_id, [hold.action_id for hold, _, _ in rows])
    return tuple(
        HeldView(hold.action_id, hold.run_id, agent, sentence, hold.since, tuple(others.get(hold.action_id, ())))
        for hold, agent, sentence in rows
    )


def _others(session: Session, pause_id: str, action_ids: list[str]) -> dict[str, list[Scope]]:
    """The scopes of other pauses in force that hold the same actions."""
    if not action_ids:
        return {}
    statement = (
        select(col(PauseHoldRow.action_id), col(PauseRow.scope_kind), col(PauseRow.scope_name))
        .join(PauseRow, col(PauseRow.id) == col(PauseHoldRow.pause_id))
        .where(
            col(PauseHoldRow.action_id).in_(action_ids),
            col(PauseHoldRow.pause_id) != pause_id,
            col(PauseRow.active),
        )
        .order_by(col(PauseHoldRow.pause_id))
    )
    found: dict[str, list[Scope]] = {}
    for action_id, kind, name in session.execute(statement):
        found.setdefault(action_id, []).append(Scope(kind=ScopeKind(kind), name=name))
    return found


def _held_total(session: Session, pause_id: str) -> int:
    some = (
        select(col(PauseHoldRow.action_id))
        .join(ActionRow, col(ActionRow.action_id) == col(PauseHoldRow.action_id))
        .where(_holding(pause_id))
        .limit(COUNT_CAP)
    )
    return session.execute(select(func.count()).select_from(some.subquery())).scalar_one()


def _released(session: Session, pause_id: str) -> tuple[ReleasedRun, ...]:
    statement = (
        select(PauseReleaseRow)
        .where(col(PauseReleaseRow.pause_id) == pause_id)
        .order_by(col(PauseReleaseRow.run_id))
        .limit(SHOWN)
    )
    found = [
        ReleasedRun(row.run_id, row.released_at, row.stage, row.taken_back_at)
        for row in session.execute(statement).scalars()
    ]
    return tuple(sorted(found, key=lambda each: each.at))

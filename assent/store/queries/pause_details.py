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
from assent.store.queries.paging import COUNT_CAP
from assent.store.tables import (
    ActionRow,
    EffectRow,
    PauseClaimRow,
    PauseHoldRow,
    PauseReleaseRow,
    PauseRollbackRow,
    PauseRow,
)

SHOWN = 20
"""Claims, held actions and runs shown of each kind."""


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim that was under way when a pause began.

    Attributes:
        action_id: Its action.
        run_id: The run.
        sentence: What it does, in words; empty if nobody wrote it down.
        type: Its action type.
        status: Where it stands now: claimed, done, failed or unknown.
        since: When it was claimed.
        asked_at: When it was asked to stop; ``None`` if it was not.
        finished_at: When it had an outcome.
    """

    action_id: str
    run_id: str
    sentence: str
    type: str
    status: EffectStatus
    since: datetime
    asked_at: datetime | None
    finished_at: datetime | None


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
class RunOfPause:
    """A run that a pause let go, or rolls back.

    Attributes:
        run_id: The run.
        at: When.
        stage: At which step of letting go; 0 for a rollback.
        taken_back_at: When it was held again.
        rollback_id: Its rollback; empty if it is none.
    """

    run_id: str
    at: datetime
    stage: int = 0
    taken_back_at: datetime | None = None
    rollback_id: str = ""


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
    released: tuple[RunOfPause, ...]
    rollbacks: tuple[RunOfPause, ...]


def details(session: Session, pause_id: str) -> PauseDetails:
    """Everything there is to a pause, each list cut."""
    return PauseDetails(
        _claims(session, pause_id),
        _held(session, pause_id),
        _held_total(session, pause_id),
        _released(session, pause_id),
        _rollbacks(session, pause_id),
    )


def _claims(session: Session, pause_id: str) -> tuple[ClaimView, ...]:
    statement = (
        select(PauseClaimRow, col(EffectRow.status), col(EffectRow.finished_at), col(ActionRow.sentence))
        .join(EffectRow, col(EffectRow.action_id) == col(PauseClaimRow.action_id), isouter=True)
        .join(ActionRow, col(ActionRow.action_id) == col(PauseClaimRow.action_id), isouter=True)
        .where(col(PauseClaimRow.pause_id) == pause_id)
        .order_by(col(PauseClaimRow.action_id))
        .limit(SHOWN)
    )
    found = [
        ClaimView(
            claim.action_id,
            claim.run_id,
            sentence or "",
            claim.type,
            EffectStatus(status or EffectStatus.CLAIMED.value),
            claim.since,
            claim.asked_at,
            finished_at,
        )
        for claim, status, finished_at, sentence in session.execute(statement)
    ]
    return tuple(sorted(found, key=lambda each: (each.status is not EffectStatus.CLAIMED, each.since)))


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


def _released(session: Session, pause_id: str) -> tuple[RunOfPause, ...]:
    statement = (
        select(PauseReleaseRow)
        .where(col(PauseReleaseRow.pause_id) == pause_id)
        .order_by(col(PauseReleaseRow.run_id))
        .limit(SHOWN)
    )
    found = [
        RunOfPause(row.run_id, row.released_at, row.stage, row.taken_back_at)
        for row in session.execute(statement).scalars()
    ]
    return tuple(sorted(found, key=lambda each: each.at))


def _rollbacks(session: Session, pause_id: str) -> tuple[RunOfPause, ...]:
    statement = (
        select(PauseRollbackRow)
        .where(col(PauseRollbackRow.pause_id) == pause_id)
        .order_by(col(PauseRollbackRow.run_id))
        .limit(SHOWN)
    )
    return tuple(
        RunOfPause(row.run_id, row.started_at, rollback_id=row.rollback_id)
        for row in session.execute(statement).scalars()
    )

"""Questions: effects that nobody knows about, what was found out so far, and whether their runs were told.

A question is asked by the transaction that records an effect as unknown, and closed by the one that gives it an
outcome, whoever says it: the connector late, the connector when asked, or a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.people import SYSTEM, Actor
from assent.domain.settling import ASK_AFTER, SettledBy
from assent.store.statements import rows_changed
from assent.store.tables import EffectRow, UnknownEffectRow

_UNTOLD = text("untold")
"""As the partial index says it; a comparison with true would not be taken for the same."""


@dataclass(frozen=True, slots=True)
class Due:
    """A question that workers ask the connector about by themselves now."""

    action_id: str
    looks: int
    look_at: datetime


@dataclass(frozen=True, slots=True)
class Untold:
    """An answer that the run has not been told.

    Attributes:
        action_id: The action.
        run_id: The run.
        was: What the run was told before.
        now: What the action is.
        at: When that was settled.
    """

    action_id: str
    run_id: str
    was: ActionStatus
    now: ActionStatus
    at: datetime


def ask(session: Session, *, action_id: str, run_id: str, agent: str, type: str, said: str, at: datetime) -> None:
    """Write down that an effect is unknown; one that was retried and is unknown again is asked about anew."""
    session.execute(delete(UnknownEffectRow).where(col(UnknownEffectRow.action_id) == action_id))
    claimed_at, attempts = session.execute(
        select(col(EffectRow.claimed_at), col(EffectRow.attempts)).where(col(EffectRow.action_id) == action_id)
    ).one()
    session.execute(
        insert(UnknownEffectRow).values(
            action_id=action_id,
            run_id=run_id,
            agent=agent,
            type=type,
            found_at=at,
            tried_at=claimed_at,
            attempts=attempts,
            said=said,
            looks=0,
            look_at=at + ASK_AFTER[0],
            how="",
            note="",
            reference="",
            was="",
            now="",
            untold=False,
        )
    )


def close(
    session: Session,
    action_id: str,
    *,
    now: ActionStatus,
    at: datetime,
    by: Actor = SYSTEM,
    how: SettledBy = SettledBy.CONNECTOR,
    note: str = "",
    reference: str = "",
) -> bool:
    """Write down the answer; the run is still to be told. False if there is no open question."""
    closed = session.execute(
        update(UnknownEffectRow)
        .where(col(UnknownEffectRow.action_id) == action_id, col(UnknownEffectRow.settled_at).is_(None))
        .values(
            settled_at=at,
            settled_by=by.model_dump(mode="json"),
            how=how.value,
            happened=now is ActionStatus.DONE,
            note=note,
            reference=reference,
            look_at=None,
            was=ActionStatus.UNKNOWN.value,
            now=now.value,
            untold=True,
        )
    )
    return rows_changed(closed) > 0


def moved(session: Session, action_id: str, *, was: ActionStatus, now: ActionStatus, at: datetime) -> None:
    """Write down that a settled action goes on, so that its run is told."""
    session.execute(
        update(UnknownEffectRow)
        .where(col(UnknownEffectRow.action_id) == action_id)
        .values(was=was.value, now=now.value, settled_at=at, untold=True)
    )


def due(session: Session, *, at: datetime, limit: int) -> Sequence[Due]:
    """Questions whose time has come, longest due first."""
    rows = session.execute(
        select(col(UnknownEffectRow.action_id), col(UnknownEffectRow.looks), col(UnknownEffectRow.look_at))
        .where(col(UnknownEffectRow.look_at).is_not(None), col(UnknownEffectRow.look_at) <= at)
        .order_by(col(UnknownEffectRow.look_at))
        .limit(limit)
    ).all()
    return [Due(row[0], row[1], row[2]) for row in rows if row[2] is not None]


def take(session: Session, found: Due, *, at: datetime) -> bool:
    """Take a look upon oneself and set the time of the next; false if another worker was quicker."""
    following = found.looks + 1
    then = at + ASK_AFTER[following] if following < len(ASK_AFTER) else None
    taken = session.execute(
        update(UnknownEffectRow)
        .where(
            col(UnknownEffectRow.action_id) == found.action_id,
            col(UnknownEffectRow.looks) == found.looks,
            col(UnknownEffectRow.look_at).is_not(None),
            col(UnknownEffectRow.settled_at).is_(None),
        )
        .values(looks=following, look_at=then)
    )
    return rows_changed(taken) > 0


def heard(session: Session, action_id: str, *, said: str, at: datetime) -> None:
    """Write down what the connector said when it was asked and could not tell."""
    session.execute(
        update(UnknownEffectRow)
        .where(col(UnknownEffectRow.action_id) == action_id, col(UnknownEffectRow.settled_at).is_(None))
        .values(said=said, asked_at=at)
    )


def is_open(session: Session, action_id: str) -> bool:
    """Whether somebody still has to find out."""
    found = session.get(UnknownEffectRow, action_id)
    return found is not None and found.settled_at is None


def untold(session: Session, *, limit: int, action_id: str | None = None) -> Sequence[Untold]:
    """Answers whose runs have not been told, oldest first; of one action if that is given."""
    wanted = select(UnknownEffectRow).where(_UNTOLD)
    if action_id is not None:
        wanted = wanted.where(col(UnknownEffectRow.action_id) == action_id)
    rows = session.execute(wanted.order_by(col(UnknownEffectRow.settled_at)).limit(limit)).scalars()
    return [
        Untold(row.action_id, row.run_id, ActionStatus(row.was), ActionStatus(row.now), row.settled_at)
        for row in rows
        if row.settled_at is not None
    ]


def told(session: Session, answer: Untold) -> None:
    """The run knows, or is gone; an answer that came meanwhile stays untold."""
    session.execute(
        update(UnknownEffectRow)
        .where(
            col(UnknownEffectRow.action_id) == answer.action_id,
            col(UnknownEffectRow.settled_at) == answer.at,
            col(UnknownEffectRow.now) == answer.now.value,
        )
        .values(untold=False)
    )

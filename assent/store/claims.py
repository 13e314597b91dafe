"""Claims on the real world: one row per action, held by a lease, ended by an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Result, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.canonical import Json
from assent.domain.effects import EffectStatus, ResourceChange
from assent.store import questions, statements
from assent.store.tables import EffectRow, ResourceRow

_effects = statements.table_of(EffectRow)
_CLAIM = statements.Prepared(insert(_effects))
_TOUCH = statements.Prepared(insert(statements.table_of(ResourceRow)))
_HOLDS = (_effects.c.holder == bindparam("for_holder")) & (_effects.c.status == EffectStatus.CLAIMED.value)
_COLUMNS = ("status", "finished_at", "changes", "undo_data", "message")
_OUTCOME: dict[str, Any] = {name: bindparam(name) for name in _COLUMNS}
_FINISH = statements.Prepared(
    update(_effects).where(_effects.c.action_id == bindparam("for_action"), _HOLDS).values(_OUTCOME),
)
_LATE = statements.Prepared(
    update(_effects)
    .where(_effects.c.action_id == bindparam("for_action"), _effects.c.status == EffectStatus.UNKNOWN.value)
    .values(_OUTCOME),
)

ATTESTED = "person"
"""Holder of an effect of which a person's word is all there is: nothing is known that could take it back."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as the effect protocol sees it."""

    action_id: str
    status: EffectStatus
    holder: str
    lease_until: datetime
    attempts: int


def claim(
    session: Session,
    *,
    action_id: str,
    run_id: str,
    agent: str,
    type: str,
    holder: str,
    lease_until: datetime,
    at: datetime,
) -> None:
    """Claim an action; the primary key lets only one claim exist.

    Raises:
        sqlalchemy.exc.IntegrityError: It is already claimed.
    """
    values = {
        "action_id": action_id,
        "run_id": run_id,
        "agent": agent,
        "type": type,
        "status": EffectStatus.CLAIMED.value,
        "holder": holder,
        "lease_until": lease_until,
        "attempts": 1,
        "claimed_at": at,
        "changes": [],
        "message": "",
    }
    _CLAIM.run(session, values)


def read_claim(session: Session, action_id: str) -> Claim | None:
    """The claim of an action, if there is one."""
    row = session.execute(
        select(col(EffectRow.status), col(EffectRow.holder), col(EffectRow.lease_until), col(EffectRow.attempts)).where(
            col(EffectRow.action_id) == action_id
        )
    ).one_or_none()
    return Claim(action_id, EffectStatus(row[0]), row[1], row[2], row[3]) if row else None


def take_over(session: Session, found: Claim, *, holder: str, lease_until: datetime) -> bool:
    """Take a claim whose lease ran out; false if somebody else was quicker or its holder renewed it."""
    return _changed(
        session.execute(
            update(EffectRow)
            .where(
                col(EffectRow.action_id) == found.action_id,
                col(EffectRow.status) == EffectStatus.CLAIMED.value,
                col(EffectRow.holder) == found.holder,
                col(EffectRow.lease_until) == found.lease_until,
            )
            .values(holder=holder, lease_until=lease_until, attempts=found.attempts + 1)
        )
    )


def renew(session: Session, *, action_id: str, holder: str, lease_until: datetime) -> bool:
    """Prolong a lease; false if it was taken over."""
    return _changed(
        session.execute(
            update(EffectRow)
            .where(
                col(EffectRow.action_id) == action_id,
                col(EffectRow.holder) == holder,
                col(EffectRow.status) == EffectStatus.CLAIMED.value,
            )
            .values(lease_until=lease_until)
        )
    )


def release_claim(session: Session, *, action_id: str, holder: str) -> bool:
    """Give a claim back that certainly had no effect; false if it was taken over."""
    return _changed(
        session.execute(
            delete(EffectRow).where(
                col(EffectRow.action_id) == action_id,
                col(EffectRow.holder) == holder,
                col(EffectRow.status) == EffectStatus.CLAIMED.value,
            )
        )
    )


def finish(
    session: Session,
    *,
    action_id: str,
    holder: str,
    status: EffectStatus,
    at: datetime,
    changes: Sequence[ResourceChange] = (),
    undo_data: Json = None,
    message: str = "",
) -> bool:
    """Record the outcome of a claim that ``holder`` still holds, or that became unknown meanwhile.

    Returns:
        False if somebody else recorded an outcome or holds the claim now: theirs counts.
    """
    outcome = _outcome(action_id, status, at, changes, undo_data, message)
    done = _FINISH.run(session, outcome | {"for_holder": holder}) > 0
    if not done and status is not EffectStatus.UNKNOWN:
        done = _LATE.run(session, outcome) > 0
        if done:
            questions.close(session, action_id, now=ActionStatus(status.value), at=at)
    if done:
        touch(session, action_id, changes, at=at, undo=False)
    return done


def settle(
    session: Session,
    *,
    action_id: str,
    status: EffectStatus,
    at: datetime,
    changes: Sequence[ResourceChange] = (),
    undo_data: Json = None,
    message: str = "",
    attested: bool = False,
) -> bool:
    """Give an unknown effect its outcome; false if it is unknown no more.

    Args:
        session: The transaction; of several that do this at once, one counts.
        action_id: The action.
        status: Done or failed.
        at: When.
        changes: Records it touched, as far as known.
        undo_data: What undoing needs; ``None`` if that is not known.
        message: How it was found out.
        attested: A person's word is all there is.
    """
    if _LATE.run(session, _outcome(action_id, status, at, changes, undo_data, message)) == 0:
        return False
    if attested:
        session.execute(update(EffectRow).where(col(EffectRow.action_id) == action_id).values(holder=ATTESTED))
    touch(session, action_id, changes, at=at, undo=False)
    return True


def withdraw(session: Session, action_id: str) -> bool:
    """Remove a failed effect, so that its action can be tried again; false if it is not failed."""
    return _changed(
        session.execute(
            delete(EffectRow).where(
                col(EffectRow.action_id) == action_id, col(EffectRow.status) == EffectStatus.FAILED.value
            )
        )
    )


def touch(session: Session, action_id: str, changes: Sequence[ResourceChange], *, at: datetime, undo: bool) -> None:
    """Note the records an effect or its undo touched, so that a record's history can be found."""
    names = sorted({change.resource for change in changes})
    if names:
        rows = [{"resource": name, "at": at, "action_id": action_id, "undo": undo} for name in names]
        _TOUCH.run(session, *rows)


def _outcome(
    action_id: str,
    status: EffectStatus,
    at: datetime,
    changes: Sequence[ResourceChange],
    undo_data: Json,
    message: str,
) -> dict[str, Any]:
    """What :data:`_FINISH` and :data:`_LATE` write of an effect, and of which."""
    return {
        "for_action": action_id,
        "status": status.value,
        "finished_at": at,
        "changes": [change.model_dump(mode="json") for change in changes],
        "undo_data": undo_data,
        "message": message,
    }


def _changed(result: Result[Any]) -> bool:
    return statements.rows_changed(result) > 0

"""Writing the rows of runs and actions. Only activities call this."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus, ProposedAction, Verdict
from assent.domain.canonical import Json
from assent.domain.runs import RunHeader, RunStatus
from assent.store import statements
from assent.store.statements import rows_changed
from assent.store.tables import ActionRow, RunLabelRow, RunRow

_runs = statements.table_of(RunRow)
_actions = statements.table_of(ActionRow)
_ENSURE = statements.InsertNew(_runs)
_LABEL = statements.Prepared(insert(statements.table_of(RunLabelRow)))
_STEP = statements.Prepared(
    update(_runs)
    .where(_runs.c.run_id == bindparam("for_run"), _runs.c.ended_at.is_(None))
    .values(
        status=bindparam("status"),
        last_step=bindparam("last_step"),
        last_at=bindparam("last_at"),
        actions=_runs.c.actions + bindparam("more"),
    ),
)
_END = (
    update(_runs)
    .where(_runs.c.run_id == bindparam("for_run"))
    .values({name: bindparam(name) for name in ("status", "ended_at", "last_at", "message")})
)
_READ = select(ActionRow).where(col(ActionRow.action_id) == bindparam("for_action"))
_READ_FOR_UPDATE = _READ.with_for_update()
_INSERT_ACTION = statements.Prepared(insert(_actions))
_SET_STATUS = statements.Prepared(
    update(_actions).where(_actions.c.action_id == bindparam("for_action")).values(status=bindparam("status"))
)
_SETTLE_ACTION = statements.Prepared(
    update(_actions)
    .where(
        _actions.c.action_id == bindparam("for_action"),
        or_(_actions.c.status == ActionStatus.CLAIMED.value, _actions.c.status == ActionStatus.UNKNOWN.value),
    )
    .values({name: bindparam(name) for name in ("status", "result", "message", "settled_at")}),
)


def ensure_run(session: Session, header: RunHeader, *, at: datetime) -> bool:
    """Insert the run row unless it exists; true if it was new."""
    values = {
        "run_id": header.run_id,
        "agent": header.agent,
        "goal": header.goal,
        "received": header.received,
        "status": RunStatus.RUNNING.value,
        "started_by": header.started_by.model_dump(mode="json"),
        "started_at": header.started_at,
        "last_step": "",
        "last_at": at,
        "actions": 0,
        "message": "",
    }
    new = _ENSURE.run(session, values)
    if new and header.labels:
        _LABEL.run(session, *({"run_id": header.run_id, "label": label} for label in dict.fromkeys(header.labels)))
    return new


def step_run(
    session: Session, run_id: str, *, status: RunStatus, step: str, at: datetime, new_actions: int = 0
) -> None:
    """Show a run's newest step; a run that has ended keeps its status."""
    values = {"for_run": run_id, "status": status.value, "last_step": step, "last_at": at, "more": new_actions}
    _STEP.run(session, values)


def show_step(session: Session, run_id: str, step: str, *, at: datetime) -> None:
    """Show a run's newest step without a change of its status; one that has ended shows it, too."""
    session.execute(update(RunRow).where(col(RunRow.run_id) == run_id).values(last_step=step, last_at=at))


def end_run(session: Session, run_id: str, *, status: RunStatus, message: str, at: datetime, actions: int) -> bool:
    """Record the end of a run and how many actions it had; false if it was recorded already."""
    done = session.execute(
        update(RunRow)
        .where(col(RunRow.run_id) == run_id, col(RunRow.ended_at).is_(None))
        .values(status=status.value, ended_at=at, last_at=at, message=message, actions=actions)
    )
    return rows_changed(done) > 0


def read_action(session: Session, action_id: str, *, for_update: bool = False) -> ActionRow | None:
    """The row of an action; locked on PostgreSQL if asked (SQLite's writer is alone anyway)."""
    statement = _READ_FOR_UPDATE if for_update else _READ
    return session.execute(statement, {"for_action": action_id}).scalar_one_or_none()


def insert_action(
    session: Session,
    header: RunHeader,
    action: ProposedAction,
    *,
    action_id: str,
    sentence: str,
    status: ActionStatus,
    verdict: Verdict,
    message: str,
    at: datetime,
) -> None:
    """Insert the row of an action that was just admitted."""
    values = {
        "action_id": action_id,
        "run_id": header.run_id,
        "key": action.key,
        "agent": header.agent,
        "type": action.type,
        "arguments": action.arguments,
        "instead_of": action.instead_of or "",
        "reason": action.reason,
        "sentence": sentence,
        "status": status.value,
        "tier": verdict.tier,
        "reasons": [reason.model_dump(mode="json") for reason in verdict.reasons],
        "card_version": verdict.card_version,
        "message": message,
        "proposed_at": at,
        "settled_at": at if status.settled else None,
    }
    _INSERT_ACTION.run(session, values)


def set_status(session: Session, action_id: str, status: ActionStatus) -> None:
    """Move an action that does not settle yet; the caller has checked the step with ``advance``."""
    _SET_STATUS.run(session, {"for_action": action_id, "status": status.value})


def settle_action(
    session: Session, action_id: str, *, status: ActionStatus, result: Json, message: str, at: datetime
) -> bool:
    """Record the end of a claimed (or unknown) action; false if it is in another status."""
    values = {
        "for_action": action_id,
        "status": status.value,
        "result": result,
        "message": message,
        "settled_at": at,
    }
    return _SETTLE_ACTION.run(session, values) > 0


def update_action(session: Session, action_id: str, **values: Any) -> None:
    """Set columns of an action's row."""
    session.execute(update(ActionRow).where(col(ActionRow.action_id) == action_id).values(**values))

"""Writing the rows of runs and actions. Only activities call this."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert_postgres
from sqlalchemy.dialects.sqlite import insert as upsert_sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus, ProposedAction, Verdict
from assent.domain.runs import RunHeader, RunStatus
from assent.store.database import Database
from assent.store.tables import ActionRow, RunRow


def ensure_run(database: Database, session: Session, header: RunHeader, *, at: datetime) -> bool:
    """Insert the run row unless it exists; true if it was new."""
    upsert: Any = (upsert_sqlite if database.sqlite else upsert_postgres)(RunRow)
    done = session.execute(
        upsert.values(
            run_id=header.run_id,
            agent=header.agent,
            goal=header.goal,
            received=header.received,
            status=RunStatus.RUNNING.value,
            started_by=header.started_by.model_dump(mode="json"),
            started_at=header.started_at,
            last_step="",
            last_at=at,
            actions=0,
            message="",
        ).on_conflict_do_nothing()
    )
    return isinstance(done, CursorResult) and done.rowcount > 0


def step_run(
    session: Session, run_id: str, *, status: RunStatus, step: str, at: datetime, new_actions: int = 0
) -> None:
    """Show a run's newest step; a run that has ended keeps its status."""
    session.execute(
        update(RunRow)
        .where(col(RunRow.run_id) == run_id, col(RunRow.ended_at).is_(None))
        .values(status=status.value, last_step=step, last_at=at, actions=RunRow.actions + new_actions)
    )


def end_run(session: Session, run_id: str, *, status: RunStatus, message: str, at: datetime) -> None:
    """Record the end of a run."""
    session.execute(
        update(RunRow)
        .where(col(RunRow.run_id) == run_id)
        .values(status=status.value, ended_at=at, last_at=at, message=message)
    )


def read_action(session: Session, action_id: str, *, for_update: bool = False) -> ActionRow | None:
    """The row of an action; locked on PostgreSQL if asked (SQLite's writer is alone anyway)."""
    statement = select(ActionRow).where(col(ActionRow.action_id) == action_id)
    if for_update:
        statement = statement.with_for_update()
    return session.execute(statement).scalar_one_or_none()


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
    session.execute(
        insert(ActionRow).values(
            action_id=action_id,
            run_id=header.run_id,
            key=action.key,
            agent=header.agent,
            type=action.type,
            arguments=action.arguments,
            reason=action.reason,
            sentence=sentence,
            status=status.value,
            tier=verdict.tier,
            reasons=[reason.model_dump(mode="json") for reason in verdict.reasons],
            card_version=verdict.card_version,
            message=message,
            proposed_at=at,
            settled_at=at if status.settled else None,
        )
    )


def update_action(session: Session, action_id: str, **values: Any) -> None:
    """Set columns of an action's row."""
    session.execute(update(ActionRow).where(col(ActionRow.action_id) == action_id).values(**values))

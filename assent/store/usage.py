"""What actions count towards the limits of their card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.store.database import Database
from assent.store.tables import UsageRow

HOUR = timedelta(hours=1)
"""The window of hourly limits; it slides."""


def lock_usage(database: Database, session: Session, *, agent: str, action_type: str) -> None:
    """Let no other transaction count the same limits until this one ends."""
    name = int.from_bytes(hashlib.sha256(f"usage\0{agent}\0{action_type}".encode()).digest()[:8], "big", signed=True)
    database.lock_alone(session, name)


def used_in_run(session: Session, *, run_id: str, action_type: str, measure: str) -> float:
    """The total of a measure in a run."""
    total = select(func.coalesce(func.sum(col(UsageRow.amount)), 0.0)).where(
        col(UsageRow.run_id) == run_id, col(UsageRow.action_type) == action_type, col(UsageRow.measure) == measure
    )
    return float(session.execute(total).scalar_one())


def used_in_hour(session: Session, *, agent: str, action_type: str, measure: str, now: datetime) -> float:
    """The total of a measure of an agent in the last sixty minutes."""
    total = select(func.coalesce(func.sum(col(UsageRow.amount)), 0.0)).where(
        col(UsageRow.agent) == agent,
        col(UsageRow.action_type) == action_type,
        col(UsageRow.measure) == measure,
        col(UsageRow.at) > now - HOUR,
    )
    return float(session.execute(total).scalar_one())


def reserve(
    session: Session,
    *,
    action_id: str,
    agent: str,
    action_type: str,
    run_id: str,
    amounts: Mapping[str, float],
    at: datetime,
) -> None:
    """Count an action, by measure."""
    if not amounts:
        return
    shared = {"action_id": action_id, "agent": agent, "action_type": action_type, "run_id": run_id, "at": at}
    rows = [{**shared, "measure": measure, "amount": amount} for measure, amount in amounts.items()]
    session.execute(insert(UsageRow), rows)


def release(session: Session, action_id: str) -> None:
    """Count an action no more, because it had no effect."""
    session.execute(delete(UsageRow).where(col(UsageRow.action_id) == action_id))

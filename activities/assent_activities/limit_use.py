"""What is already used of a card's limits, and counting what an action uses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from assent.policy.admission import measured
from assent.policy.cards import Limit, Per
from assent.store import usage
from assent.store.database import Database
from assent_activities.jobs import Job


def use_of(database: Database, session: Session, job: Job, limits: list[Limit], now: datetime) -> list[float]:
    """How much of each limit is used, with nobody else counting until the transaction ends."""
    if not limits:
        return []
    agent, kind = job.header.agent, job.action.type
    usage.lock_usage(database, session, agent=agent, action_type=kind)
    amounts = []
    for limit in limits:
        match limit.per:
            case Per.ACTION:
                amounts.append(0.0)
            case Per.RUN:
                run_id = job.header.run_id
                amounts.append(usage.used_in_run(session, run_id=run_id, action_type=kind, measure=limit.measure))
            case Per.HOUR:
                amounts.append(
                    usage.used_in_hour(session, agent=agent, action_type=kind, measure=limit.measure, now=now)
                )
    return amounts


def count_use(session: Session, job: Job, limits: list[Limit], now: datetime) -> None:
    """Count an action towards its limits from now on."""
    usage.reserve(
        session,
        action_id=job.action_id,
        agent=job.header.agent,
        action_type=job.action.type,
        run_id=job.header.run_id,
        amounts={limit.measure: measured(limit, job.action.arguments) or 0.0 for limit in limits},
        at=now,
    )

"""What breakers measured, now and then, for their pictures; old ones are thrown away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.store.tables import SampleRow

MOST = 120
"""Samples of a breaker that are kept, about."""

LEAST_APART = timedelta(seconds=10)
"""Time between two samples of a breaker at least."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One of them.

    Attributes:
        at: When.
        value: What was measured.
        threshold: What it must not exceed.
        cases: Cases it was of.
    """

    at: datetime
    value: float
    threshold: float
    cases: int


def apart(within: timedelta) -> timedelta:
    """Time between two samples of a breaker that looks back so far."""
    return max(LEAST_APART, within / 60)


def keep(session: Session, agent: str, taken: Iterable[tuple[str, timedelta, Sample]]) -> None:
    """Write samples of an agent's breakers, with the time between two of each, and throw old ones away."""
    for breaker, every, sample in taken:
        mine = (col(SampleRow.agent) == agent, col(SampleRow.breaker) == breaker)
        session.execute(delete(SampleRow).where(*mine, col(SampleRow.at) < sample.at - MOST * every))
        if session.get(SampleRow, (agent, breaker, sample.at)) is None:
            session.execute(
                insert(SampleRow).values(
                    agent=agent,
                    breaker=breaker,
                    at=sample.at,
                    value=sample.value,
                    threshold=sample.threshold,
                    cases=sample.cases,
                )
            )


def of_breaker(session: Session, agent: str, breaker: str) -> Sequence[Sample]:
    """The samples of a breaker, oldest first."""
    newest = (
        select(SampleRow)
        .where(col(SampleRow.agent) == agent, col(SampleRow.breaker) == breaker)
        .order_by(col(SampleRow.at).desc())
        .limit(MOST)
    )
    rows = session.execute(newest).scalars().all()
    return [Sample(row.at, row.value, row.threshold, row.cases) for row in reversed(rows)]

"""How connectors are: the last answer to their health checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.breakers import MOST_RECOVER
from assent.domain.people import SYSTEM
from assent.store import ledger
from assent.store.tables import HealthRow

ERROR_LENGTH = 300
"""Characters kept of what was wrong."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a connector was when it was asked last.

    Attributes:
        connector: Its name.
        failures: Failed checks one after the other; 0 if it is well.
        error: What was wrong; empty if it is well.
        asked_at: When.
        since: Since when it is well, or not.
        passes: Passed checks one after the other, counted up to :data:`~assent.domain.breakers.MOST_RECOVER`.
    """

    connector: str
    failures: int
    error: str
    asked_at: datetime
    since: datetime
    passes: int = 0

    @property
    def well(self) -> bool:
        """Whether the last check passed."""
        return self.failures == 0


def record(session: Session, connector: str, *, error: str, at: datetime) -> Health:
    """Keep the answer to a check; the ledger learns of it only where a connector becomes well, or stops being so."""
    row = session.get(HealthRow, connector, with_for_update=True)
    error = " ".join(error.split())[:ERROR_LENGTH]
    before = row.failures if row is not None else 0
    failures = max(before, 0) + 1 if error else max(min(before, 0) - 1, -MOST_RECOVER)
    turned = (before > 0) != (failures > 0)
    since = at if row is None or turned else row.since
    session.merge(HealthRow(connector=connector, failures=failures, error=error, asked_at=at, since=since))
    if turned:
        kind = "connector.unwell" if error else "connector.well"
        body = {"connector": connector, "error": error, "failures": max(before, 0)}
        ledger.append(session, at=at, kind=kind, actor=SYSTEM, body=dict(body))
    return _read(connector, failures, error, at, since)


def of_connector(session: Session, connector: str) -> Health | None:
    """How a connector was; ``None`` if it was never asked."""
    row = session.get(HealthRow, connector, populate_existing=True)
    return None if row is None else _health(row)


def every(session: Session) -> Sequence[Health]:
    """How all connectors were that were ever asked, by name; there are few."""
    rows = session.execute(select(HealthRow).order_by(col(HealthRow.connector)).limit(200)).scalars()
    return [_health(row) for row in rows]


def _health(row: HealthRow) -> Health:
    return _read(row.connector, row.failures, row.error, row.asked_at, row.since)


def _read(connector: str, failures: int, error: str, asked_at: datetime, since: datetime) -> Health:
    return Health(connector, max(failures, 0), error, asked_at, since, passes=max(-failures, 0))

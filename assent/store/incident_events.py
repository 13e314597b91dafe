"""What every change of an incident does: hold its row, and write a ledger event that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.errors import NotFound
from assent.domain.people import Actor
from assent.store import ledger
from assent.store.tables import IncidentEventRow, IncidentRow, LedgerEventRow


def note(session: Session, incident_id: str, kind: str, body: Mapping[str, Json], *, at: datetime, by: Actor) -> None:
    """Write a ledger event of an incident in the caller's transaction."""
    values = ledger.event_row(at, f"incident.{kind}", by, body={"incident": incident_id, **body})
    event_id = session.execute(insert(LedgerEventRow).values(**values).returning(col(LedgerEventRow.id))).scalar_one()
    session.execute(insert(IncidentEventRow).values(incident_id=incident_id, event_id=event_id))


def locked(session: Session, incident_id: str) -> IncidentRow:
    """An incident's row, which nobody else changes until the transaction ends.

    Raises:
        NotFound: There is no such incident.
    """
    row = session.get(IncidentRow, incident_id, with_for_update=True)
    if row is None:
        raise NotFound(
            f"There is no incident {incident_id!r}.", where="incident", todo="`assent incident list` shows all."
        )
    return row

"""What was agreed after incidents, as lists and pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.incidents import FollowUpState
from assent.store import people
from assent.store.queries.paging import FIRST, Order, Page, PageRequest, count_up_to
from assent.store.tables import IncidentActionRow, IncidentRow

COUNT_SHOWN = 100
"""Where the count of what is overdue stops."""


@dataclass(frozen=True, slots=True)
class FollowUpView:
    """What was agreed after an incident.

    Attributes:
        id: Its id.
        incident_id: After which.
        title: That incident's title.
        text: What shall be done.
        owner_id: Whose it is.
        owner: Their name.
        due: Until when.
        state: Open, done or dropped.
        note: What was said when it was settled.
        created_at: When it was agreed.
        settled_at: When it was settled.
    """

    id: str
    incident_id: str
    title: str
    text: str
    owner_id: str
    owner: str
    due: date
    state: FollowUpState
    note: str
    created_at: datetime
    settled_at: datetime | None

    def overdue(self, today: date) -> bool:
        """It is open and its day has passed."""
        return self.state is FollowUpState.OPEN and self.due < today


_ORDER = Order("incident-actions", [col(IncidentActionRow.due), col(IncidentActionRow.id)], descending=False)


def of_incident(session: Session, incident_id: str, *, request: PageRequest = FIRST) -> Page[FollowUpView]:
    """What was agreed after an incident, soonest due first."""
    statement = select(IncidentActionRow).where(col(IncidentActionRow.incident_id) == incident_id)
    rows = session.execute(_ORDER.window(statement, request)).scalars().all()
    return _page(session, rows, request)


def in_state(
    session: Session, state: FollowUpState = FollowUpState.OPEN, *, request: PageRequest = FIRST
) -> Page[FollowUpView]:
    """What was agreed after any incident and is in a state, soonest due first."""
    statement = select(IncidentActionRow).where(col(IncidentActionRow.state) == state.value)
    rows = session.execute(_ORDER.window(statement, request)).scalars().all()
    return _page(session, rows, request)


def count_overdue(session: Session, today: date) -> int:
    """How many open actions have passed their day, counting no further than :data:`COUNT_SHOWN`."""
    late = select(col(IncidentActionRow.id)).where(
        col(IncidentActionRow.state) == FollowUpState.OPEN.value, col(IncidentActionRow.due) < today
    )
    return count_up_to(session, late, COUNT_SHOWN)


def _page(session: Session, rows: Sequence[IncidentActionRow], request: PageRequest) -> Page[FollowUpView]:
    owners = people.names(session, (row.owner_id for row in rows))
    ids = {row.incident_id for row in rows}
    of = select(col(IncidentRow.id), col(IncidentRow.title)).where(col(IncidentRow.id).in_(ids))
    titles = {row[0]: row[1] for row in session.execute(of)} if ids else {}

    def view(row: IncidentActionRow) -> FollowUpView:
        return FollowUpView(
            id=row.id,
            incident_id=row.incident_id,
            title=titles.get(row.incident_id, ""),
            text=row.text,
            owner_id=row.owner_id,
            owner=owners.get(row.owner_id, row.owner_id),
            due=row.due,
            state=FollowUpState(row.state),
            note=row.note,
            created_at=row.created_at,
            settled_at=row.settled_at,
        )

    return _ORDER.page(rows, request, view)

"""Incidents as lists and pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, false, select, true
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.errors import NotFound
from assent.domain.incidents import IncidentPart, IncidentState, PartKind, Section, Severity
from assent.domain.people import Actor
from assent.store import people
from assent.store.queries.paging import FIRST, Order, Page, PageRequest, count_up_to
from assent.store.tables import (
    IncidentPartRow,
    IncidentRow,
    IncidentSectionRow,
    IncidentTellingRow,
    OutboxRow,
)

COUNT_SHOWN = 100
"""Where the count beside Incidents stops."""


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident.

    Attributes:
        id: Its id.
        title: Its title.
        severity: How bad it is.
        state: Where it is in its life.
        commander_id: Who leads; empty for nobody.
        commander: Their name.
        opened_by: Who opened it.
        opened_at: When.
        began_at: When it began.
        noticed_at: When it was noticed.
        stopped_at: From when on nothing more happened.
        mended_at: When the harm was taken back or made good.
        closed_at: When it was closed.
    """

    id: str
    title: str
    severity: Severity
    state: IncidentState
    commander_id: str
    commander: str
    opened_by: Actor
    opened_at: datetime
    began_at: datetime
    noticed_at: datetime
    stopped_at: datetime | None
    mended_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TellingView:
    """A text about an incident that was sent.

    Attributes:
        id: Its id.
        incident_id: What it is about.
        at: When.
        by: Who sent it.
        channel: The way it goes; empty if people sent it themselves.
        text: The text.
        edited: Somebody changed what had been drafted.
        sent_at: When it was delivered; ``None`` while it is under way.
        error: Why the last attempt failed.
    """

    id: str
    incident_id: str
    at: datetime
    by: Actor
    channel: str
    text: str
    edited: bool
    sent_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """A version of a section of a post-mortem."""

    section: Section
    version: int
    text: str
    at: datetime
    by: Actor


_INCIDENTS = Order("incidents", [col(IncidentRow.opened_at), col(IncidentRow.id)])
_PARTS = Order("incident-parts", [col(IncidentPartRow.ref)], descending=False)
_TELLINGS = Order("incident-tellings", [col(IncidentTellingRow.at), col(IncidentTellingRow.id)])


def page(session: Session, *, only_open: bool | None = None, request: PageRequest = FIRST) -> Page[IncidentView]:
    """Incidents, newest first; only open or only closed ones, if it is said."""
    statement = select(IncidentRow)
    if only_open is not None:
        statement = statement.where(col(IncidentRow.is_open) == (true() if only_open else false()))
    rows = session.execute(_INCIDENTS.window(statement, request)).scalars().all()
    names = people.names(session, (row.commander_id for row in rows))
    return _INCIDENTS.page(rows, request, lambda row: _view(row, names))


def count_open(session: Session) -> int:
    """How many incidents are open, counting no further than :data:`COUNT_SHOWN`."""
    return count_up_to(session, select(col(IncidentRow.id)).where(col(IncidentRow.is_open) == true()), COUNT_SHOWN)


def one(session: Session, incident_id: str) -> IncidentView:
    """One incident.

    Raises:
        NotFound: There is no such incident.
    """
    row = session.get(IncidentRow, incident_id)
    if row is None:
        raise NotFound(
            f"There is no incident {incident_id!r}.", where="incident", todo="`assent incident list` shows all."
        )
    return _view(row, people.names(session, [row.commander_id]))


def of_part(session: Session, kind: PartKind, ref: str, *, limit: int = 10) -> tuple[IncidentView, ...]:
    """Incidents that something belongs to, open ones first, then the newest."""
    ids = (
        select(col(IncidentPartRow.incident_id))
        .where(col(IncidentPartRow.kind) == kind.value, col(IncidentPartRow.ref) == ref)
        .limit(limit)
    )
    found = list(session.execute(select(IncidentRow).where(col(IncidentRow.id).in_(ids))).scalars())
    found.sort(key=lambda row: (row.is_open, row.opened_at, row.id), reverse=True)
    names = people.names(session, (row.commander_id for row in found))
    return tuple(_view(row, names) for row in found)


def parts(session: Session, incident_id: str, kind: PartKind, *, request: PageRequest = FIRST) -> Page[IncidentPart]:
    """What belongs to an incident, by id or name."""
    rows = session.execute(_PARTS.window(_of(incident_id, kind), request)).scalars().all()
    return _PARTS.page(rows, request, _part)


def refs(session: Session, incident_id: str, kind: PartKind, *, limit: int) -> list[str]:
    """Ids or names of what belongs to an incident, at most ``limit``."""
    statement = select(col(IncidentPartRow.ref)).where(
        col(IncidentPartRow.incident_id) == incident_id, col(IncidentPartRow.kind) == kind.value
    )
    return list(session.execute(statement.order_by(col(IncidentPartRow.ref)).limit(limit)).scalars())


def tellings(session: Session, incident_id: str, *, request: PageRequest = FIRST) -> Page[TellingView]:
    """Texts that were sent about an incident, newest first."""
    statement = select(IncidentTellingRow).where(col(IncidentTellingRow.incident_id) == incident_id)
    rows = session.execute(_TELLINGS.window(statement, request)).scalars().all()
    sent = _sent(session, [row.id for row in rows])
    return _TELLINGS.page(rows, request, lambda row: _telling(row, sent.get(row.id)))


def telling(session: Session, telling_id: str) -> TellingView | None:
    """One text; ``None`` if there is none."""
    row = session.get(IncidentTellingRow, telling_id)
    return None if row is None else _telling(row, _sent(session, [telling_id]).get(telling_id))


def sections(session: Session, incident_id: str) -> dict[Section, tuple[SectionView, ...]]:
    """Every version of every section of a post-mortem, the newest first."""
    rows = session.execute(
        select(IncidentSectionRow)
        .where(col(IncidentSectionRow.incident_id) == incident_id)
        .order_by(col(IncidentSectionRow.section).desc(), col(IncidentSectionRow.version).desc())
        .limit(1_000)
    ).scalars()
    found: dict[Section, list[SectionView]] = {}
    for row in rows:
        section = Section(row.section)
        view = SectionView(section, row.version, row.text, row.at, Actor.model_validate(row.by))
        found.setdefault(section, []).append(view)
    return {section: tuple(versions) for section, versions in found.items()}


def _of(incident_id: str, kind: PartKind) -> Select[IncidentPartRow]:
    return select(IncidentPartRow).where(
        col(IncidentPartRow.incident_id) == incident_id, col(IncidentPartRow.kind) == kind.value
    )


def _sent(session: Session, ids: list[str]) -> dict[str, OutboxRow]:
    if not ids:
        return {}
    return {
        row.subject: row for row in session.execute(select(OutboxRow).where(col(OutboxRow.subject).in_(ids))).scalars()
    }


def _view(row: IncidentRow, names: dict[str, str]) -> IncidentView:
    return IncidentView(
        id=row.id,
        title=row.title,
        severity=Severity(row.severity),
        state=IncidentState(row.state),
        commander_id=row.commander_id,
        commander=names.get(row.commander_id, ""),
        opened_by=Actor.model_validate(row.opened_by),
        opened_at=row.opened_at,
        began_at=row.began_at,
        noticed_at=row.noticed_at,
        stopped_at=row.stopped_at,
        mended_at=row.mended_at,
        closed_at=row.closed_at,
    )


def _part(row: IncidentPartRow) -> IncidentPart:
    return IncidentPart(kind=PartKind(row.kind), ref=row.ref, at=row.at, by=Actor.model_validate(row.by))


def _telling(row: IncidentTellingRow, sent: OutboxRow | None) -> TellingView:
    return TellingView(
        id=row.id,
        incident_id=row.incident_id,
        at=row.at,
        by=Actor.model_validate(row.by),
        channel=row.channel,
        text=row.text,
        edited=bool(row.drafted) and row.text != row.drafted,
        sent_at=sent.sent_at if sent else None,
        error=sent.error if sent else "",
    )

"""Incidents: opened, filled, moved on and closed. Every change is a ledger event that belongs to its incident."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.errors import Conflict, NotFound
from assent.domain.incidents import (
    MAX_REF,
    MAX_TITLE,
    IncidentState,
    PartKind,
    Severity,
    check_move,
    words_of,
)
from assent.domain.people import Actor
from assent.store.incident_events import locked, note
from assent.store.incident_writing import require_report
from assent.store.statements import rows_changed
from assent.store.tables import IncidentPartRow, IncidentRow, PauseRow, PersonRow, RollbackRow, RunRow

_BATCH = 500


def open_incident(
    session: Session,
    *,
    incident_id: str,
    title: str,
    severity: Severity,
    began_at: datetime,
    commander_id: str,
    at: datetime,
    by: Actor,
) -> None:
    """Open an incident.

    Raises:
        InvalidInput: It has no title.
        TooLarge: The title is too long.
        NotFound: There is nobody with the commander's id.
    """
    commander = _person(session, commander_id)
    row = IncidentRow(
        id=incident_id,
        title=words_of(title, "title", most=MAX_TITLE),
        severity=severity.value,
        state=IncidentState.OPEN.value,
        is_open=True,
        commander_id=commander_id,
        opened_by=by.model_dump(mode="json"),
        opened_at=at,
        began_at=min(began_at, at),
        noticed_at=at,
    )
    session.add(row)
    session.flush()
    body: dict[str, Json] = {"title": row.title, "severity": row.severity, "commander": commander}
    note(session, incident_id, "opened", body | {"began": row.began_at.isoformat()}, at=at, by=by)


def change(
    session: Session,
    incident_id: str,
    *,
    at: datetime,
    by: Actor,
    title: str | None = None,
    severity: Severity | None = None,
    commander_id: str | None = None,
    began_at: datetime | None = None,
    noticed_at: datetime | None = None,
) -> None:
    """Change what is said of an incident; what is ``None`` stays as it is.

    Raises:
        NotFound: There is no such incident or person.
        InvalidInput: The title is empty.
        TooLarge: The title is too long.
        Conflict: It is closed, or would have been noticed before it began.
    """
    row = _open(session, incident_id)
    before = _said(session, row)
    if title is not None:
        row.title = words_of(title, "title", most=MAX_TITLE)
    if severity is not None:
        row.severity = severity.value
    if commander_id is not None:
        _person(session, commander_id)
        row.commander_id = commander_id
    row.began_at, row.noticed_at = began_at or row.began_at, noticed_at or row.noticed_at
    if not row.began_at <= row.noticed_at <= at:
        raise Conflict(
            "An incident begins before it is noticed, and is noticed before now.",
            where="began_at",
            todo="Give both times, each with its zone.",
        )
    after = _said(session, row)
    if after != before:
        changed = {name: value for name, value in after.items() if before[name] != value}
        note(session, incident_id, "changed", {"after": changed}, at=at, by=by)


def move(
    session: Session, incident_id: str, state: IncidentState, *, at: datetime, by: Actor, why: str = "", since: datetime
) -> None:
    """Take an incident on in its life.

    Args:
        session: The transaction.
        incident_id: Which one.
        state: Where to.
        at: Now.
        by: Who.
        why: In a person's words.
        since: From when on it was so; now, or the time of a fence.

    Raises:
        NotFound: There is no such incident.
        Conflict: There is no way from its state to that one, or its post-mortem is not written.
    """
    row = locked(session, incident_id)
    before = IncidentState(row.state)
    check_move(before, state)
    if state is IncidentState.CLOSED:
        require_report(session, incident_id)
    row.state, row.is_open = state.value, state is not IncidentState.CLOSED
    match state:
        case IncidentState.OPEN:
            row.stopped_at = row.mended_at = row.closed_at = None
        case IncidentState.STOPPED:
            row.stopped_at, row.mended_at = since, None
        case IncidentState.CLOSED:
            row.closed_at = at
        case _:
            row.mended_at = since
    kind = "closed" if state is IncidentState.CLOSED else "moved"
    note(session, incident_id, kind, {"from": before.value, "to": state.value, "why": why}, at=at, by=by)


def add_parts(
    session: Session, incident_id: str, kind: PartKind, refs: Iterable[str], *, at: datetime, by: Actor
) -> int:
    """Let things belong to an incident; what already does stays as it is.

    Returns:
        How many were new.

    Raises:
        NotFound: There is no such incident, pause, run or rollback.
        InvalidInput: A name is empty.
        TooLarge: A name is too long.
        Conflict: It is closed.
    """
    _open(session, incident_id)
    wanted = list(dict.fromkeys(refs))
    added: list[str] = []
    for start in range(0, len(wanted), _BATCH):
        batch = [words_of(ref, "ref", most=MAX_REF) for ref in wanted[start : start + _BATCH]]
        _require_there(session, kind, batch)
        here = (col(IncidentPartRow.incident_id) == incident_id, col(IncidentPartRow.kind) == kind.value)
        known = select(col(IncidentPartRow.ref)).where(*here, col(IncidentPartRow.ref).in_(batch))
        there = set(session.execute(known).scalars())
        new = [ref for ref in batch if ref not in there]
        if new:
            rest = {"incident_id": incident_id, "kind": kind.value, "at": at, "by": by.model_dump(mode="json")}
            session.execute(insert(IncidentPartRow), [rest | {"ref": ref} for ref in new])
        added += new
    if added:
        # The list is complete as parts; the ledger names the first, and proves how many.
        body: dict[str, Json] = {"what": kind.value, "number": len(added), "first": list(added[:20])}
        note(session, incident_id, "grouped", body, at=at, by=by)
    return len(added)


def remove_part(session: Session, incident_id: str, kind: PartKind, ref: str, *, at: datetime, by: Actor) -> None:
    """Let something no longer belong to an incident.

    Raises:
        NotFound: There is no such incident, or it does not belong to it.
        Conflict: It is closed.
    """
    _open(session, incident_id)
    gone = session.execute(
        delete(IncidentPartRow).where(
            col(IncidentPartRow.incident_id) == incident_id,
            col(IncidentPartRow.kind) == kind.value,
            col(IncidentPartRow.ref) == ref,
        )
    )
    if rows_changed(gone) == 0:
        raise NotFound(f"The {kind.value} {ref!r} does not belong to this incident.", where="ref")
    note(session, incident_id, "ungrouped", {"what": kind.value, "ref": ref}, at=at, by=by)


def _require_there(session: Session, kind: PartKind, refs: list[str]) -> None:
    key: Any
    match kind:
        case PartKind.RUN:
            key = col(RunRow.run_id)
        case PartKind.PAUSE:
            key = col(PauseRow.id)
        case PartKind.ROLLBACK:
            key = col(RollbackRow.id)
        case PartKind.RECORD:
            # A record may be named before anybody touched it.
            return
    there = set(session.execute(select(key).where(key.in_(refs))).scalars())
    missing = next((ref for ref in refs if ref not in there), None)
    if missing is not None:
        raise NotFound(f"There is no {kind.value} {missing!r}.", where="ref")


def _person(session: Session, person_id: str) -> str:
    """Somebody's name; nothing for nobody."""
    if not person_id:
        return ""
    row = session.get(PersonRow, person_id)
    if row is None or row.disabled:
        raise NotFound(
            f"There is nobody here with the id {person_id!r}.",
            where="commander",
            todo="`assent people list` shows everybody.",
        )
    return row.name


def _said(session: Session, row: IncidentRow) -> dict[str, Json]:
    commander = session.get(PersonRow, row.commander_id) if row.commander_id else None
    return {
        "title": row.title,
        "severity": row.severity,
        "commander": commander.name if commander else "",
        "began": row.began_at.isoformat(),
        "noticed": row.noticed_at.isoformat(),
    }


def _open(session: Session, incident_id: str) -> IncidentRow:
    row = locked(session, incident_id)
    if not row.is_open:
        raise Conflict("This incident is closed.", where="incident", todo="Open it again first.")
    return row

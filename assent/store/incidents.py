"""Incidents: opened, filled, moved on and closed. Every change is a ledger event that belongs to its incident."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.errors import Conflict, NotFound
from assent.domain.incidents import (
    MAX_REF,
    MAX_TITLE,
    NEEDED,
    IncidentState,
    PartKind,
    Section,
    Severity,
    check_move,
    words_of,
)
from assent.domain.people import Actor
from assent.store import ledger, outbox
from assent.store.statements import rows_changed
from assent.store.tables import (
    IncidentEventRow,
    IncidentNoteRow,
    IncidentPartRow,
    IncidentRow,
    IncidentSectionRow,
    IncidentTellingRow,
    LedgerEventRow,
    PauseRow,
    PersonRow,
    RollbackRow,
    RunRow,
)

TOLD = "incident.told"
"""The outbox's word for a text about an incident."""

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
    row = _locked(session, incident_id)
    before = IncidentState(row.state)
    check_move(before, state)
    if state is IncidentState.CLOSED:
        _require_report(session, incident_id)
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


def write_down(session: Session, incident_id: str, text: str, *, at: datetime, by: Actor) -> str:
    """Keep a note; gives its id.

    Raises:
        NotFound: There is no such incident.
        InvalidInput: There is no text.
        TooLarge: It is too long.
    """
    _locked(session, incident_id)
    text, note_id = words_of(text, "text"), f"note-{uuid.uuid4().hex[:12]}"
    session.add(IncidentNoteRow(id=note_id, incident_id=incident_id, at=at, by=by.model_dump(mode="json"), text=text))
    note(session, incident_id, "noted", {"note": note_id, "text": text}, at=at, by=by)
    return note_id


def tell(session: Session, incident_id: str, text: str, *, channel: str, drafted: str, at: datetime, by: Actor) -> str:
    """Keep a text and hand it to the outbox; gives its id.

    Args:
        session: The transaction.
        incident_id: What it is about.
        text: As it is sent.
        channel: The way it goes; empty for one that people send themselves, which is only kept.
        drafted: As Assent had drafted it.
        at: When.
        by: Who sends it.

    Raises:
        NotFound: There is no such incident.
        InvalidInput: There is no text.
        TooLarge: It is too long.
    """
    _locked(session, incident_id)
    text, telling_id = words_of(text, "text"), f"told-{uuid.uuid4().hex[:12]}"
    row = IncidentTellingRow(
        id=telling_id,
        incident_id=incident_id,
        at=at,
        by=by.model_dump(mode="json"),
        channel=channel,
        text=text,
        drafted=drafted,
    )
    session.add(row)
    if channel:
        outbox.enqueue(session, channel, TOLD, telling_id, at)
    body: dict[str, Json] = {
        "telling": telling_id,
        "channel": channel,
        "text": text,
        "edited": bool(drafted) and text != drafted,
    }
    note(session, incident_id, "told", body, at=at, by=by)
    return telling_id


def write_section(
    session: Session, incident_id: str, section: Section, text: str, *, after: int, at: datetime, by: Actor
) -> int:
    """Write a section of the post-mortem anew; earlier versions stay.

    Args:
        session: The transaction.
        incident_id: Which incident.
        section: Which section.
        text: Its words; may be empty.
        after: The version that the writer had before them, 0 for none.
        at: When.
        by: Who writes.

    Returns:
        Its version.

    Raises:
        NotFound: There is no such incident.
        TooLarge: It is too long.
        Conflict: Somebody else has written meanwhile.
    """
    _locked(session, incident_id)
    text, now = words_of(text, "text", needed=False), _version(session, incident_id, section)
    if now != after:
        raise Conflict(
            "Somebody else has changed this section meanwhile.",
            where=section.value,
            todo="Nothing was lost: look at their version, and write yours into it.",
        )
    session.add(
        IncidentSectionRow(
            incident_id=incident_id,
            section=section.value,
            version=now + 1,
            text=text,
            at=at,
            by=by.model_dump(mode="json"),
        )
    )
    body: dict[str, Json] = {"section": section.value, "version": now + 1, "text": text}
    note(session, incident_id, "written", body, at=at, by=by)
    return now + 1


def note(session: Session, incident_id: str, kind: str, body: Mapping[str, Json], *, at: datetime, by: Actor) -> None:
    """Write a ledger event of an incident in the caller's transaction."""
    values = ledger.event_row(at, f"incident.{kind}", by, body={"incident": incident_id, **body})
    event_id = session.execute(insert(LedgerEventRow).values(**values).returning(col(LedgerEventRow.id))).scalar_one()
    session.execute(insert(IncidentEventRow).values(incident_id=incident_id, event_id=event_id))


def _require_report(session: Session, incident_id: str) -> None:
    missing = [each for each in NEEDED if not _written(session, incident_id, each)]
    if missing:
        words = ", ".join(each.value.replace("_", " ") for each in missing)
        raise Conflict(
            f"The post-mortem is not written: {words}.",
            where="post-mortem",
            todo="Write these sections; what the ledger knows stands there already.",
        )


def _written(session: Session, incident_id: str, section: Section) -> bool:
    row = session.get(IncidentSectionRow, (incident_id, section.value, _version(session, incident_id, section)))
    return row is not None and bool(row.text)


def _version(session: Session, incident_id: str, section: Section) -> int:
    here = (col(IncidentSectionRow.incident_id) == incident_id, col(IncidentSectionRow.section) == section.value)
    return session.execute(select(func.max(col(IncidentSectionRow.version))).where(*here)).scalar_one() or 0


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
    row = _locked(session, incident_id)
    if not row.is_open:
        raise Conflict("This incident is closed.", where="incident", todo="Open it again first.")
    return row


def _locked(session: Session, incident_id: str) -> IncidentRow:
    row = session.get(IncidentRow, incident_id, with_for_update=True)
    if row is None:
        raise NotFound(
            f"There is no incident {incident_id!r}.", where="incident", todo="`assent incident list` shows all."
        )
    return row

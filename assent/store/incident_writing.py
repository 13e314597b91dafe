"""What people write in incidents: notes, texts that are sent, and the sections of the post-mortem."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.canonical import Json
from assent.domain.errors import Conflict
from assent.domain.incidents import NEEDED, Section, words_of
from assent.domain.people import Actor
from assent.store import outbox
from assent.store.incident_events import locked, note
from assent.store.tables import IncidentNoteRow, IncidentSectionRow, IncidentTellingRow

TOLD = "incident.told"
"""The outbox's word for a text about an incident."""


def write_down(session: Session, incident_id: str, text: str, *, at: datetime, by: Actor) -> str:
    """Keep a note; gives its id.

    Raises:
        NotFound: There is no such incident.
        InvalidInput: There is no text.
        TooLarge: It is too long.
    """
    locked(session, incident_id)
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
    locked(session, incident_id)
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
    locked(session, incident_id)
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


def require_report(session: Session, incident_id: str) -> None:
    """Refuse an incident whose post-mortem is not written.

    Raises:
        Conflict: Sections that it needs are missing.
    """
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

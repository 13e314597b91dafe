"""Who was shown a request whole before they decided it, and how long it was in front of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from assent.domain.approvals import ApprovalStatus
from assent.domain.quality import Measure, bounded_look
from assent.store import electorate, statements
from assent.store.database import Database
from assent.store.tables import ApprovalRow, OpeningRow

_openings = statements.table_of(OpeningRow)
_OPENED = select(_openings.c.at, _openings.c.seconds).where(
    _openings.c.approval_id == bindparam("for_id"),
    _openings.c.digest == bindparam("for_digest"),
    _openings.c.person_id == bindparam("for_person"),
)
_OPEN = insert(_openings)
_MEASURE = (
    update(_openings)
    .where(
        _openings.c.approval_id == bindparam("for_id"),
        _openings.c.digest == bindparam("for_digest"),
        _openings.c.person_id == bindparam("for_person"),
    )
    .values(seconds=bindparam("seconds"), measured=bindparam("measured"))
)
_approvals = statements.table_of(ApprovalRow)
_DIGEST = select(_approvals.c.digest).where(_approvals.c.id == bindparam("for_id"))

NOT_OPENED = "It must be opened before it can be approved: look at all of it on its page."
"""Why an approval of somebody who never opened it does not count."""


def note(database: Database, approval_id: str, person_id: str, at: datetime) -> None:
    """Keep that somebody was shown all of a pending request as it stands, if its card wants to know; once.

    Raises:
        Unavailable: The database is away.
    """
    with database.read() as session:
        row = session.get(ApprovalRow, approval_id)
        wanted = row is not None and row.status == ApprovalStatus.PENDING.value and electorate.rules_of(row).opened
        if row is None or not wanted or was_opened(session, row, person_id):
            return
        values = _values(approval_id, row.digest, person_id, at, None, Measure.UNKNOWN)
    try:
        with database.write() as session:
            statements.run(session, _OPEN, values)
    except IntegrityError:
        return  # In another window at the same moment.


def keep(
    database: Database,
    approval_id: str,
    digest: str,
    person_id: str,
    at: datetime,
    *,
    seconds: float | None = None,
    measured: Measure = Measure.UNKNOWN,
) -> None:
    """Keep, right before somebody decides, that a request was shown to them whole; one row a person and digest.

    Args:
        database: Assent's database.
        approval_id: The request; nothing is kept if there is none, or if it shows something else by now.
        digest: Digest of what was shown.
        person_id: To whom.
        at: When it was shown.
        seconds: How long it was in front of them; a longer time that was kept before stays.
        measured: What the time was measured by.

    Raises:
        Unavailable: The database is away.
    """
    known = None if seconds is None else bounded_look(seconds)
    key = {"for_id": approval_id, "for_digest": digest, "for_person": person_id}
    try:
        with database.write() as session:
            if statements.run(session, _DIGEST, {"for_id": approval_id}).scalar() != digest:
                return
            before = statements.run(session, _OPENED, key).first()
            if before is None:
                statements.run(session, _OPEN, _values(approval_id, digest, person_id, at, known, measured))
            elif known is not None and (before.seconds is None or before.seconds < known):
                statements.run(session, _MEASURE, {**key, "seconds": known, "measured": measured.value})
    except IntegrityError:
        return  # Sent twice at the same moment.


def was_opened(session: Session, row: ApprovalRow, person_id: str) -> bool:
    """Whether somebody was shown a request as it stands now."""
    values = {"for_id": row.id, "for_digest": row.digest, "for_person": person_id}
    return statements.run(session, _OPENED, values).first() is not None


def _values(
    approval_id: str, digest: str, person_id: str, at: datetime, seconds: float | None, measured: Measure
) -> dict[str, object]:
    return {
        "approval_id": approval_id,
        "digest": digest,
        "person_id": person_id,
        "at": at,
        "seconds": seconds,
        "measured": measured.value,
    }

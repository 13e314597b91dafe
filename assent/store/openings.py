"""Who has opened a request, where its card asks for that before an approval counts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from assent.domain.approvals import ApprovalStatus
from assent.store import electorate, statements
from assent.store.database import Database
from assent.store.tables import ApprovalRow, OpeningRow

_openings = statements.table_of(OpeningRow)
_OPENED = select(_openings.c.at).where(
    _openings.c.approval_id == bindparam("for_id"),
    _openings.c.digest == bindparam("for_digest"),
    _openings.c.person_id == bindparam("for_person"),
)
_OPEN = insert(_openings)

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
        values = {"approval_id": approval_id, "digest": row.digest, "person_id": person_id, "at": at}
    try:
        with database.write() as session:
            statements.run(session, _OPEN, values)
    except IntegrityError:
        return  # In another window at the same moment.


def was_opened(session: Session, row: ApprovalRow, person_id: str) -> bool:
    """Whether somebody was shown a request as it stands now."""
    values = {"for_id": row.id, "for_digest": row.digest, "for_person": person_id}
    return statements.run(session, _OPENED, values).first() is not None

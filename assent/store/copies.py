"""Copies of approval requests that were posted somewhere, so that each can be found and updated.

The row of a copy is written *before* it is posted, without a reference. A row without a reference therefore says: it
may have been posted, look before posting again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.store.statements import rows_changed
from assent.store.tables import MessageRow

GONE = "gone"
"""Shown status of a copy that somebody deleted where it was posted."""

KEPT_BACK = "kept back"
"""Shown status of a copy that was certainly not posted, because too many came at once."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a request.

    Attributes:
        approval_id: The request.
        channel: The way it went, such as ``slack``.
        place: Where it is, in the words of that way.
        reference: What finds it there; empty if it is not known to have been posted.
        shown_status: The status of the request that it shows; empty if it is not known to have been posted.
        posted_at: When it was first to be posted.
        shown_digest: What tells the content that it shows from another; empty if that is not known.
    """

    approval_id: str
    channel: str
    place: str
    reference: str
    shown_status: str
    posted_at: datetime
    shown_digest: str = ""


def intend(session: Session, approval_id: str, *, channel: str, place: str, at: datetime) -> tuple[Copy, bool]:
    """Write down that a copy is about to be posted.

    Returns:
        The copy, and whether the row is new: if not, it may have been posted before.
    """
    known = one(session, approval_id, channel=channel, place=place)
    if known is not None and known.shown_status == KEPT_BACK:
        waiting = (_this(known), col(MessageRow.shown_status) == KEPT_BACK)
        begun = {"shown_status": "", "posted_at": at, "updated_at": at}
        fresh = rows_changed(session.execute(update(MessageRow).where(*waiting).values(**begun))) > 0
        return _known(session, known), fresh
    if known is not None:
        return known, False
    return _write(session, approval_id, channel=channel, place=place, status="", at=at)


def keep_back(session: Session, approval_id: str, *, channel: str, place: str, at: datetime) -> Copy:
    """Write down that a copy belongs in a place and is not posted now; one that is there already stays as it is."""
    known = one(session, approval_id, channel=channel, place=place)
    if known is not None:
        return known
    return _write(session, approval_id, channel=channel, place=place, status=KEPT_BACK, at=at)[0]


def forget(session: Session, copy: Copy) -> None:
    """Take back an intention: it is certain that nothing was posted."""
    session.execute(delete(MessageRow).where(_this(copy), col(MessageRow.reference) == ""))


def posted(session: Session, copy: Copy, *, reference: str, shown_status: str, at: datetime, digest: str = "") -> bool:
    """Keep what finds a posted copy and what it shows; false if another one was posted in the same place meanwhile."""
    done = session.execute(
        update(MessageRow)
        .where(_this(copy), col(MessageRow.reference).in_(["", reference]))
        .values(reference=reference, shown_status=shown_status, shown_digest=digest, updated_at=at)
    )
    return rows_changed(done) > 0


def shows(session: Session, copy: Copy, *, status: str, at: datetime, digest: str = "") -> None:
    """Keep which status a copy shows now, or :data:`GONE`, and what tells its content from another."""
    values = {"shown_status": status, "shown_digest": digest, "updated_at": at}
    session.execute(update(MessageRow).where(_this(copy)).values(**values))


def one(session: Session, approval_id: str, *, channel: str, place: str) -> Copy | None:
    """The copy of a request in a place."""
    row = session.get(MessageRow, (approval_id, channel, place), populate_existing=True)
    return None if row is None else _copy(row)


def of_request(session: Session, approval_id: str, *, channel: str) -> Sequence[Copy]:
    """Every copy of a request that went one way."""
    rows = session.execute(
        select(MessageRow).where(col(MessageRow.approval_id) == approval_id, col(MessageRow.channel) == channel)
    ).scalars()
    return [_copy(row) for row in rows]


def _write(
    session: Session, approval_id: str, *, channel: str, place: str, status: str, at: datetime
) -> tuple[Copy, bool]:
    """A new row, or the one that somebody else wrote at the same moment."""
    copy = Copy(approval_id, channel, place, "", status, at)
    values = {
        "approval_id": approval_id,
        "channel": channel,
        "place": place,
        "reference": "",
        "shown_status": status,
        "shown_digest": "",
        "posted_at": at,
        "updated_at": at,
    }
    try:
        with session.begin_nested():
            session.execute(insert(MessageRow).values(**values))
    except IntegrityError:
        return _known(session, copy), False
    return copy, True


def _known(session: Session, copy: Copy) -> Copy:
    known = one(session, copy.approval_id, channel=copy.channel, place=copy.place)
    assert known is not None
    return known


def _this(copy: Copy) -> ColumnElement[bool]:
    return and_(
        col(MessageRow.approval_id) == copy.approval_id,
        col(MessageRow.channel) == copy.channel,
        col(MessageRow.place) == copy.place,
    )


def _copy(row: MessageRow) -> Copy:
    return Copy(
        row.approval_id, row.channel, row.place, row.reference, row.shown_status, row.posted_at, row.shown_digest
    )

"""The words that requests are found by. Only activities write them, in the transaction that shows the request."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.approvals import RequestCard
from assent.domain.search_words import words_of_request
from assent.store import statements
from assent.store.tables import ApprovalWordRow

_words = statements.table_of(ApprovalWordRow)
_ADD = statements.InsertNew(_words)


def add(session: Session, approval_id: str, card: RequestCard, created_at: datetime) -> None:
    """Let a request be found by what its card says; words of an earlier revision stay.

    Args:
        session: Where the card is written.
        approval_id: The request.
        card: What people are shown.
        created_at: When the request was opened, also for a later revision.
    """
    records = (change.resource for change in card.changes)
    found = words_of_request(card.headline, records, also=(approval_id, card.run_id))
    rows = [{"word": word, "created_at": created_at, "approval_id": approval_id} for word in found]
    if rows:
        _ADD.run(session, rows)

"""What people did about seeded checks: kept once, the first answer for good, and told by whatever told of the check."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import RequestCard, Verb
from assent.domain.approving import ApprovalRules
from assent.domain.checks import Check, CheckStatus, outcome
from assent.domain.errors import Conflict, InvalidInput, NotFound
from assent.domain.people import MAX_REASON, Actor
from assent.domain.quality import bounded_look
from assent.store import ledger, outbox
from assent.store.approvals import CLOSED, notify
from assent.store.statements import rows_changed
from assent.store.tables import CheckRow


def answer(
    session: Session,
    check_id: str,
    *,
    verb: Verb,
    digest: str,
    reason: str,
    by: Actor,
    at: datetime,
    seconds: float | None,
) -> Check:
    """Keep what somebody decided on a check; the first answer stays.

    Raises:
        NotFound: They have no such check.
        InvalidInput: A rejection without a reason, as for a request.
        Conflict: The answer is about something else.
    """
    row = session.get(CheckRow, check_id, with_for_update=True, populate_existing=True)
    if row is None or row.person_id != by.id:
        raise NotFound(f"There is no approval request {check_id}.", where="approval")
    if verb is Verb.REJECT and not reason.strip():
        raise InvalidInput("A rejection needs a reason.", where="reason", todo="The agent is given it.")
    if row.ended_at is None:
        if row.digest != digest:
            raise Conflict("The request no longer shows what you saw.", where="digest", todo="Open it again.")
        row.reason = reason.strip()[:MAX_REASON]
        row.seconds = None if seconds is None else bounded_look(seconds)
        late = row.expires_at <= at
        close(session, row, CheckStatus.UNANSWERED if late else outcome(verb), at=at, by=by)
    return check_of(row)


def question(session: Session, check_id: str, *, text: str, by: Actor, at: datetime) -> Check:
    """Somebody asked about their check instead of deciding it: that ends it, and nobody is asked.

    Raises:
        NotFound: They have no such check.
        InvalidInput: They said nothing.
    """
    if not text.strip():
        raise InvalidInput("Say something.", where="text")
    return _put_off(session, check_id, CheckStatus.QUESTIONED, text, by, at)


def change(session: Session, check_id: str, *, reason: str, by: Actor, at: datetime) -> Check:
    """Somebody set out to change their check instead of deciding it: that ends it, and nothing is changed.

    Raises:
        NotFound: They have no such check.
    """
    return _put_off(session, check_id, CheckStatus.CHANGED, reason, by, at)


def close(session: Session, row: CheckRow, status: CheckStatus, *, at: datetime, by: Actor) -> None:
    """End a check, with what it comes to; its ledger event and the outbox say so. One that is over stays as it is."""
    values = {"status": status.value, "ended_at": at, "reason": row.reason, "seconds": row.seconds}
    waits = (col(CheckRow.id) == row.id, col(CheckRow.ended_at).is_(None))
    if not rows_changed(session.execute(update(CheckRow).where(*waits).values(**values))):
        return
    row.status, row.ended_at = status.value, at
    body = {"check": row.id, "type": row.type, "result": status.value, "digest": row.digest, "reason": row.reason}
    ledger.append(session, at=at, kind="check.answered", actor=by, agent=row.agent, body=body)
    # Whatever told them of it tells them what it was.
    notify(session, outbox.ways(session, row.id), CLOSED, row.id, at)


def check_of(row: CheckRow) -> Check:
    """A check as its row says."""
    return Check(
        id=row.id,
        person_id=row.person_id,
        agent=row.agent,
        type=row.type,
        source_id=row.source_id,
        digest=row.digest,
        why=row.why,
        card=RequestCard.model_validate(row.card),
        rules=ApprovalRules.model_validate(row.rules),
        because=row.because,
        status=CheckStatus(row.status),
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        reason=row.reason,
    )


def _put_off(session: Session, check_id: str, status: CheckStatus, said: str, by: Actor, at: datetime) -> Check:
    row = session.get(CheckRow, check_id, with_for_update=True, populate_existing=True)
    if row is None or row.person_id != by.id:
        raise NotFound(f"There is no approval request {check_id}.", where="approval")
    if row.ended_at is None:
        row.reason = said.strip()[:MAX_REASON]
        close(session, row, status, at=at, by=by)
    return check_of(row)

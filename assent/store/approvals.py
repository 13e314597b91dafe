"""Writing approval requests and decisions. Only activities call this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus, Decision, RequestCard
from assent.domain.people import Role
from assent.domain.runs import RunHeader
from assent.store import statements
from assent.store.tables import ApprovalRow, DecisionRow, OutboxRow, PersonRow

_approvals = statements.table_of(ApprovalRow)
_OPEN = insert(_approvals)
_ABOUT = select(ApprovalRow).where(col(ApprovalRow.action_id) == bindparam("for_action"))
_CLOSE = (
    update(_approvals)
    .where(_approvals.c.id == bindparam("for_id"), _approvals.c.status == ApprovalStatus.PENDING.value)
    .values({name: bindparam(name) for name in ("status", "decided_at", "decided_by", "decision_reason")})
)
_decisions, _people = statements.table_of(DecisionRow), statements.table_of(PersonRow)
_DECIDE = insert(_decisions)
_KEPT = select(_decisions.c.counted).where(_decisions.c.id == bindparam("for_id"))
_PERSON = select(_people.c.disabled, _people.c.roles).where(_people.c.id == bindparam("for_id"))

REQUESTED = "approval.requested"
"""Outbox kind: show a new request."""
CLOSED = "approval.closed"
"""Outbox kind: update every copy of a request."""


def open_request(
    session: Session,
    header: RunHeader,
    *,
    approval_id: str,
    action_id: str,
    digest: str,
    card: RequestCard,
    at: datetime,
    expires_at: datetime,
    channels: Sequence[str],
) -> None:
    """Insert a pending request and the notifications of it."""
    values = {
        "id": approval_id,
        "action_id": action_id,
        "run_id": header.run_id,
        "agent": header.agent,
        "type": card.action_type,
        "digest": digest,
        "headline": card.headline,
        "amount": card.amount,
        "card": card.model_dump(mode="json"),
        "status": ApprovalStatus.PENDING.value,
        "created_at": at,
        "expires_at": expires_at,
        "decision_reason": "",
    }
    statements.run(session, _OPEN, values)
    notify(session, channels, REQUESTED, approval_id, at)


def request_for(session: Session, action_id: str) -> ApprovalRow | None:
    """The request about an action, if there is one."""
    return session.execute(_ABOUT, {"for_action": action_id}).scalar_one_or_none()


def exists_for(session: Session, action_id: str) -> bool:
    """Whether people were or are asked about an action."""
    return request_for(session, action_id) is not None


def close_request(
    session: Session,
    approval_id: str,
    *,
    to: ApprovalStatus,
    decision: Decision | None,
    message: str,
    at: datetime,
    channels: Sequence[str],
) -> None:
    """End a pending request and notify of it."""
    values = {
        "for_id": approval_id,
        "status": to.value,
        "decided_at": decision.at if decision else at,
        "decided_by": decision.by.model_dump(mode="json") if decision else None,
        "decision_reason": decision.reason if decision else message,
    }
    statements.run(session, _CLOSE, values)
    notify(session, channels, CLOSED, approval_id, at)


def record_decision(session: Session, decision: Decision, *, counted: bool, why_not: str = "") -> bool:
    """Keep a decision that reached the run; false if it was already kept."""
    if statements.run(session, _KEPT, {"for_id": decision.id}).first() is not None:
        return False
    values = {
        "id": decision.id,
        "approval_id": decision.approval_id,
        "action_id": decision.action_id,
        "verb": decision.verb.value,
        "reason": decision.reason,
        "actor": decision.by.model_dump(mode="json"),
        "at": decision.at,
        "counted": counted,
        "why_not": why_not,
    }
    statements.run(session, _DECIDE, values)
    return True


def may_decide(session: Session, person_id: str) -> bool:
    """Whether somebody is a person who may approve now."""
    person = statements.run(session, _PERSON, {"for_id": person_id}).one_or_none()
    if person is None or person.disabled:
        return False
    return Role.APPROVER.value in person.roles or Role.ADMIN.value in person.roles


def notify(session: Session, channels: Sequence[str], kind: str, subject: str, at: datetime) -> None:
    """Put notifications into the outbox."""
    if channels:
        rows = [
            {
                "channel": channel,
                "kind": kind,
                "subject": subject,
                "created_at": at,
                "due_at": at,
                "attempts": 0,
                "sent": False,
                "error": "",
            }
            for channel in channels
        ]
        session.execute(insert(OutboxRow), rows)


def was_counted(session: Session, decision_id: str) -> bool:
    """Whether a decision was kept and counted."""
    row = statements.run(session, _KEPT, {"for_id": decision_id}).one_or_none()
    return row is not None and bool(row.counted)


@dataclass(frozen=True, slots=True)
class RequestState:
    """What the gateway checks of a request before it sends a decision."""

    action_id: str
    run_id: str
    status: ApprovalStatus
    digest: str
    decided_by: str


def request(session: Session, approval_id: str) -> RequestState | None:
    """A request by its id."""
    row = session.get(ApprovalRow, approval_id)
    if row is None:
        return None
    name = row.decided_by["name"] if row.decided_by else ""
    return RequestState(row.action_id, row.run_id, ApprovalStatus(row.status), row.digest, name)

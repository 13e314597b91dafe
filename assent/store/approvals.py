"""Writing approval requests and decisions. Only activities call this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus, Decision, RequestCard
from assent.domain.approving import Agenda, ApprovalRules
from assent.domain.runs import RunHeader
from assent.store import asked, search, statements
from assent.store.tables import ApprovalRow, DecisionRow, OutboxRow

_approvals = statements.table_of(ApprovalRow)
_OPEN = insert(_approvals)
_ABOUT = select(ApprovalRow).where(col(ApprovalRow.action_id) == bindparam("for_action"))
_CLOSE = (
    update(_approvals)
    .where(_approvals.c.id == bindparam("for_id"), _approvals.c.status == ApprovalStatus.PENDING.value)
    .values({name: bindparam(name) for name in ("status", "decided_at", "decided_by", "decision_reason")})
)
_decisions = statements.table_of(DecisionRow)
_DECIDE = insert(_decisions)
_KEPT = select(_decisions.c.counted).where(_decisions.c.id == bindparam("for_id"))

REQUESTED = "approval.requested"
"""Outbox kind: show a new request."""
CHANGED = "approval.changed"
"""Outbox kind: something about a pending request changed, a vote say: update every copy of it."""
REMINDER = "approval.reminder"
"""Outbox kind: remind those who are asked."""
ESCALATED = "approval.escalated"
"""Outbox kind: show a request to those who are asked as well from now on."""
CLOSED = "approval.closed"
"""Outbox kind: update every copy of a request."""

WHY_LENGTH = 200
"""Characters of the reason that lists show."""

_NOTHING_DUE = Agenda()


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
    rules: ApprovalRules | None = None,
    agenda: Agenda = _NOTHING_DUE,
) -> None:
    """Insert a pending request, whom it asks, and the notifications of it.

    Args:
        session: The transaction that admits the action.
        header: The run.
        approval_id: The request's id.
        action_id: The action it is about.
        digest: What a decision must carry.
        card: What people are shown.
        at: When.
        expires_at: When its time is up.
        channels: Where it is announced.
        rules: How it is decided; any approver if left out.
        agenda: What time brings to it before it is up.
    """
    rules = rules or ApprovalRules()
    values = {
        "id": approval_id,
        "action_id": action_id,
        "run_id": header.run_id,
        "agent": header.agent,
        "type": card.action_type,
        "digest": digest,
        "revision": 1,
        "headline": card.headline,
        "amount": card.amount,
        "card": card.model_dump(mode="json"),
        "status": ApprovalStatus.PENDING.value,
        "created_at": at,
        "expires_at": expires_at,
        "due_at": agenda.next_look(expires_at),
        "requester": rules.electorate.requester,
        "rules": rules.model_dump(mode="json"),
        "agenda": agenda.model_dump(mode="json"),
        "decision_reason": "",
        "why": why_in_short(card),
    }
    statements.run(session, _OPEN, values)
    search.add(session, approval_id, card, at)
    asked.ask(
        session,
        approval_id=approval_id,
        agent=header.agent,
        type=card.action_type,
        amount=card.amount,
        created_at=at,
        due_at=expires_at,
        tokens=[need.token for need in rules.electorate.needs],
        at=at,
    )
    notify(session, channels, REQUESTED, approval_id, at)


def why_in_short(card: RequestCard) -> str:
    """Why a request stopped, for a line of a list: the most telling reason, and how many others there are."""
    told = [reason for reason in card.stopped_because if reason.rule != "tier"] or card.stopped_because
    if not told:
        return ""
    others = len(card.stopped_because) - 1
    return told[0].sentence[:WHY_LENGTH] + (f" (+{others})" if others else "")


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
    asked.settle(session, approval_id)
    notify(session, channels, CLOSED, approval_id, at)


def record_decision(
    session: Session,
    decision: Decision,
    *,
    counted: bool,
    why_not: str = "",
    revision: int = 1,
    needs: Sequence[str] = (),
    for_person: str = "",
) -> bool:
    """Keep a decision that reached the run; false if it was already kept.

    Args:
        session: The transaction that lets it count, or not.
        decision: The decision.
        counted: Whether it counts.
        why_not: Why it does not.
        revision: The request's revision that it is about.
        needs: Tokens of the needs that it can count for.
        for_person: Whose authority it uses, if not the person's own.
    """
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
        "digest": decision.digest,
        "revision": revision,
        "person": decision.by.id,
        "for_person": for_person,
        "needs": list(needs),
        "lapsed": False,
        "why_lapsed": "",
    }
    statements.run(session, _DECIDE, values)
    return True


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

"""Votes on requests: which are in force, which lapsed and why. Only activities write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.orm import Session

from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.people import Actor
from assent.store import statements
from assent.store.tables import ApprovalRow, DecisionRow

_decisions = statements.table_of(DecisionRow)
_IN_FORCE = (
    select(_decisions.c.id, _decisions.c.verb, _decisions.c.actor, _decisions.c.at, _decisions.c.person)
    .where(
        _decisions.c.approval_id == bindparam("for_id"),
        _decisions.c.counted,
        ~_decisions.c.lapsed,
        _decisions.c.verb.in_([Verb.APPROVE.value, Verb.REJECT.value]),
    )
    .order_by(_decisions.c.at, _decisions.c.id)
)
_LAPSE = (
    update(_decisions)
    .where(_decisions.c.id == bindparam("for_id"))
    .values(lapsed=True, why_lapsed=bindparam("why_lapsed"))
)
_COUNTED = select(_decisions.c.counted).where(_decisions.c.id == bindparam("for_id"))


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote in force.

    Attributes:
        id: The decision's id.
        verb: Approve or reject.
        by: Who gave it.
        at: When.
    """

    id: str
    verb: Verb
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a decision.

    Attributes:
        approval_id: The request it is about.
        counted: Whether it counted.
        why_not: Why it did not, one sentence.
        lapsed: It counted, and does no more.
        why_lapsed: Why not.
        status: The request's status by now.
    """

    approval_id: str
    counted: bool
    why_not: str
    lapsed: bool
    why_lapsed: str
    status: ApprovalStatus


def fate(session: Session, decision_id: str) -> Fate | None:
    """What became of a decision; ``None`` if it has not reached its run yet."""
    found = session.get(DecisionRow, decision_id)
    if found is None:
        return None
    request = session.get(ApprovalRow, found.approval_id)
    assert request is not None, found.approval_id
    status = ApprovalStatus(request.status)
    return Fate(found.approval_id, found.counted, found.why_not, found.lapsed, found.why_lapsed, status)


def in_force(session: Session, approval_id: str) -> list[Vote]:
    """Votes that count and have not lapsed, oldest first."""
    return [_vote(row) for row in statements.run(session, _IN_FORCE, {"for_id": approval_id})]


def counted(session: Session, decision_id: str) -> bool:
    """Whether a decision was kept and counted."""
    row = statements.run(session, _COUNTED, {"for_id": decision_id}).one_or_none()
    return row is not None and bool(row.counted)


def lapse(session: Session, decision_id: str, why: str) -> None:
    """Let one vote count no more."""
    statements.run(session, _LAPSE, {"for_id": decision_id, "why_lapsed": why})


def lapse_all(session: Session, approval_id: str, why: str) -> list[Vote]:
    """Let every vote on a request count no more, because it shows something else now, say; gives them."""
    votes = in_force(session, approval_id)
    for vote in votes:
        lapse(session, vote.id, why)
    return votes


def _vote(row: Row[Any]) -> Vote:
    return Vote(row.id, Verb(row.verb), Actor.model_validate(row.actor), row.at)

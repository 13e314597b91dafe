"""Earlier requests about the same record: noted when people are asked, found by index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus
from assent.domain.card_facts import EarlierDecision
from assent.store.tables import ApprovalRow, AskedAboutRow

RECORDS = 8
"""Records of one request that are noted."""

LOOKED_UP = 3
"""Records whose earlier requests are looked up."""

LOOKED_BACK = 20
"""Newest requests about a record that are looked at; most of them may still be waiting."""

SHOWN = 4
"""Earlier decisions that a request shows."""

_NAME = 200
_DECIDED = [ApprovalStatus.APPROVED.value, ApprovalStatus.REJECTED.value, ApprovalStatus.EXPIRED.value]


def remember(session: Session, approval_id: str, *, type: str, resources: Iterable[str], at: datetime) -> None:
    """Note which records a request is about, the first :data:`RECORDS` of them."""
    names = list(dict.fromkeys(_kept_name(resource) for resource in resources))[:RECORDS]
    if names:
        rows = [{"resource": name, "type": type, "asked_at": at, "approval_id": approval_id} for name in names]
        session.execute(insert(AskedAboutRow), rows)


def earlier(
    session: Session, *, agent: str, type: str, resources: Sequence[str], besides: str = ""
) -> list[EarlierDecision]:
    """What became of an agent's newest requests for the same kind of action on the same records, newest first.

    Args:
        session: A session.
        agent: The agent: its key may read its requests, and must not read another's there.
        type: Name of the action type.
        resources: The records; the first :data:`LOOKED_UP` count.
        besides: Id of the request that asks, which is not among them.
    """
    found: dict[str, EarlierDecision] = {}
    for name in list(dict.fromkeys(_kept_name(resource) for resource in resources))[:LOOKED_UP]:
        newest = (
            select(col(AskedAboutRow.approval_id))
            .where(col(AskedAboutRow.resource) == name, col(AskedAboutRow.type) == type)
            .order_by(col(AskedAboutRow.asked_at).desc(), col(AskedAboutRow.approval_id).desc())
            .limit(LOOKED_BACK)
        )
        ids = [each for each in session.execute(newest).scalars() if each != besides and each not in found]
        found |= {decision.approval_id: decision for decision in _decided(session, agent, ids)} if ids else {}
    return sorted(found.values(), key=lambda each: (each.at, each.approval_id), reverse=True)[:SHOWN]


def _decided(session: Session, agent: str, ids: Sequence[str]) -> list[EarlierDecision]:
    """Those of some requests that were decided or ran out of time; without their cards, which can be large."""
    columns = (ApprovalRow.id, ApprovalRow.headline, ApprovalRow.status, ApprovalRow.decided_by)
    wanted = select(*map(col, columns), col(ApprovalRow.decision_reason), col(ApprovalRow.decided_at)).where(
        col(ApprovalRow.id).in_(ids),
        col(ApprovalRow.agent) == agent,
        col(ApprovalRow.status).in_(_DECIDED),
        col(ApprovalRow.decided_at).is_not(None),
    )
    return [
        EarlierDecision(
            approval_id=row.id,
            headline=row.headline,
            verdict=row.status,
            by=row.decided_by["name"] if row.decided_by else "",
            reason=row.decision_reason,
            at=row.decided_at,
        )
        for row in session.execute(wanted)
    ]


def _kept_name(resource: str) -> str:
    """The name of a record as it is kept: one too long for an index, or with a null character, as its hash."""
    if len(resource) <= _NAME and "\x00" not in resource:
        return resource
    return f"sha256:{hashlib.sha256(resource.encode('utf-8', 'surrogatepass')).hexdigest()}"

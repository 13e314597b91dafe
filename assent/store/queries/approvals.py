"""Approval requests: the inbox, one request, and what was decided."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus, RequestCard, Verb
from assent.domain.errors import NotFound
from assent.domain.people import Actor
from assent.store.queries import inbox, search
from assent.store.queries.inbox import Wanted
from assent.store.queries.inbox_walk import ANYTHING, Bounds
from assent.store.queries.paging import COUNT_CAP, FIRST, Order, Page, PageRequest
from assent.store.tables import ApprovalRow, DecisionRow, LedgerEventRow


@dataclass(frozen=True, slots=True)
class VoteView:
    """A decision that reached the run.

    Attributes:
        verb: Approve or reject.
        reason: Why.
        by: Who decided.
        at: When.
        counted: Whether it counted.
        why_not: Why it did not.
        id: Its id.
        digest: What it was bound to; empty for one from before this was kept.
        revision: Which revision of the request that is.
        lapsed: It counted, and does no more.
        why_lapsed: Why not.
    """

    verb: Verb
    reason: str
    by: Actor
    at: datetime
    counted: bool
    why_not: str
    id: str = ""
    digest: str = ""
    revision: int = 1
    lapsed: bool = False
    why_lapsed: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An approval request.

    Attributes:
        id: Its id.
        action_id: The action behind it.
        run_id: The run that asks.
        agent: The agent that asks.
        type: Name of the action type.
        digest: What a decision must carry.
        headline: The sentence of what will happen.
        amount: Money moved, if declared.
        card: Everything an approver is shown.
        status: Where it is in its life.
        created_at: When it was asked.
        expires_at: When it is too late.
        decided_at: When it was closed.
        decided_by: Who decided it; ``None`` if nobody did.
        decision_reason: Their reason.
        revision: How often the arguments were edited, plus one.
        revised_at: When they were edited last.
        votes: Decisions that reached the run, oldest first; only filled by :func:`one`.
    """

    id: str
    action_id: str
    run_id: str
    agent: str
    type: str
    digest: str
    headline: str
    amount: float | None
    card: RequestCard
    status: ApprovalStatus
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: Actor | None
    decision_reason: str
    revision: int = 1
    revised_at: datetime | None = None
    votes: tuple[VoteView, ...] = ()


_AGE = Order("closed-approvals", [col(ApprovalRow.created_at), col(ApprovalRow.id)])
_DEADLINE = Order("closed-approvals-of-agent", [col(ApprovalRow.expires_at), col(ApprovalRow.id)])
_CLOSED = tuple(status for status in ApprovalStatus if status is not ApprovalStatus.PENDING)


def pending(
    session: Session, *, agent: str | None = None, type: str | None = None, request: PageRequest = FIRST
) -> Page[ApprovalView]:
    """Requests that wait for a person, soonest due first."""
    return waiting(session, Wanted(Bounds(agent=agent, type=type)), request=request)


def waiting(session: Session, wanted: Wanted, *, request: PageRequest = FIRST) -> Page[ApprovalView]:
    """Requests that wait, as somebody wants to see them; a page may hold fewer than asked for and still have a next."""
    found = inbox.ids(session, wanted, request=request)
    rows = session.execute(select(ApprovalRow).where(col(ApprovalRow.id).in_(found.items))).scalars()
    known = {row.id: _view(row) for row in rows}
    return Page(tuple(known[id] for id in found.items if id in known), found.next_cursor)


def found(
    session: Session,
    question: str,
    *,
    status: ApprovalStatus | None = None,
    bounds: Bounds = ANYTHING,
    request: PageRequest = FIRST,
) -> Page[ApprovalView]:
    """Requests, waiting or decided, that have all words of a question, newest first: what the inbox searches.

    What else they must be is looked at on what was found, so that a page may hold fewer than asked for, or nothing, and
    still have a next.
    """
    matching = search.find(session, question, request)
    rows = session.execute(select(ApprovalRow).where(col(ApprovalRow.id).in_(matching.ids))).scalars()
    known = {row.id: _view(row) for row in rows}
    views = (known[id] for id in matching.ids if id in known)
    fitting = (view for view in views if status in (None, view.status) and bounds.hold(view))
    return Page(tuple(fitting), matching.next_cursor)


def count_pending(session: Session, *, agent: str | None = None, type: str | None = None, cap: int = COUNT_CAP) -> int:
    """How many requests wait, counting no further than ``cap``."""
    return inbox.count(session, Wanted(Bounds(agent=agent, type=type)), cap=cap)


def closed(
    session: Session,
    *,
    status: ApprovalStatus | None = None,
    agent: str | None = None,
    request: PageRequest = FIRST,
) -> Page[ApprovalView]:
    """Requests that were approved, rejected, withdrawn or expired, newest first: by request, of one agent by deadline.

    Either order is one that an index has.
    """
    order = _AGE if agent is None else _DEADLINE
    statement = select(ApprovalRow)
    if agent is not None:
        statement = statement.where(col(ApprovalRow.agent) == agent)
    # One index range a status, merged here: a single query over several statuses would sort every closed request.
    lists = [
        session.execute(order.window(statement.where(col(ApprovalRow.status) == each.value), request)).scalars()
        for each in (_CLOSED if status is None else (status,))
    ]
    newest_first = heapq.merge(*lists, key=order.position, reverse=True)
    return order.page(list(islice(newest_first, request.limit + 1)), request, _view)


def of_run(session: Session, run_id: str, *, limit: int = 50) -> tuple[ApprovalView, ...]:
    """Requests of a run, at most ``limit``, in no particular order."""
    rows = session.execute(select(ApprovalRow).where(col(ApprovalRow.run_id) == run_id).limit(limit)).scalars()
    return tuple(_view(row) for row in rows)


def one(session: Session, approval_id: str) -> ApprovalView:
    """One request with its votes.

    Raises:
        NotFound: There is no such request.
    """
    row = session.get(ApprovalRow, approval_id)
    if row is None:
        raise NotFound(
            f"There is no approval request {approval_id!r}.",
            where="approval_id",
            todo="`assent approval list` shows the requests that wait.",
        )
    votes = session.execute(select(DecisionRow).where(col(DecisionRow.approval_id) == approval_id)).scalars()
    return _view(row, tuple(_vote(vote) for vote in sorted(votes, key=lambda vote: (vote.at, vote.id))))


def last_decided_at(session: Session) -> datetime | None:
    """When a person last decided something."""
    newest = (
        select(col(LedgerEventRow.at))
        .where(col(LedgerEventRow.kind) == "approval.decided")
        .order_by(col(LedgerEventRow.id).desc())
        .limit(1)
    )
    return session.execute(newest).scalar_one_or_none()


def _view(row: ApprovalRow, votes: tuple[VoteView, ...] = ()) -> ApprovalView:
    return ApprovalView(
        id=row.id,
        action_id=row.action_id,
        run_id=row.run_id,
        agent=row.agent,
        type=row.type,
        digest=row.digest,
        headline=row.headline,
        amount=row.amount,
        card=RequestCard.model_validate(row.card),
        status=ApprovalStatus(row.status),
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        decided_by=None if row.decided_by is None else Actor.model_validate(row.decided_by),
        decision_reason=row.decision_reason,
        revision=row.revision,
        revised_at=row.revised_at,
        votes=votes,
    )


def _vote(row: DecisionRow) -> VoteView:
    return VoteView(
        verb=Verb(row.verb),
        reason=row.reason,
        by=Actor.model_validate(row.actor),
        at=row.at,
        counted=row.counted,
        why_not=row.why_not,
        id=row.id,
        digest=row.digest,
        revision=row.revision,
        lapsed=row.lapsed,
        why_lapsed=row.why_lapsed,
    )

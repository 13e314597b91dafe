"""Writing who is asked to decide a request, so that an inbox finds what is somebody's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.people import Actor
from assent.store import statements
from assent.store.tables import ApprovalRow, AskedRow

_asked = statements.table_of(AskedRow)
_ASK = insert(_asked)
_CLOSE = update(_asked).where(_asked.c.approval_id == bindparam("for_id")).values(pending=False)
_REOPEN = update(_asked).where(_asked.c.approval_id == bindparam("for_id")).values(pending=True)

_AT_ONCE = 500
"""Requests whose times are moved by one statement."""

CARD = "card"
"""The card asks them."""
ESCALATION = "escalation"
"""Nobody decided for a while."""


def ask(
    session: Session,
    *,
    approval_id: str,
    agent: str,
    type: str,
    amount: float | None,
    created_at: datetime,
    due_at: datetime,
    tokens: Iterable[str],
    why: str = CARD,
    at: datetime,
    by: Actor | None = None,
    for_person: str = "",
) -> None:
    """Ask people by their tokens; in the transaction that opens the request or asks them as well."""
    rows = [
        {
            "approval_id": approval_id,
            "token": token,
            "for_person": for_person,
            "pending": True,
            "why": why,
            "agent": agent,
            "type": type,
            "amount": amount,
            "created_at": created_at,
            "due_at": due_at,
            "asked_at": at,
            "asked_by": by.model_dump(mode="json") if by else None,
        }
        for token in dict.fromkeys(tokens)
    ]
    if rows:
        statements.run(session, _ASK, rows)


def ask_as_well(
    session: Session,
    row: ApprovalRow,
    tokens: Iterable[str],
    *,
    why: str,
    at: datetime,
    by: Actor | None = None,
    for_person: str = "",
) -> list[str]:
    """Ask more people about a pending request; gives the tokens that were not asked in this way before."""
    before = select(col(AskedRow.token)).where(
        col(AskedRow.approval_id) == row.id, col(AskedRow.for_person) == for_person
    )
    known = set(session.execute(before).scalars())
    new = [token for token in dict.fromkeys(tokens) if token not in known]
    ask(session, **_about(row), tokens=new, why=why, at=at, by=by, for_person=for_person)
    return new


def ask_again(session: Session, row: ApprovalRow, tokens: Iterable[str], *, at: datetime) -> None:
    """Ask whom an edited request needs instead of whom it needed before; who was asked besides stays asked."""
    session.execute(delete(AskedRow).where(col(AskedRow.approval_id) == row.id, col(AskedRow.why) == CARD))
    ask_as_well(session, row, tokens, why=CARD, at=at)
    session.execute(
        update(AskedRow)
        .where(col(AskedRow.approval_id) == row.id)
        .values(amount=row.amount, type=row.type, due_at=row.expires_at)
    )


def settle(session: Session, approval_id: str) -> None:
    """The request waits no more."""
    statements.run(session, _CLOSE, {"for_id": approval_id})


def reopen(session: Session, approval_id: str) -> None:
    """The request waits again."""
    statements.run(session, _REOPEN, {"for_id": approval_id})


def due(session: Session, approval_id: str, at: datetime) -> None:
    """The request's time is up at another moment."""
    session.execute(update(AskedRow).where(col(AskedRow.approval_id) == approval_id).values(due_at=at))


def follow(session: Session, approval_ids: Sequence[str]) -> None:
    """The times at which requests are up moved: the inbox sorts by the new ones."""
    moved = select(col(ApprovalRow.expires_at)).where(col(ApprovalRow.id) == col(AskedRow.approval_id))
    for start in range(0, len(approval_ids), _AT_ONCE):
        some = approval_ids[start : start + _AT_ONCE]
        session.execute(
            update(AskedRow).where(col(AskedRow.approval_id).in_(some)).values(due_at=moved.scalar_subquery())
        )


def _about(row: ApprovalRow) -> dict[str, Any]:
    return {
        "approval_id": row.id,
        "agent": row.agent,
        "type": row.type,
        "amount": row.amount,
        "created_at": row.created_at,
        "due_at": row.expires_at,
    }

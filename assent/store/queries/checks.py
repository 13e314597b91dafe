"""What became of seeded checks, and whether they kept apart from everything that can run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.checks import CheckStatus
from assent.store.database import Database
from assent.store.tables import ActionRow, ApprovalRow, CheckRow, DecisionRow, EditRow, EffectRow, LedgerEventRow

COUNTED = 2_000
"""Newest checks that are counted: at one in twenty requests and five a person and day, months of them."""

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of checks.

    Attributes:
        of: The agent, or the person's id.
        shown: How many were shown.
        caught: Refused.
        missed: Approved.
        questioned: Asked about, or to be changed, instead of decided.
        unanswered: Not decided in time.
    """

    of: str
    shown: int
    caught: int
    missed: int
    questioned: int
    unanswered: int


def tallies(session: Session, since: datetime, *, by_person: bool = False) -> list[Tally]:
    """What became of the checks since a time, by agent or by person; the newest :data:`COUNTED` at most."""
    of = col(CheckRow.person_id) if by_person else col(CheckRow.agent)
    rows = session.execute(
        select(of, col(CheckRow.status))
        .where(col(CheckRow.created_at) >= since)
        .order_by(col(CheckRow.created_at).desc(), col(CheckRow.id).desc())
        .limit(COUNTED)
    ).all()
    counts = Counter((row[0], row[1]) for row in rows)
    return [
        Tally(
            name,
            sum(counts[name, status.value] for status in CheckStatus),
            counts[name, CheckStatus.CAUGHT.value],
            counts[name, CheckStatus.MISSED.value],
            counts[name, CheckStatus.QUESTIONED.value] + counts[name, CheckStatus.CHANGED.value],
            counts[name, CheckStatus.UNANSWERED.value],
        )
        for name in sorted({row[0] for row in rows})
    ]


def faults(database: Database) -> list[tuple[str, str]]:
    """Where a check is not what the ledger says, or met something that can run; as id and sentence."""
    with database.read() as session:
        told = _told(session, "check.shown")
        answers = _told(session, "check.answered")
    found: list[tuple[str, str]] = []
    after = ""
    while True:
        with database.read() as session:
            rows = session.execute(
                select(CheckRow).where(col(CheckRow.id) > after).order_by(col(CheckRow.id)).limit(_PAGE)
            ).scalars()
            page = list(rows)
            for row in page:
                found += [(row.id, what) for what in _wrong(session, row, told, answers)]
        if len(page) < _PAGE:
            return found
        after = page[-1].id


def _wrong(
    session: Session, row: CheckRow, told: dict[str, dict[str, str]], answers: dict[str, dict[str, str]]
) -> Iterator[str]:
    if told.get(row.id, {}).get("digest") != row.digest:
        yield "is a check and the ledger does not say that this was shown"
    if row.ended_at is not None and answers.get(row.id, {}).get("result") != row.status:
        yield f"is a check that was {row.status} and the ledger does not say so"
    touches = (
        select(col(ApprovalRow.id)).where(col(ApprovalRow.id) == row.id),
        select(col(ActionRow.action_id)).where(col(ActionRow.action_id) == row.id),
        select(col(EffectRow.action_id)).where(col(EffectRow.action_id) == row.id),
        select(col(DecisionRow.id)).where(col(DecisionRow.approval_id) == row.id, col(DecisionRow.counted)),
        select(col(EditRow.id)).where(col(EditRow.approval_id) == row.id),
    )
    if any(session.execute(each.limit(1)).first() for each in touches):
        yield "is a check, and something that can run has its id"


def _told(session: Session, kind: str) -> dict[str, dict[str, str]]:
    """What the ledger says of checks, by id; the last word counts."""
    events = session.execute(
        select(col(LedgerEventRow.body)).where(col(LedgerEventRow.kind) == kind).order_by(col(LedgerEventRow.id))
    ).scalars()
    bodies = (json.loads(body) for body in events)
    return {body["check"]: {"digest": body.get("digest", ""), "result": body.get("result", "")} for body in bodies}

"""Seeded checks that two answer at once: the first answer stays, and is told and kept once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import RequestCard, Verb
from assent.domain.approving import ApprovalRules
from assent.domain.checks import CheckStatus
from assent.domain.people import SYSTEM, Actor, Via
from assent.store import check_answers
from assent.store.database import Database
from assent.store.tables import CheckRow, LedgerEventRow
from tests.databases import KINDS, migrated_database

AT = datetime(2030, 1, 1, tzinfo=UTC)
ADA = Actor(id="ada", name="Ada", via=Via.SLACK)
DIGEST = "d" * 64
CARD = RequestCard(
    headline="Pay 800",
    agent="clerk",
    run_id="run-1",
    action_type="desk.pay",
    action_title="Pay",
    arguments={"amount": 800},
    undo="",
)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """One check that Ada is shown."""
    with migrated_database(request.param, request, tmp_path) as made:
        with made.write() as session:
            session.add(_shown())
        yield made
        made.close()


def _shown() -> CheckRow:
    return CheckRow(
        id="ap-1",
        person_id=ADA.id,
        agent="clerk",
        type="desk.pay",
        source_id="ap-0",
        digest=DIGEST,
        headline="Pay 800",
        why="Too much.",
        card=CARD.model_dump(mode="json"),
        rules=ApprovalRules().model_dump(mode="json"),
        because="Too much.",
        status=CheckStatus.SHOWN.value,
        created_at=AT,
        expires_at=AT + timedelta(days=1),
    )


def _answer(session: Session, _: CheckRow) -> None:
    check_answers.answer(
        session, "ap-1", verb=Verb.APPROVE, digest=DIGEST, reason="", by=ADA, at=AT + timedelta(seconds=2), seconds=None
    )


def _ask(session: Session, _: CheckRow) -> None:
    check_answers.question(session, "ap-1", text="Really?", by=ADA, at=AT + timedelta(seconds=2))


def _expire(session: Session, row: CheckRow) -> None:
    check_answers.close(session, row, CheckStatus.UNANSWERED, at=AT + timedelta(seconds=2), by=SYSTEM)


@pytest.mark.parametrize("second", [_answer, _ask, _expire])
def test_the_first_answer_stays_for_whoever_looked_before_it(
    database: Database, second: Callable[[Session, CheckRow], None]
) -> None:
    with database.read() as session:
        seen_before = session.get_one(CheckRow, "ap-1")
    with database.write() as session:
        check_answers.answer(session, "ap-1", verb=Verb.REJECT, digest=DIGEST, reason="No.", by=ADA, at=AT, seconds=3.0)
    with database.write() as session:
        session.add(seen_before)
        second(session, seen_before)
    with database.read() as session:
        row = session.get_one(CheckRow, "ap-1")
        kinds = (
            session.execute(select(col(LedgerEventRow.kind)).where(col(LedgerEventRow.agent) == "clerk"))
            .scalars()
            .all()
        )
    assert (row.status, row.reason, row.ended_at) == (CheckStatus.CAUGHT, "No.", AT)
    assert list(kinds) == ["check.answered"]

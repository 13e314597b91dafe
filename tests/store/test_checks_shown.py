"""Seeded checks among the rows of a list: in the list's own order, and never more than were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from assent.domain.approvals import ApprovalStatus, RequestCard
from assent.domain.approving import ApprovalRules
from assent.domain.checks import CheckStatus
from assent.store.database import Database
from assent.store.queries import checks_shown
from assent.store.queries.inbox import InboxRow, Wanted
from assent.store.queries.inbox_walk import Sort
from assent.store.queries.paging import PageRequest
from assent.store.tables import CheckRow
from tests.databases import migrated_database

AT = datetime(2030, 1, 1, tzinfo=UTC)


def row(id: str, due: int) -> InboxRow:
    """A line that is due so many minutes from now, asked for as long ago, about as much money."""
    return InboxRow(
        id=id,
        agent="clerk",
        type="desk.pay",
        digest="",
        headline=id,
        size=4,
        why="",
        amount=100.0 - due,
        status=ApprovalStatus.PENDING,
        created_at=AT + timedelta(minutes=due),
        expires_at=AT + timedelta(minutes=due),
        changed_at=None,
        decided_at=None,
        decided_by=None,
    )


@pytest.mark.parametrize("sort", [Sort.DUE, Sort.OLDEST, Sort.AMOUNT])
def test_several_behind_one_row_stand_in_the_order_of_the_list(sort: Sort) -> None:
    rows = [row("b", 10), row("f", 50)]
    checks = [row("d", 30), row("c", 20), row("e", 40), row("a", 5), row("g", 60)]
    assert "".join(each.id for each in checks_shown.among(rows, checks, sort, last=True)) == "abcdefg"
    assert "".join(each.id for each in checks_shown.among([], checks, sort, last=True)) == "acdeg"
    assert "".join(each.id for each in checks_shown.among(rows, checks, sort, last=False)) == "abcdef"


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Five checks that Ada is shown, and nothing else that waits."""
    card = RequestCard(
        headline="Pay", agent="clerk", run_id="run-1", action_type="desk.pay", action_title="", arguments={}, undo=""
    )
    with migrated_database("sqlite", request, tmp_path) as made:
        with made.write() as session:
            for number in range(5):
                session.execute(
                    insert(CheckRow).values(
                        id=f"ap-{number}",
                        person_id="ada",
                        agent="clerk",
                        type="desk.pay",
                        source_id=f"ap-of-{number}",
                        digest="",
                        headline="Pay",
                        why="",
                        card=card.model_dump(mode="json"),
                        rules=ApprovalRules().model_dump(mode="json"),
                        because="",
                        status=CheckStatus.SHOWN.value,
                        created_at=AT,
                        expires_at=AT + timedelta(hours=5 - number),
                        reason="",
                    )
                )
        yield made
        made.close()


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_a_page_holds_no_more_than_was_asked_for(database: Database, limit: int) -> None:
    with database.read() as session:
        page = checks_shown.waiting(session, "ada", Wanted(), AT, request=PageRequest(limit))
    assert [each.id for each in page.items] == ["ap-4", "ap-3", "ap-2", "ap-1", "ap-0"][: limit - 1]

"""The schema: up from the first release with what it holds, back again, and as the tables say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlmodel import SQLModel

from assent.domain.approvals import ApprovalStatus
from assent.store.database import Database
from assent.store.migrate import _config, current_revision, migrate, newest_revision
from assent.store.queries import approvals, revisions, runs
from tests.databases import KINDS, empty_database

FIRST = "0001"
_AT = "2024-05-01 10:00:00+00:00"


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    with empty_database(request.param, request, tmp_path) as url:
        database = Database(url)
        yield database
        database.close()


def move(database: Database, revision: str, *, down: bool = False) -> None:
    with database.writing_engine.connect() as connection, connection.begin():
        (command.downgrade if down else command.upgrade)(_config(connection), revision)


def tables(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def fill(connection: Connection) -> None:
    """A request that waits, as the first release wrote it."""

    def insert(table: str, **values: Any) -> None:
        # Written out, so that each database reads a value as what its column is.
        written = ", ".join(str(value) if not isinstance(value, str) else f"'{value}'" for value in values.values())
        connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({written})")

    card = (
        '{"headline": "Pay 40 to bob", "agent": "clerk", "run_id": "run-1", "action_type": "desk.pay",'
        ' "action_title": "Pay", "arguments": {"to": "bob", "amount": 40}, "undo": "It cannot be undone by Assent."}'
    )
    person = '{"id": "ann", "name": "Ann", "via": "web"}'
    insert(
        "runs",
        run_id="run-1",
        agent="clerk",
        goal="Pay",
        status="waiting",
        started_by=person,
        started_at=_AT,
        last_step="",
        last_at=_AT,
        actions=1,
        message="",
    )
    insert(
        "actions",
        action_id="run-1:a",
        run_id="run-1",
        key="a",
        agent="clerk",
        type="desk.pay",
        arguments='{"to": "bob", "amount": 40}',
        reason="",
        sentence="Pay 40 to bob",
        status="awaiting",
        tier=1,
        reasons="[]",
        card_version=3,
        message="",
        proposed_at=_AT,
    )
    insert(
        "approvals",
        id="ap-1",
        action_id="run-1:a",
        run_id="run-1",
        agent="clerk",
        type="desk.pay",
        digest="d" * 64,
        headline="Pay 40 to bob",
        amount=40.0,
        card=card,
        status="pending",
        created_at=_AT,
        expires_at=_AT,
        decision_reason="",
    )
    insert(
        "decisions",
        id="late",
        approval_id="ap-1",
        action_id="run-1:a",
        verb="approve",
        reason="",
        actor=person,
        at=_AT,
        counted=False,
        why_not="It came too late.",
    )


def test_what_the_first_release_kept_is_kept(database: Database) -> None:
    move(database, FIRST)
    with database.writing_engine.connect() as connection, connection.begin():
        fill(connection)
    assert migrate(database) == (FIRST, newest_revision())
    with database.read() as session:
        request = approvals.one(session, "ap-1")
        assert (request.status, request.revision, request.card.arguments["amount"]) == (ApprovalStatus.PENDING, 1, 40)
        assert [vote.why_not for vote in request.votes] == ["It came too late."]
        (kept,) = revisions.of_request(session, "ap-1")
        assert (kept.revision, kept.digest, kept.edited_by) == (1, "d" * 64, None)
        assert kept.card == request.card
        start = revisions.editable(session, "ap-1")
        assert (start.raw, start.allowed) == ({"to": "bob", "amount": 40}, True)
        action = runs.action(session, "run-1:a")
        assert (action.instead_of, action.edited_by) == ("", "")


def test_down_and_up_again(database: Database) -> None:
    move(database, FIRST)
    with database.writing_engine.connect() as connection, connection.begin():
        fill(connection)
    before = tables(database)
    migrate(database)
    move(database, FIRST, down=True)
    assert current_revision(database) == FIRST
    assert tables(database) == before
    migrate(database)
    with database.read() as session:
        assert approvals.one(session, "ap-1").headline == "Pay 40 to bob"
        assert len(revisions.of_request(session, "ap-1")) == 1


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_schema_is_what_the_tables_say(database: Database) -> None:
    migrate(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = [each for each in compare_metadata(context, SQLModel.metadata) if not _expression(each)]
    assert differences == []


def _expression(difference: Any) -> bool:
    """Whether it is about an index of an expression, which a database reads back in words of its own."""
    index = difference[1] if isinstance(difference, tuple) and difference[0] in ("add_index", "remove_index") else None
    return index is not None and index.name == "inbox_by_amount"

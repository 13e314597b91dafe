"""The migration of people and sessions that exist already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from assent.store.database import Database
from assent.store.migrate import _config
from assent.store.statements import table_of
from assent.store.tables import GroupMemberRow, PasskeyRow, PersonRow, SessionRow
from tests.databases import KINDS, empty_database

PEOPLE = {"p1": "ann@example.com", "p2": "ann+two@example.com", "p3": "bo@example.com"}


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database(request.param, request, tmp_path) as url:
        made = Database(url)
        yield made
        made.close()


def move(database: Database, how: Callable[[Any, str], None], revision: str) -> None:
    with database.writing_engine.connect() as connection, connection.begin():
        how(_config(connection), revision)


def run(database: Database, statement: str, **values: object) -> list[tuple[Any, ...]]:
    with database.writing_engine.connect() as connection, connection.begin():
        result = connection.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


def furnish(database: Database) -> None:
    move(database, command.upgrade, "0001")
    for place, (id, email) in enumerate(PEOPLE.items()):
        run(
            database,
            "INSERT INTO people (id, email, name, roles, disabled, created_at) "
            f"VALUES (:id, :email, 'N', '[]', :disabled, '2026-01-0{place + 1} 00:00:00')",
            id=id,
            email=email,
            disabled=False,
        )
    run(
        database,
        "INSERT INTO sessions (token_hash, person_id, csrf, created_at, expires_at, user_agent) "
        "VALUES ('0123456789abcdef', 'p1', 'c', '2026-01-01 00:00:00', '2026-01-02 00:00:00', '')",
    )


def test_what_was_there_is_kept_and_one_mailbox_is_one_person(database: Database) -> None:
    furnish(database)
    move(database, command.upgrade, "0002")
    kept = dict(run(database, "SELECT id, mailbox FROM people"))
    assert kept == {"p1": "ann@example.com", "p2": None, "p3": "bo@example.com"}
    assert run(database, "SELECT id, how FROM sessions") == [("session-0123456789ab", "link")]
    with pytest.raises(IntegrityError):
        run(database, "UPDATE people SET mailbox = 'bo@example.com' WHERE id = 'p1'")


def test_it_goes_back(database: Database) -> None:
    furnish(database)
    move(database, command.upgrade, "0002")
    move(database, command.downgrade, "0001")
    assert len(run(database, "SELECT email FROM people")) == 3
    assert len(run(database, "SELECT csrf FROM sessions")) == 1
    move(database, command.upgrade, "0002")
    assert run(database, "SELECT name FROM groups") == []


def test_the_tables_are_what_the_code_says(database: Database) -> None:
    move(database, command.upgrade, "0002")
    for row in (PersonRow, SessionRow, PasskeyRow, GroupMemberRow):
        table = table_of(row)
        assert run(database, f"SELECT {', '.join(column.name for column in table.columns)} FROM {table.name}") == []

"""Links of people to Slack that are older than several workspaces are taken over, and the schema goes back again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text

from assent.store import slack_people
from assent.store.database import Database
from assent.store.migrate import _config, migrate
from tests.databases import KINDS, empty_database

AT = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database(request.param, request, tmp_path) as url:
        made = Database(url)
        yield made
        made.close()


def to(database: Database, revision: str, *, down: bool = False) -> None:
    """Bring the schema to a revision."""
    with database.writing_engine.connect() as connection, connection.begin():
        (command.downgrade if down else command.upgrade)(_config(connection), revision)


def test_links_are_taken_over_and_the_schema_goes_back(database: Database) -> None:
    to(database, "0006")
    with database.write() as session:
        for number, slack_user in enumerate(["T0ACME/U0ANN", "U0BEA", None]):
            session.execute(
                text(
                    "INSERT INTO people (id, email, mailbox, name, roles, slack_user, disabled, created_at) "
                    "VALUES (:id, :email, :email, :id, '[]', :slack_user, :no, :at)"
                ),
                {"id": f"p{number}", "email": f"p{number}@x.com", "slack_user": slack_user, "no": False, "at": AT},
            )
    to(database, "0007")
    with database.read() as session:
        found = slack_people.users_of(session, ["p0", "p1", "p2"])
    links = [(user.team_id, user.user_id, user.person_id, user.how.value, user.direct) for user in found]
    assert sorted(links) == [("", "U0BEA", "p1", "taken over", True), ("T0ACME", "U0ANN", "p0", "taken over", True)]
    to(database, "0006", down=True)
    assert not {name for name in inspect(database.engine).get_table_names() if name.startswith("slack_")}
    assert "shown_digest" not in {column["name"] for column in inspect(database.engine).get_columns("messages")}
    migrate(database)
    with database.read() as session:
        assert len(slack_people.users_of(session, ["p0", "p1", "p2"])) == 2

"""What the doctor says about databases that are there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from assent.runtime.doctor.database import look_at_database
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent.store.migrate import migrate
from tests.databases import KINDS, empty_database


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Database]:
    """An empty database of each kind."""
    settings.data_dir.mkdir()
    with empty_database(request.param, request, settings.data_dir) as url:
        opened = Database(url)
        with opened.read() as session:
            session.execute(text("SELECT 1"))
        yield opened
        opened.close()


def examined(database: Database, settings: Settings) -> dict[str, bool]:
    url = database.url.render_as_string(hide_password=False)
    findings = look_at_database(settings.model_copy(update={"database_url": url}))
    return {finding.found: finding.ok for finding in findings}


def told(report: dict[str, bool], words: str) -> bool | None:
    return next((ok for found, ok in report.items() if words in found), None)


def test_a_database_without_tables_is_reported(database: Database, settings: Settings) -> None:
    report = examined(database, settings)
    assert told(report, "answers") is True
    assert told(report, "no tables") is False


def test_a_database_that_is_ready_is_reported_with_its_clock(database: Database, settings: Settings) -> None:
    migrate(database)
    report = examined(database, settings)
    assert told(report, "tables are current") is True
    assert told(report, "clock") is True


def test_tables_of_another_version_are_reported(database: Database, settings: Settings) -> None:
    migrate(database)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    assert told(examined(database, settings), "at revision from-the-future") is False

"""The ledger: append-only, chained, and every change that was made all the same is found."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from assent.domain.people import SYSTEM
from assent.store import ledger
from assent.store.database import Database
from assent.store.ledger import ChainFault
from assent.store.tables import LedgerEventRow, LedgerLinkRow
from tests.databases import KINDS, migrated_database

START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database of each kind."""
    with migrated_database(request.param, request, tmp_path) as made:
        yield made


def write(database: Database, count: int, *, kind: str = "test.happened") -> None:
    for number in range(count):
        with database.write() as session:
            at = START + timedelta(seconds=number)
            ledger.append(session, at=at, kind=kind, actor=SYSTEM, run_id="run-1", body={"number": number, "ä": "€"})


def tamper(database: Database, *statements: str) -> None:
    """Change the ledger as somebody would who owns the database: without its triggers."""
    with database.write() as session:
        for table in ("ledger_events", "ledger_links"):
            for verb in ("update", "delete"):
                on = "" if database.sqlite else f" ON {table}"
                session.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{verb}{on}"))
        for statement in statements:
            session.execute(text(statement))


def faults(database: Database) -> list[ChainFault]:
    return ledger.check_chain(database)[1]


def test_a_chain_of_many_batches_is_whole(database: Database) -> None:
    with database.write() as session:
        rows = [ledger.event_row(START, "test.happened", SYSTEM, body={"n": n}) for n in range(1_203)]
        ledger.append_many(session, rows)
    assert ledger.seal(database) == ledger.SEAL_BATCH
    assert ledger.check_chain(database, batch=100) == (1_203, [])
    assert ledger.seal(database) == 0


def test_an_empty_ledger_is_whole(database: Database) -> None:
    assert ledger.check_chain(database) == (0, [])
    assert ledger.head(database) == ledger.GENESIS


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_events SET body = '{}' WHERE id = 2",
        "DELETE FROM ledger_events WHERE id = 2",
        "UPDATE ledger_links SET hash = 'x' WHERE seq = 2",
        "DELETE FROM ledger_links WHERE seq = 2",
        "DELETE FROM ledger_events",
        "TRUNCATE ledger_events",
        "TRUNCATE ledger_links",
    ],
)
def test_the_database_refuses_every_change(database: Database, statement: str) -> None:
    if database.sqlite:
        statement = statement.replace("TRUNCATE", "DELETE FROM")
    write(database, 3)
    ledger.seal_all(database)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(statement))
    assert ledger.check_chain(database) == (3, [])


@pytest.mark.parametrize("column", ["at", "kind", "run_id", "action_id", "agent", "actor", "body"])
def test_a_changed_event_is_found(database: Database, column: str) -> None:
    write(database, 5)
    assert faults(database) == []
    value = "'2029-12-31 00:00:00'" if column == "at" else "'{}'"
    tamper(database, f"UPDATE ledger_events SET {column} = {value} WHERE id = 3")
    assert [(fault.seq, fault.event_id) for fault in faults(database)] == [(3, 3)]


def test_a_deleted_event_is_found(database: Database) -> None:
    write(database, 5)
    ledger.seal_all(database)
    tamper(database, "DELETE FROM ledger_events WHERE id = 3")
    assert faults(database) == [ChainFault(3, 3, "the event was deleted")]


def test_an_event_deleted_with_its_link_is_found(database: Database) -> None:
    write(database, 5)
    ledger.seal_all(database)
    tamper(database, "DELETE FROM ledger_events WHERE id = 3", "DELETE FROM ledger_links WHERE seq = 3")
    assert [(fault.seq, fault.what) for fault in faults(database)] == [
        (4, "link 3 is missing"),
        (4, "the event or its link was changed"),
    ]


def test_a_rewritten_link_breaks_the_next_one(database: Database) -> None:
    """Whoever changes an event and seals it again must rewrite everything behind it."""
    write(database, 5)
    ledger.seal_all(database)
    tamper(database, "UPDATE ledger_events SET kind = 'other' WHERE id = 3")
    with database.read() as session:
        event = session.get(LedgerEventRow, 3)
        before = session.get(LedgerLinkRow, 2)
        assert event is not None
        assert before is not None
        forged = ledger.link_hash(3, before.hash, event)
    tamper(database, f"UPDATE ledger_links SET hash = '{forged}' WHERE seq = 3")
    assert [fault.seq for fault in faults(database)] == [4]


def test_exchanged_events_are_found(database: Database) -> None:
    write(database, 3)
    ledger.seal_all(database)
    tamper(
        database,
        "UPDATE ledger_events SET id = 99 WHERE id = 2",
        "UPDATE ledger_events SET id = 2 WHERE id = 3",
        "UPDATE ledger_events SET id = 3 WHERE id = 99",
    )
    assert [fault.seq for fault in faults(database)] == [2, 3]


def test_a_cut_off_end_shows_in_the_head(database: Database) -> None:
    write(database, 5)
    ledger.seal_all(database)
    noted = ledger.head(database)
    tamper(database, "DELETE FROM ledger_events WHERE id = 5", "DELETE FROM ledger_links WHERE seq = 5")
    assert faults(database) == []
    assert ledger.head(database) != noted


def test_writers_and_sealers_at_once_make_one_chain(database: Database) -> None:
    """Checking while work goes on finds nothing wrong either."""
    working = threading.Event()
    working.set()

    def seal() -> None:
        while working.is_set():
            ledger.seal(database)

    with ThreadPoolExecutor(8) as executor:
        sealers = [executor.submit(seal) for _ in range(2)]
        writers = [executor.submit(write, database, 60) for _ in range(4)]
        found = []
        while not all(writer.done() for writer in writers):
            found += faults(database)
        working.clear()
        for future in (*sealers, *writers):
            future.result()
    assert found == []
    assert ledger.check_chain(database) == (240, [])


def test_an_event_that_was_committed_very_late_is_sealed_by_the_check(database: Database) -> None:
    write(database, 1)
    ledger.seal_all(database)
    with database.write() as session:
        row = ledger.event_row(START, "test.late", SYSTEM)
        session.execute(insert(LedgerEventRow), [{**row, "id": 50_000}])
    ledger.seal(database)
    with database.write() as session:
        session.execute(insert(LedgerEventRow), [{**row, "id": 2}])
    assert ledger.seal(database) == 0
    assert ledger.check_chain(database) == (3, [])


def test_what_is_rolled_back_never_happened(database: Database) -> None:
    with database.write() as session:
        ledger.append(session, at=START, kind="test.happened", actor=SYSTEM)
        session.rollback()
    write(database, 2)
    assert ledger.check_chain(database) == (2, [])
    with database.read() as session:
        assert session.execute(select(func.count(col(LedgerEventRow.id)))).scalar_one() == 2

"""Transactions that share a commit: each stands or falls by itself, and none returns before it is on the disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session

from assent.domain.errors import Unavailable
from assent.store.database import Database

_AT_ONCE = 20


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'together.db'}")
    with database.write() as session:
        session.execute(text("CREATE TABLE notes (number INTEGER PRIMARY KEY)"))
    yield database
    database.close()


def _numbers(database: Database) -> set[int]:
    with database.read() as session:
        return {row[0] for row in session.execute(text("SELECT number FROM notes"))}


def _all_at_once(database: Database, work: Callable[[int], None]) -> None:
    """Let threads meet and then work, so that they wait for the same write lock and share commits."""
    meeting = threading.Barrier(_AT_ONCE)

    def meet_and_work(number: int) -> None:
        meeting.wait()
        work(number)

    with ThreadPoolExecutor(_AT_ONCE) as executor:
        list(executor.map(meet_and_work, range(_AT_ONCE)))


def _note(database: Database, number: int) -> None:
    database.together(lambda session: session.execute(text("INSERT INTO notes VALUES (:number)"), {"number": number}))


def test_those_that_wait_share_commits(database: Database) -> None:
    commits: list[None] = []
    event.listen(database.writing_engine, "commit", lambda connection: commits.append(None))
    _all_at_once(database, lambda number: _note(database, number))
    assert _numbers(database) == set(range(_AT_ONCE))
    assert len(commits) < _AT_ONCE


def test_each_is_on_the_disk_when_it_returns(database: Database) -> None:
    def note_and_look(number: int) -> None:
        _note(database, number)
        assert number in _numbers(database)

    _all_at_once(database, note_and_look)


def test_an_error_takes_back_its_own_part_alone(database: Database) -> None:
    def note_but_every_third(session: Session, number: int) -> None:
        session.execute(text("INSERT INTO notes VALUES (:number)"), {"number": number})
        if number % 3 == 0:
            raise LookupError(number)

    def fail_every_third(number: int) -> None:
        try:
            database.together(partial(note_but_every_third, number=number))
        except LookupError:
            assert number % 3 == 0

    _all_at_once(database, fail_every_third)
    assert _numbers(database) == {number for number in range(_AT_ONCE) if number % 3}


def test_a_failed_commit_fails_for_all_who_share_it(database: Database) -> None:
    def refuse(connection: Connection) -> None:
        raise OSError("The disk is full.")

    def note(number: int) -> None:
        with pytest.raises(Unavailable):
            _note(database, number)

    event.listen(database.writing_engine, "commit", refuse)
    _all_at_once(database, note)
    event.remove(database.writing_engine, "commit", refuse)
    assert _numbers(database) == set()
    _note(database, 1)
    assert _numbers(database) == {1}


def test_a_plain_transaction_shares_with_nobody(database: Database) -> None:
    def note_alone(number: int) -> None:
        if number % 4:
            _note(database, number)
            return
        with database.write() as session:
            session.execute(text("INSERT INTO notes VALUES (:number)"), {"number": number})

    commits: list[None] = []
    event.listen(database.writing_engine, "commit", lambda connection: commits.append(None))
    _all_at_once(database, note_alone)
    assert _numbers(database) == set(range(_AT_ONCE))
    assert len(commits) > _AT_ONCE // 4


def test_nobody_is_told_that_something_was_kept_when_the_disk_is_full(database: Database) -> None:
    """SQLite then takes back the whole transaction by itself, also what others who share its commit wrote."""
    told: dict[str, str] = {}
    begun, both = threading.Event(), threading.Event()

    def keep(name: str, work: Callable[[Session], None]) -> None:
        try:
            database.together(work)
            told[name] = "kept"
        except Unavailable:
            told[name] = "unavailable"

    def small(session: Session) -> None:
        session.execute(text("INSERT INTO texts VALUES (1, 'small')"))
        begun.set()
        assert both.wait(30)
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {pages}"))

    def large(session: Session) -> None:
        session.execute(text("INSERT INTO texts VALUES (2, :text)"), {"text": "x" * 200_000})

    with database.write() as session:
        session.execute(text("CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT)"))
    first = threading.Thread(target=keep, args=("small", small))
    first.start()
    assert begun.wait(30)
    second = threading.Thread(target=keep, args=("large", large))
    second.start()
    while database._writers._queue.empty():  # type: ignore[union-attr]
        time.sleep(0.01)
    both.set()
    first.join()
    second.join()
    with database.read() as session:
        assert session.execute(text("SELECT number FROM texts")).all() == []
    assert told == {"small": "unavailable", "large": "unavailable"}
    _note(database, 1)
    assert _numbers(database) == {1}


def test_a_transaction_begins_no_other(database: Database) -> None:
    def begin_another(session: Session) -> None:
        with database.write():
            pass

    with pytest.raises(RuntimeError, match="another"):
        database.together(begin_another)
    with pytest.raises(RuntimeError, match="another"):
        database.together(lambda session: _note(database, 1))
    _note(database, 2)
    assert _numbers(database) == {2}


def test_what_was_asked_for_is_written_before_it_closes(database: Database) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as executor:
        notes = [executor.submit(_note, database, number) for number in range(_AT_ONCE)]
        database.close()
        for note in notes:
            note.result(60)
    assert _numbers(database) == set(range(_AT_ONCE))


def test_its_errors_name_the_line_of_the_caller_too(database: Database) -> None:
    def fail(session: Session) -> None:
        raise LookupError("nothing")

    with pytest.raises(LookupError) as raised:
        database.together(fail)
    assert {"fail", "test_its_errors_name_the_line_of_the_caller_too"} <= {entry.name for entry in raised.traceback}

"""Processes that write the same SQLite file take turns, and nobody waits for ever."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import text

from assent.store import turns
from assent.store.database import Database

_HOLDS = """
import sys
from pathlib import Path
from assent.store.turns import Turns

Turns(Path(sys.argv[1])).take()
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def _process(program: str, argument: object) -> Iterator[None]:
    command = [sys.executable, "-c", program, str(argument)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            process.kill()


def _free(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True


def _number(database: Database) -> int:
    with database.read() as session:
        return int(session.execute(text("SELECT number FROM notes")).scalar_one())


def _furnished(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    with database.write() as session:
        session.execute(text("CREATE TABLE notes (number INTEGER)"))
        session.execute(text("INSERT INTO notes VALUES (0)"))
    return database


def test_who_has_just_written_lets_the_one_that_waits_go_first(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    first, second = turns.Turns(path), turns.Turns(path)
    order = []

    def wait_and_go() -> None:
        with second.taken():
            order.append("second")

    first.take()
    waiting = threading.Thread(target=wait_and_go)
    waiting.start()
    with path.with_name("shared.db-next").open("rb") as file:
        while _free(file):
            time.sleep(0.001)
    first.give()
    with first.taken():
        order.append("first again")
    waiting.join()
    assert order == ["second", "first again"]


def test_one_that_has_stopped_in_its_turn_holds_nobody_up(tmp_path: Path) -> None:
    database = _furnished(tmp_path / "shared.db")
    with _process(_HOLDS, tmp_path / "shared.db"), database.write() as session:
        session.execute(text("UPDATE notes SET number = 7"))
    assert _number(database) == 7
    database.close()


def test_a_turn_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    with _process(_HOLDS, path):
        pass
    mine, other = turns.Turns(path), turns.Turns(path)
    with mine.taken():
        pass
    with other.taken():
        pass
    mine.close()
    other.close()

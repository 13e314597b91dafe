"""The SQLite file holds everything in the clear: no other user of the machine reads it, whoever makes it first."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from assent.store.database import Database
from assent.store.migrate import migrate


def test_a_new_database_is_this_users_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        path = tmp_path / "made" / "assent.db"
        database = Database(f"sqlite:///{path}")
        migrate(database)
        with database.read():
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (path.parent, *path.parent.iterdir())}
        database.close()
    finally:
        os.umask(before)
    assert modes.pop("made") == 0o700
    assert modes
    assert set(modes.values()) == {0o600}

"""Scratch records of drills, each drill's apart from every other's, and a journal of what was written to them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, delete, insert, select, update

from assent.domain.canonical import Json
from assent_activities.connectors.contract import ActionFailed, UndoConflict
from assent_activities.connectors.sql_rows.database import RowDatabase

_metadata = MetaData()
_records = Table(
    "scratch_records",
    _metadata,
    Column("scratch", String(80), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("value", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)
_writes = Table(
    "scratch_writes",
    _metadata,
    Column("key", String(200), primary_key=True),
    Column("scratch", String(80), nullable=False, index=True),
    Column("name", String(80), nullable=False),
    Column("value_before", Integer, nullable=False),
    Column("version_before", Integer, nullable=False),
    Column("value_after", Integer, nullable=False),
    Column("written_at", String(40), nullable=False),
    Column("undone_at", String(40), nullable=True),
)

Content = dict[str, Json]


class ScratchRecords:
    """The records of all drills; opened at first use, so that an installation without drills has no such database.

    Args:
        url: SQLAlchemy URL, SQLite or PostgreSQL; never that of a real system.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened: RowDatabase | None = None
        self._opening = threading.Lock()

    @staticmethod
    def start_of(names: Sequence[str]) -> dict[str, Content]:
        """What records hold at the start of a drill."""
        return {name: {"value": place * 100, "version": 1} for place, name in enumerate(names, start=1)}

    def seed(self, scratch: str, names: Sequence[str]) -> dict[str, Content]:
        """Make the records of a drill, where they are not there yet, and give them as they are."""
        with self._database.writing() as connection:
            if not _contents(connection, scratch):
                start = self.start_of(names)
                rows = [{"scratch": scratch, "name": name, **content} for name, content in start.items()]
                connection.execute(insert(_records), rows)
            return _contents(connection, scratch)

    def contents(self, scratch: str) -> dict[str, Content]:
        """The records of a drill by name."""
        with self._database.reading() as connection:
            return _contents(connection, scratch)

    def one(self, scratch: str, name: str) -> Content:
        """A record.

        Raises:
            ActionFailed: There is no such record.
        """
        with self._database.reading() as connection:
            return _one(connection, scratch, name)

    def write(self, key: str, scratch: str, name: str, value: int) -> tuple[Content, Content]:
        """Write a record, once for each key; gives it before and after.

        Raises:
            ActionFailed: There is no such record.
        """
        with self._database.writing() as connection:
            self._database.lock_key(connection, key)
            if (written := _written(connection, key)) is not None:
                return written
            before = _one(connection, scratch, name, alone=True)
            version = int(str(before["version"]))
            connection.execute(
                insert(_writes).values(
                    key=key,
                    scratch=scratch,
                    name=name,
                    value_before=before["value"],
                    version_before=version,
                    value_after=value,
                    written_at=datetime.now(UTC).isoformat(),
                )
            )
            _put(connection, scratch, name, value, version + 1)
            return before, {"value": value, "version": version + 1}

    def written(self, key: str) -> tuple[Content, Content] | None:
        """What a key wrote, before and after; ``None`` if it wrote nothing."""
        with self._database.reading() as connection:
            return _written(connection, key)

    def writes(self, scratch: str) -> int:
        """How often the records of a drill were written, undone or not."""
        with self._database.reading() as connection:
            keys = connection.execute(select(_writes.c.key).where(_writes.c.scratch == scratch)).scalars()
            return len(keys.all())

    def undo_of(self, key: str) -> tuple[str, Content, Content]:
        """The record that a key wrote, as it is now and as its undo would leave it; changes nothing.

        Raises:
            UndoConflict: The record is not as the write left it, or the key wrote nothing.
        """
        with self._database.reading() as connection:
            return _undo_of(connection, key)

    def undo(self, key: str) -> tuple[str, Content, Content]:
        """Take a write back, once, and see that the record is as before it.

        Raises:
            UndoConflict: The record is not as the write left it; nothing was changed.
        """
        with self._database.writing() as connection:
            self._database.lock_key(connection, key)
            row = connection.execute(select(_writes).where(_writes.c.key == key)).one_or_none()
            if row is not None and row.undone_at is not None:
                return row.name, *_images(row)[::-1]
            name, now, then = _undo_of(connection, key)
            assert row is not None
            _put(connection, row.scratch, name, row.value_before, row.version_before)
            done = update(_writes).where(_writes.c.key == key).values(undone_at=datetime.now(UTC).isoformat())
            connection.execute(done)
            if _one(connection, row.scratch, name) != then:
                raise UndoConflict(f"The scratch record {name} did not become what it was.")
            return name, now, then

    def forget(self, scratch: str) -> None:
        """Delete everything of a drill."""
        with self._database.writing() as connection:
            for table in (_records, _writes):
                connection.execute(delete(table).where(table.c.scratch == scratch))

    def close(self) -> None:
        """Give back all connections."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    @property
    def _database(self) -> RowDatabase:
        with self._opening:
            if self._opened is None:
                opened = RowDatabase(self._url, pool_size=5)
                with opened.writing() as connection:
                    opened.lock_key(connection, _records.name)
                    _metadata.create_all(connection)
                self._opened = opened
            return self._opened


def _contents(connection: Connection, scratch: str) -> dict[str, Content]:
    found = connection.execute(select(_records).where(_records.c.scratch == scratch).order_by(_records.c.name))
    return {row.name: {"value": row.value, "version": row.version} for row in found}


def _one(connection: Connection, scratch: str, name: str, *, alone: bool = False) -> Content:
    wanted = select(_records).where(_records.c.scratch == scratch, _records.c.name == name)
    row = connection.execute(wanted.with_for_update() if alone else wanted).one_or_none()
    if row is None:
        raise ActionFailed(f"There is no scratch record {name}.")
    return {"value": row.value, "version": row.version}


def _put(connection: Connection, scratch: str, name: str, value: int, version: int) -> None:
    here = (_records.c.scratch == scratch) & (_records.c.name == name)
    connection.execute(update(_records).where(here).values(value=value, version=version))


def _written(connection: Connection, key: str) -> tuple[Content, Content] | None:
    row = connection.execute(select(_writes).where(_writes.c.key == key)).one_or_none()
    return None if row is None else _images(row)


def _images(row: object) -> tuple[Content, Content]:
    written = dict(row._mapping)  # type: ignore[attr-defined]
    before: Content = {"value": written["value_before"], "version": written["version_before"]}
    return before, {"value": written["value_after"], "version": written["version_before"] + 1}


def _undo_of(connection: Connection, key: str) -> tuple[str, Content, Content]:
    row = connection.execute(select(_writes).where(_writes.c.key == key)).one_or_none()
    if row is None:
        raise UndoConflict("This write is not in the journal of scratch records.")
    before, after = _images(row)
    now = _one(connection, row.scratch, row.name, alone=True)
    if now != after:
        raise UndoConflict(f"The scratch record {row.name} is not as the write left it.")
    return row.name, now, before

"""Transactions on SQLite that share a commit: the disk is waited for once for all of them.

SQLite has one writer at a time, and a commit that survives a power cut waits for the disk, a few milliseconds. Under
load those waits would be what limits a worker. So transactions that come one after the other share one: each runs
alone, inside a savepoint of its own, and whoever finds nobody waiting behind it commits for all. None of them returns
before that commit is on the disk, so what it means to its caller is what a transaction of its own would mean.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from assent.domain.errors import Unavailable
from assent.store.turns import Turns

MOST_MEMBERS = 32
"""Transactions that share a commit at most, so that the first of them does not wait for long."""

RELEASE = "RELEASE member"
"""Ends one transaction among those that share a commit."""

_LOOK_AGAIN_SECONDS = 1.0


class Writers:
    """The queue of one process's writing transactions.

    Args:
        engine: Begins transactions with the write lock.
        turns: Shared with other processes.
    """

    def __init__(self, engine: Engine, turns: Turns) -> None:
        self._engine = engine
        self._turns = turns
        self._turn = threading.Lock()
        self._count = threading.Lock()
        self._waiting = 0
        self._batch: _Batch | None = None

    @contextlib.contextmanager
    def alone(self) -> Iterator[Session]:
        """A transaction with a commit of its own."""
        with self._in_turn():
            self._commit_batch()
            with self._turns.taken(), Session(self._engine, expire_on_commit=False) as session, session.begin():
                try:
                    yield session
                except BaseException:
                    # An unread cursor, kept alive by the error's traceback, would pin this connection's snapshot
                    # and refuse it every later write: give the connection up.
                    session.invalidate()
                    raise

    @contextlib.contextmanager
    def together(self) -> Iterator[Session]:
        """A transaction whose commit others may share; it ends when that commit is on the disk.

        Raises:
            Unavailable: The commit failed; nothing was changed.
        """
        with self._in_turn():
            batch = self._batch = self._batch or _Batch(self._engine, self._turns)
            try:
                with batch.member() as session:
                    yield session
            finally:
                if not self._waiting or batch.full:
                    self._commit_batch()
        while not batch.over.wait(_LOOK_AGAIN_SECONDS):
            self._look_after(batch)
        if batch.error is not None:
            raise Unavailable(
                "The database could not keep what was written.", where="database", todo="Trying again is safe."
            ) from batch.error

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[None]:
        with self._count:
            self._waiting += 1
        counted = True
        try:
            with self._turn:
                with self._count:
                    self._waiting -= 1
                counted = False
                yield
        finally:
            if counted:
                with self._count:
                    self._waiting -= 1

    def _look_after(self, batch: _Batch) -> None:
        """Commit a batch that was left alone because a cancelled activity broke its thread off."""
        with self._in_turn():
            if not batch.over.is_set():
                self._batch = None
                batch.commit()

    def _commit_batch(self) -> None:
        batch, self._batch = self._batch, None
        if batch is not None:
            batch.commit()


class _Batch:
    """Transactions that share a commit."""

    def __init__(self, engine: Engine, turns: Turns) -> None:
        self._turns = turns
        self._turns.take()
        try:
            self._connection = engine.connect()
            try:
                self._transaction = self._connection.begin()
            except BaseException:
                self._connection.close()
                raise
        except BaseException:
            self._turns.give()
            raise
        self._spoilt = False
        self.members = 0
        self.over = threading.Event()
        self.error: BaseException | None = None

    @property
    def full(self) -> bool:
        """Whether it takes no more members."""
        return self.members >= MOST_MEMBERS or not self._alive

    @contextlib.contextmanager
    def member(self) -> Iterator[Session]:
        """A transaction in the transaction: its error takes back what it did, and nothing else."""
        self.members += 1
        self._connection.exec_driver_sql("SAVEPOINT member")
        try:
            with Session(self._connection, expire_on_commit=False, join_transaction_mode="rollback_only") as session:
                yield session
                session.flush()
            self._connection.exec_driver_sql(RELEASE)
        except BaseException:
            self._spoilt = True
            # A flush that failed has taken back the whole transaction: then the commit fails for all members.
            if self._alive:
                self._connection.exec_driver_sql("ROLLBACK TO member")
                self._connection.exec_driver_sql(RELEASE)
            raise

    def commit(self) -> None:
        """Commit for all members, and let them go on."""
        try:
            if not self._alive:
                raise RuntimeError("The shared transaction was taken back before its commit.")
            self._transaction.commit()
        except BaseException as error:
            self.error, self._spoilt = error, True
        finally:
            if self._spoilt:
                self._connection.invalidate()
            self._connection.close()
            self._turns.give()
            self.over.set()

    @property
    def _alive(self) -> bool:
        """Whether there is a transaction to commit: SQLite takes it back by itself where a disk is full or broken."""
        try:
            return self._transaction.is_active and bool(self._connection.connection.in_transaction)
        except SQLAlchemyError:
            return False

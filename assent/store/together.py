"""Transactions on SQLite, one after the other, in the order in which they were asked for.

SQLite has one writer at a time, and a commit that survives a power cut waits for the disk, a few milliseconds. Under
load those waits would be what limits a worker, and next to them the changes from thread to thread. So one thread of a
process runs all short transactions: each alone, inside a savepoint of its own, and those that wait already share one
commit. None of them returns before that commit is on the disk, so what it means to its caller is what a transaction
of its own would mean. A transaction that wants a commit of its own is given its turn in the same queue.
"""

from __future__ import annotations

import contextlib
import contextvars
import sqlite3
import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Generic, TypeAlias, TypeVar, cast

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from assent.domain.errors import Unavailable
from assent.store.turns import Turns

MOST_MEMBERS = 32
"""Transactions that share a commit at most, so that the first of them does not wait for long."""

_SAVE = "SAVEPOINT member"
_RELEASE = "RELEASE member"
_T = TypeVar("_T")


class Writers:
    """The queue of one process's writing transactions, and the thread that serves it.

    Args:
        engine: Begins transactions with the write lock.
        turns: Shared with other processes.
    """

    def __init__(self, engine: Engine, turns: Turns) -> None:
        self._engine = engine
        self._turns = turns
        self._queue: SimpleQueue[_Place] = SimpleQueue()
        self._entrance = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def alone(self) -> Iterator[Session]:
        """A transaction with a commit of its own."""
        turn = _Alone()
        try:
            self._put(turn)
            turn.come.wait()
            with self._turns.taken(), Session(self._engine, expire_on_commit=False) as session, session.begin():
                try:
                    yield session
                except BaseException:
                    # An unread cursor, kept alive by the error's traceback, would pin this connection's snapshot
                    # and refuse it every later write: give the connection up.
                    session.invalidate()
                    raise
        finally:
            turn.gone.set()

    def together(self, work: Callable[[Session], _T]) -> _T:
        """Run a transaction whose commit others may share; it returns when that commit is on the disk.

        Args:
            work: What it does, in the context of the caller but in another thread; it must not write otherwise.

        Raises:
            Unavailable: The commit failed; nothing was changed.
        """
        member = _Member(work)
        self._put(cast("_Member[object]", member))
        member.over.wait()
        return member.outcome()

    def close(self) -> None:
        """End the thread when everything before is written, and leave the queue of processes.

        A transaction that comes later starts another thread, which enters that queue anew.
        """
        with self._entrance:
            if self._thread is not None:
                self._queue.put(_End())
                self._thread.join()
                self._thread = None
            self._turns.close()

    def _put(self, place: _Place) -> None:
        if threading.current_thread() is self._thread:
            raise RuntimeError("A transaction cannot wait for another one: both would wait for ever.")
        with self._entrance:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
                self._thread.start()
            self._queue.put(place)

    def _serve(self) -> None:
        following: _Place | None = None
        while not isinstance(place := following or self._queue.get(), _End):
            if isinstance(place, _Alone):
                place.come.set()
                place.gone.wait()
                following = None
            else:
                following = self._share(place)

    def _share(self, first: _Member[object]) -> _Place | None:
        """Run a transaction and those that wait behind it, and commit for all; gives who comes next, if it is known."""
        try:
            batch = _Batch(self._engine, self._turns)
        except BaseException as error:
            first.error = error
            first.over.set()
            return None
        following: _Place | None = first
        while isinstance(following, _Member):
            batch.run(following)
            following = None if batch.full else self._next()
        batch.commit()
        return following

    def _next(self) -> _Place | None:
        try:
            return self._queue.get_nowait()
        except Empty:
            return None


class _Alone:
    """A place in the queue of a transaction with a commit of its own, which its own thread runs.

    Attributes:
        come: Its turn has come.
        gone: Its turn is over, or it is not wanted any more.
    """

    def __init__(self) -> None:
        self.come = threading.Event()
        self.gone = threading.Event()


class _Member(Generic[_T]):
    """A transaction that shares a commit.

    Attributes:
        over: Its outcome is known.
        error: Why it was taken back.
    """

    def __init__(self, work: Callable[[Session], _T]) -> None:
        self._work = work
        self._context = contextvars.copy_context()
        self._result: _T | None = None
        self.over = threading.Event()
        self.error: BaseException | None = None

    def run(self, session: Session) -> None:
        """Do its work."""
        self._result = self._context.run(self._work, session)

    def outcome(self) -> _T:
        """What its work gave, or its error."""
        if self.error is not None:
            raise self.error
        return cast("_T", self._result)


class _End:
    """A place in the queue that ends it."""


_Place: TypeAlias = "_Member[object] | _Alone | _End"


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
        self._session: Session | None = None
        self._spoilt = False
        self._members: list[_Member[object]] = []

    @property
    def full(self) -> bool:
        """Whether it takes no more members."""
        return len(self._members) >= MOST_MEMBERS or not self._alive

    def run(self, member: _Member[object]) -> None:
        """Run a transaction in the transaction: its error takes back what it did, and nothing else."""
        self._members.append(member)
        try:
            self._tell(_SAVE)
            session = self._session or Session(
                self._connection, expire_on_commit=False, join_transaction_mode="rollback_only"
            )
            self._session = session
            member.run(session)
            session.flush()
            # The next one reads its rows itself.
            session.expunge_all()
            self._tell(_RELEASE)
        except BaseException as error:
            member.error, self._spoilt = error, True
            self._leave_session()
            self._take_back()

    def commit(self) -> None:
        """Commit for all members, and let them go on."""
        try:
            if not self._alive:
                raise RuntimeError("The shared transaction was taken back before its commit.")
            self._transaction.commit()
        except BaseException as error:
            self._fail(error)
        finally:
            self._leave_session()
            if self._spoilt:
                self._connection.invalidate()
            self._connection.close()
            self._turns.give()
            for member in self._members:
                member.over.set()

    def _take_back(self) -> None:
        """Undo what one member did; a flush that failed has taken back everybody's, then the commit fails for all."""
        try:
            if self._alive:
                self._tell("ROLLBACK TO member")
                self._tell(_RELEASE)
        except SQLAlchemyError:
            self._connection.invalidate()

    def _leave_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _tell(self, command: str) -> None:
        """Give SQLite a command that has neither values nor an answer, past all that prepares for those."""
        driver = self._connection.connection.driver_connection
        assert driver is not None
        try:
            driver.execute(command)
        except sqlite3.Error as error:
            raise OperationalError(command, None, error) from error

    def _fail(self, cause: BaseException) -> None:
        self._spoilt = True
        for member in self._members:
            if member.error is None:
                member.error = Unavailable(
                    "The database could not keep what was written.", where="database", todo="Trying again is safe."
                )
                member.error.__cause__ = cause

    @property
    def _alive(self) -> bool:
        """Whether there is a transaction to commit: SQLite takes it back by itself where a disk is full or broken."""
        try:
            return self._transaction.is_active and bool(self._connection.connection.in_transaction)
        except SQLAlchemyError:
            return False

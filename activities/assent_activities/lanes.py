"""Calls to connectors in a few lanes at once, none of which can hold up the rest for ever."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

LANES = 8
"""Calls at the same time."""

_LOOK_EVERY = 0.5
"""Seconds between two looks at what is under way."""

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, slots=True)
class Done(Generic[_In, _Out]):
    """A call that came back.

    Attributes:
        item: What it was about.
        result: What it gave.
    """

    item: _In
    result: _Out


@dataclass(frozen=True, slots=True)
class Overdue(Generic[_In]):
    """A call that did not come back in time; it may still do so, and then nobody listens."""

    item: _In


@dataclass(frozen=True, slots=True)
class Behind(Generic[_In]):
    """An item that was not begun, because one before it in its chain is overdue."""

    item: _In
    because: _In


class _Lane(Generic[_In, _Out]):
    """A thread that works off chains; one that hangs is left to itself."""

    def __init__(self, crew: _Crew[_In, _Out]) -> None:
        self.crew = crew
        self.chain: deque[_In] = deque()
        self.at: _In | None = None
        self.since = 0.0
        self.given_up = False
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._run,), daemon=True, name="lane").start()

    def _run(self) -> None:
        while (chain := self.crew.next_chain()) is not None:
            self.chain = deque(chain)
            while self.chain and not self.given_up:
                item = self.chain.popleft()
                self.since, self.at = time.monotonic(), item
                said: _Out | BaseException
                try:
                    said = self.crew.work(item)
                except BaseException as error:
                    said = error
                if not self.crew.tell(self, item, said):
                    return
        self.crew.leave(self)


class _Crew(Generic[_In, _Out]):
    """The lanes of one call of :func:`in_lanes`."""

    def __init__(self, chains: Sequence[Sequence[_In]], work: Callable[[_In], _Out]) -> None:
        self.work = work
        self._chains = deque(chains)
        self._lock = threading.Lock()
        self.told: SimpleQueue[tuple[_Lane[_In, _Out], _In, _Out | BaseException]] = SimpleQueue()
        self.stopped = False
        self.lanes: set[_Lane[_In, _Out]] = set()

    def next_chain(self) -> Sequence[_In] | None:
        with self._lock:
            return self._chains.popleft() if self._chains and not self.stopped else None

    def tell(self, lane: _Lane[_In, _Out], item: _In, said: _Out | BaseException) -> bool:
        with self._lock:
            if lane.given_up:
                return False
            lane.at = None
            self.told.put((lane, item, said))
            return not self.stopped

    def leave(self, lane: _Lane[_In, _Out]) -> None:
        with self._lock:
            self.lanes.discard(lane)

    def begin(self, lanes: int) -> None:
        fresh = [_Lane(self) for _ in range(lanes)]
        with self._lock:
            self.lanes.update(lane for lane in fresh)

    def give_up(self, lane: _Lane[_In, _Out]) -> tuple[_In, list[_In]] | None:
        """Leave a lane to itself; gives what it is at, and what it has not begun."""
        with self._lock:
            if lane.at is None:
                return None
            lane.given_up = True
            self.lanes.discard(lane)
            return lane.at, list(lane.chain)


def in_lanes(
    chains: Sequence[Sequence[_In]],
    work: Callable[[_In], _Out],
    *,
    limit: timedelta,
    beat: Callable[[list[_In]], None] = lambda _: None,
    lanes: int = LANES,
) -> Iterator[Done[_In, _Out] | Overdue[_In] | Behind[_In]]:
    """Work through chains, each in its order, several at once.

    Args:
        chains: Items; those of one chain never overlap.
        work: What is done with each; called in other threads.
        limit: How long one may take.
        beat: Told about twice a second what is under way.
        lanes: How many at once at most.

    Yields:
        What became of each item, as it becomes known.

    Raises:
        BaseException: What ``work`` raised, once nothing else is begun.
    """
    total = sum(len(chain) for chain in chains)
    crew = _Crew([chain for chain in chains if chain], work)
    crew.begin(min(lanes, len(chains)))
    known, beaten = 0, time.monotonic()
    try:
        while known < total:
            try:
                _, item, said = crew.told.get(timeout=_LOOK_EVERY)
            except Empty:
                pass
            else:
                known += 1
                if isinstance(said, BaseException):
                    raise said
                yield Done(item, said)
            now = time.monotonic()
            if now - beaten < _LOOK_EVERY:
                continue
            beaten = now
            beat([lane.at for lane in list(crew.lanes) if lane.at is not None])
            for lane in [each for each in list(crew.lanes) if each.at is not None]:
                if now - lane.since <= limit.total_seconds() or (left := crew.give_up(lane)) is None:
                    continue
                hung, behind = left
                known += 1 + len(behind)
                yield Overdue(hung)
                for each in behind:
                    yield Behind(each, hung)
                crew.begin(1)
    finally:
        crew.stopped = True

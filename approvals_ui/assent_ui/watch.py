"""What is new in the ledger, read once for all who watch.

One task looks at the ledger and hands each event to those who listen, so that a thousand open pages cost the database
what one costs. It runs while somebody listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence

from assent.store.database import Database
from assent.store.queries import timeline
from assent.store.queries.events import EventView
from assent.store.queries.timeline import TIMELINE_LIMIT

LOOK_EVERY = 0.25
"""Seconds between two looks at the ledger."""

GAP_PATIENCE = 1.0
"""Seconds to wait for a missing number: its transaction may still be under way, or was rolled back."""

BACKLOG = 2_000
"""Events kept for a listener that does not keep up; then it is let go and can come back with the last id it saw."""

_OF_ACCESS = ("session", "person", "key")
"""First words of events that may take somebody's access away."""

log = logging.getLogger(__name__)


class Listener:
    """One who listens; made by :meth:`LedgerWatch.listening`.

    Attributes:
        run_id: The run it listens to; empty for everything.
        position: Every event up to this id was written before it began to listen; later ones are handed to it.
    """

    def __init__(self, run_id: str, position: int) -> None:
        self.run_id = run_id
        self.position = position
        self._events: list[EventView] = []
        self._woken = asyncio.Event()
        self._over = False
        self._in_doubt = False

    def in_doubt(self) -> bool:
        """Whether access may have been taken from somebody since this was last asked."""
        doubt, self._in_doubt = self._in_doubt, False
        return doubt

    @property
    def over(self) -> bool:
        """Nothing more comes: the watch ends, or the listener did not keep up."""
        return self._over and not self._events

    async def next(self, patience: float) -> Sequence[EventView]:
        """New events, oldest first; none if nothing happened within ``patience`` seconds."""
        if not self._events and not self._over:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), patience)
        self._woken.clear()
        events, self._events = self._events, []
        return events

    def hand(self, events: Sequence[EventView]) -> None:
        """Take what concerns it."""
        if any(event.kind.partition(".")[0] in _OF_ACCESS for event in events):
            self._in_doubt = True
            self._woken.set()
        mine = [event for event in events if not self.run_id or event.run_id == self.run_id]
        if not mine or self._over:
            return
        self._events += mine
        if len(self._events) > BACKLOG:
            self._events = []
            self._over = True
        self._woken.set()

    def end(self) -> None:
        """Nothing more comes."""
        self._over = True
        self._woken.set()


class LedgerWatch:
    """Reads the ledger for all listeners of a process.

    Args:
        database: Where the ledger is.
        look_every: Seconds between two looks.
        gap_patience: Seconds to wait for a missing number.
    """

    def __init__(
        self, database: Database, *, look_every: float = LOOK_EVERY, gap_patience: float = GAP_PATIENCE
    ) -> None:
        self._database = database
        self._look_every = look_every
        self._gap_patience = gap_patience
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._position = 0
        self._starting = asyncio.Lock()
        self._closed = False
        self._gaps: dict[int, float] = {}

    @contextlib.asynccontextmanager
    async def listening(self, run_id: str = "") -> AsyncIterator[Listener]:
        """Listen to one run, or to everything.

        Raises:
            Unavailable: The database cannot be reached.
        """
        async with self._starting:
            if self._task is None:
                self._position = await asyncio.to_thread(self._newest)
                self._task = asyncio.create_task(self._look_forever())
            # No waiting between here and the look-out: nothing can be handed out in between.
            listener = Listener(run_id, self._position)
            self._listeners.add(listener)
        if self._closed:
            listener.end()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._stop()

    def close(self) -> None:
        """Let every listener go, so that the server can end."""
        self._closed = True
        for listener in self._listeners:
            listener.end()
        self._stop()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look_forever(self) -> None:
        told = False
        while True:
            ready: Sequence[EventView] = ()
            try:
                ready = self._in_order(await asyncio.to_thread(self._since, self._position))
                told = False
            except Exception as error:
                # Whatever it is, those who listen are better served by another look than by none.
                if not told:
                    log.warning("Live updates wait: %s", error)
                    told = True
            if ready:
                self._position = ready[-1].id
                for listener in tuple(self._listeners):
                    listener.hand(ready)
            if len(ready) < TIMELINE_LIMIT:
                await asyncio.sleep(self._look_every)

    def _in_order(self, events: Sequence[EventView]) -> Sequence[EventView]:
        """The events before the first number that may still come: transactions that overlap commit out of order."""
        now = time.monotonic()
        gaps: dict[int, float] = {}
        last = self._position
        for event in events:
            if event.id != last + 1:
                gaps[event.id] = self._gaps.get(event.id, now)
            last = event.id
        self._gaps = gaps
        waited_for = [id for id, since in gaps.items() if now - since < self._gap_patience]
        return [event for event in events if not waited_for or event.id < waited_for[0]]

    def _since(self, position: int) -> Sequence[EventView]:
        with self._database.read() as session:
            return timeline.of_runs_between(session, after=position)

    def _newest(self) -> int:
        with self._database.read() as session:
            return timeline.newest_id(session)

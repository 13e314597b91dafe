"""A worker's watch over its clock: every few seconds it is held against another, and what is off claims nothing.

The other clock is the database's (PostgreSQL), else the Temporal server's, else the newest event of the ledger, which
can only tell that this clock is behind. Nothing of it is in the way of a claim, which looks at a switch in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.client import Client

from assent.domain.clock import Clock
from assent.domain.errors import AssentError
from assent.runtime.temporal.server_time import server_time
from assent.store import clocks
from assent.store.database import Database
from assent_activities.deadman import ClaimSwitch

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=3)
"""Time between two comparisons."""

STALE = timedelta(seconds=30)
"""A clock that could not be compared for so long may not be trusted any more."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found.

    Attributes:
        off_seconds: How far this clock is ahead, for certain; negative if it is behind.
        against: Whose clock it was held against.
    """

    off_seconds: float
    against: str

    def fault(self, tolerance: timedelta) -> str:
        """What is wrong, half a sentence; empty if the clocks agree well enough."""
        if abs(self.off_seconds) <= tolerance.total_seconds():
            return ""
        where = "ahead of" if self.off_seconds > 0 else "behind"
        return f"its clock is {abs(self.off_seconds):,.1f} s {where} {self.against}"


class ClockWatch:
    """Holds this process's clock against another one and sets the switch that every claim looks at.

    Args:
        database: Assent's database.
        client: Connected to Temporal; ``None`` where it is not.
        prefix: Start of this installation's task queues.
        clock: The clock that is watched.
        tolerance: How far it may be off.
        switch: What claims look at.
    """

    def __init__(
        self,
        database: Database,
        client: Client | None,
        *,
        prefix: str,
        clock: Clock,
        tolerance: timedelta,
        switch: ClaimSwitch,
    ) -> None:
        self._database = database
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._tolerance = tolerance
        self._switch = switch
        self._worker = f"{os.getpid()}@{socket.gethostname()}:{id(self):x}"
        self._since: datetime | None = None
        self._said_at: datetime | None = None

    async def forever(self) -> None:
        """Compare again and again until cancelled."""
        try:
            while True:
                try:
                    await self.look()
                except AssentError as error:
                    log.warning("The clock was not compared this time: %s", error)
                await asyncio.sleep(LOOK_EVERY.total_seconds())
        finally:
            if self._since is not None:
                with contextlib.suppress(AssentError):
                    clocks.take_back(self._database, self._worker)

    async def look(self) -> Comparison | None:
        """Compare once, and set the switch; ``None`` if there was nothing to compare with.

        Raises:
            Unavailable: The database is away: then no claim succeeds anyway.
        """
        found = await self.compare()
        if found is None:
            return None
        fault = found.fault(self._tolerance)
        if fault:
            self._switch.refuse(fault)
            await self._say(found, fault)
        else:
            self._switch.allow()
            if self._since is not None:
                log.warning("This worker claims again: its clock agrees with %s.", found.against)
                self._since = self._said_at = None
                await asyncio.to_thread(clocks.take_back, self._database, self._worker)
        return found

    async def compare(self) -> Comparison | None:
        """Hold the clock against the best other one there is."""
        found = await asyncio.to_thread(self._against_database)
        if found is None and self._client is not None:
            before = self._clock()
            theirs = await server_time(self._client, self._prefix)
            if theirs is not None:
                found = compared(before, theirs, self._clock(), "the Temporal server's")
        return found or await asyncio.to_thread(self._against_ledger)

    def _against_database(self) -> Comparison | None:
        with self._database.read() as session:
            before = self._clock()
            theirs = clocks.database_time(session)
            return compared(before, theirs, self._clock(), "the database's") if theirs else None

    def _against_ledger(self) -> Comparison | None:
        """The newest event cannot be in the future; how old it is says nothing."""
        with self._database.read() as session:
            newest = clocks.newest_event_at(session)
        behind = (self._clock() - newest).total_seconds() if newest else 0.0
        return Comparison(min(behind, 0.0), "the newest event of the ledger")

    async def _say(self, found: Comparison, fault: str) -> None:
        now = self._clock()
        if self._since is None:
            self._since = now
            log.error("This worker claims nothing: %s. Correct it (NTP); it goes on by itself.", fault)
        if self._said_at is not None and abs(now - self._said_at) < clocks.REPEATED:
            return
        self._said_at = now
        since = self._since

        def say() -> None:
            clocks.say(
                self._database,
                worker=self._worker,
                off_seconds=round(found.off_seconds, 3),
                against=found.against,
                fault=fault,
                since=since,
                now=now - timedelta(seconds=found.off_seconds),
            )

        await asyncio.to_thread(say)


def compared(before: datetime, theirs: datetime, after: datetime, against: str) -> Comparison:
    """How far a clock is off for certain, where the other was read between two looks at it."""
    if theirs < before:
        return Comparison((before - theirs).total_seconds(), against)
    return Comparison(min((after - theirs).total_seconds(), 0.0), against)

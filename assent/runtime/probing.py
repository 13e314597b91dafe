"""Asking connectors how they are: each from a thread of its own, by one worker at a time, with a limit of time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from assent.domain.breakers import MOST_RECOVER
from assent.domain.clock import Clock
from assent.domain.errors import AssentError
from assent.store import health, watches
from assent.store.database import Database
from assent_activities.connectors import Probing

KEPT = timedelta(minutes=1)
"""How old the time of the last check in the database may get once no more passed checks are counted."""

log = logging.getLogger(__name__)


class Prober:
    """Asks connectors how they are, and keeps what they say.

    Args:
        database: Assent's database.
        probes: Connectors that have a health check, by name.
        timeout: Seconds that one check may take.
        every: Seconds between two checks of a connector.
        clock: The time.
    """

    def __init__(
        self, database: Database, probes: Mapping[str, Probing], *, every: float, timeout: float, clock: Clock
    ) -> None:
        self._database = database
        self._probes = probes
        self._every = every
        self._timeout = timeout
        self._clock = clock
        self._holder = uuid.uuid4().hex
        self._hanging: dict[str, threading.Thread] = {}
        self._kept: dict[str, tuple[datetime, bool]] = {}

    async def run(self, wanted: Callable[[], Collection[str]]) -> None:
        """Ask until cancelled.

        Args:
            wanted: The connectors that somebody wants to know of.
        """
        while True:
            names = sorted(self._probes.keys() & set(wanted()))
            try:
                await asyncio.gather(*(self._ask(name) for name in names))
            except AssentError as error:
                log.warning("The health of connectors was not kept this time: %s", error)
            await asyncio.sleep(self._every)

    async def _ask(self, name: str) -> None:
        lease = timedelta(seconds=3 * self._every + self._timeout)
        ours = await asyncio.to_thread(
            watches.hold, self._database, f"probe:{name}", holder=self._holder, at=self._clock(), lease=lease
        )
        if ours:
            error = await self.check(name)
            await asyncio.to_thread(self._keep, name, error)

    async def check(self, name: str) -> str:
        """What is wrong with a connector; empty if it is well."""
        hanging = self._hanging.get(name)
        if hanging is not None and hanging.is_alive():
            return f"An earlier check has not come back yet; it may take {self._timeout:g} s."
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        thread = threading.Thread(
            target=_probe, args=(self._probes[name], answer, loop), name=f"probe-{name}", daemon=True
        )
        thread.start()
        try:
            async with asyncio.timeout(self._timeout):
                return await answer
        except TimeoutError:
            self._hanging[name] = thread
            return f"No answer within {self._timeout:g} s."

    def _keep(self, name: str, error: str) -> None:
        now = self._clock()
        at, counted = self._kept.get(name, (None, False))
        if not error and counted and at is not None and now - at < KEPT:
            return
        with self._database.write() as session:
            found = health.record(session, name, error=error, at=now)
        self._kept[name] = (now, found.passes >= MOST_RECOVER)
        if error:
            log.warning("The connector %s failed its health check (%d): %s", name, found.failures, found.error)


def _probe(probe: Probing, answer: asyncio.Future[str], loop: asyncio.AbstractEventLoop) -> None:
    """Ask in this thread, and hand the answer over unless nobody waits for it any more."""
    try:
        probe.probe()
        error = ""
    except Exception as failure:
        error = str(failure) or type(failure).__name__

    def hand_over() -> None:
        if not answer.done():
            answer.set_result(error)

    with contextlib.suppress(RuntimeError):  # The loop may have ended meanwhile.
        loop.call_soon_threadsafe(hand_over)

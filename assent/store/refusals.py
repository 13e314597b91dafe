"""Refused sign-ins and keys in the ledger, without letting anybody who knocks often enough fill it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

from assent.domain.canonical import Json
from assent.domain.clock import Clock
from assent.domain.people import Actor, Via
from assent.store import ledger
from assent.store.database import Database

PER_MINUTE = 60
"""Refusals one process records in a minute; the next minute's first one says how many more there were."""

SOMEBODY = Actor(id="unknown", name="Somebody unknown", via=Via.API)
"""Who was refused, if nobody knows."""


class Refusals:
    """Records refusals.

    Args:
        database: Where the ledger is.
        clock: The time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._since: datetime | None = None
        self._recorded = 0
        self._skipped = 0

    def record(
        self,
        kind: str,
        why: str,
        *,
        where: str = "",
        via: Via = Via.API,
        actor: Actor = SOMEBODY,
        body: Mapping[str, Json] | None = None,
    ) -> None:
        """Write one refusal, unless this minute had its share.

        Args:
            kind: ``session.refused``, ``key.refused`` or ``approval.refused``.
            why: The sentence that was told.
            where: What it concerns.
            via: Where it was tried.
            actor: Who tried it, if that is known.
            body: What else is to be kept.
        """
        at = self._clock()
        skipped = self._count(at)
        if skipped is None:
            return
        said: dict[str, Json] = {"why": why, "where": where, **(body or {})}
        if skipped:
            said["not_recorded_before"] = skipped
        with self._database.write() as session:
            ledger.append(session, at=at, kind=kind, actor=actor.model_copy(update={"via": via}), body=said)

    def _count(self, at: datetime) -> int | None:
        """How many went unrecorded before this one; ``None`` if this one is not recorded either."""
        with self._lock:
            if self._since is None or at - self._since >= timedelta(minutes=1):
                self._since, self._recorded = at, 0
            if self._recorded >= PER_MINUTE:
                self._skipped += 1
                return None
            self._recorded += 1
            skipped, self._skipped = self._skipped, 0
            return skipped

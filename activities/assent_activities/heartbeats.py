"""Keeping the lease of a long effect, and Temporal's patience, while it runs."""

from __future__ import annotations

import contextvars
import dataclasses
import logging
import threading
import time
from datetime import timedelta
from types import TracebackType
from typing import Self

from temporalio import activity

from assent.domain.catalogue import ActionType
from assent.domain.errors import AssentError
from assent.domain.tiers import Speed
from assent.store import claims, pauses
from assent_activities.connectors import Call
from assent_activities.dependencies import Dependencies

LISTEN_EVERY = timedelta(seconds=1)
"""How often a long effect looks at most whether it was asked to stop."""

log = logging.getLogger(__name__)


class LeaseKeeper:
    """While entered, renews the lease of a long action three times within its length; does nothing for quick ones."""

    def __init__(self, dependencies: Dependencies, action_id: str, holder: str, type: ActionType) -> None:
        self._deps = dependencies
        self._action_id = action_id
        self._holder = holder
        self._long = type.speed is Speed.LONG
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._asked = False
        self._asked_last = float("-inf")

    def __enter__(self) -> Self:
        if self._long:
            context = contextvars.copy_context()
            self._thread = threading.Thread(target=context.run, args=(self._renew,), daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()

    def watched(self, call: Call) -> Call:
        """The call with a heartbeat that reaches Temporal, and an ear for people who ask it to stop."""
        if not self._long:
            return call
        return dataclasses.replace(call, heartbeat=_heartbeat, asked_to_stop=self._asked_to_stop)

    def _asked_to_stop(self) -> bool:
        """Whether somebody asked; a database that is away asks nobody."""
        now = time.monotonic()
        if not self._asked and now - self._asked_last >= LISTEN_EVERY.total_seconds():
            self._asked_last = now
            try:
                with self._deps.database.read() as session:
                    self._asked = pauses.asked_to_stop(session, self._action_id)
            except AssentError:
                log.warning("Whether %s was asked to stop could not be looked up this time.", self._action_id)
        return self._asked

    def _renew(self) -> None:
        lease = self._deps.leases.long
        while not self._done.wait(lease.total_seconds() / 3):
            _heartbeat("lease renewed")
            try:
                with self._deps.database.write() as session:
                    until = self._deps.clock() + lease
                    if not claims.renew(session, action_id=self._action_id, holder=self._holder, lease_until=until):
                        return
            except AssentError:
                log.warning("The lease of %s could not be renewed this time.", self._action_id)


def _heartbeat(*details: object) -> None:
    if activity.in_activity() and not activity.info().is_local:
        activity.heartbeat(*details)

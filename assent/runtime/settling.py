"""What a worker does by itself about effects that nobody knows about."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import timedelta

from temporalio.client import RPCError

from assent.domain.errors import AssentError
from assent_activities.settling import Settling

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=2)
"""How often a worker looks whether there is something to ask or to tell."""

_LAST_LOOK_SECONDS = 2.0
"""How long the last look may take when the worker ends."""


async def settle_forever(settling: Settling) -> None:
    """Ask connectors about effects that are unknown, a few times each, and tell runs what was found out.

    Connectors are asked in a thread of their own, one after the other: one that hangs holds up the questions of this
    worker, and nothing else.
    """
    asking = threading.Thread()
    try:
        while True:
            if not asking.is_alive():
                asking = threading.Thread(target=_look, args=(settling,), name="unknown effects", daemon=True)
                asking.start()
            try:
                await settling.tell_runs()
            except (AssentError, RPCError) as error:
                log.warning("Runs were not told of their effects this time: %s", error)
            await asyncio.sleep(LOOK_EVERY.total_seconds())
    finally:
        if asking.is_alive():
            await asyncio.to_thread(asking.join, _LAST_LOOK_SECONDS)


def _look(settling: Settling) -> None:
    try:
        settling.look_due()
    except AssentError as error:
        log.warning("Unknown effects were not asked about this time: %s", error)
    except Exception:
        log.exception("Asking about unknown effects broke off")

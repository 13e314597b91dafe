"""The middle of a drill: the pause, how fast it holds, and whether anything gets past it."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.clock import Clock
from assent.domain.drills import SCRATCH_SYSTEM, DrillRequest
from assent.domain.effects import EffectStatus
from assent.domain.pauses import Disposition, PauseInput, Scope, ScopeKind
from assent.domain.words import counted
from assent.gateway import Gateway
from assent.runtime.drilling.step import Done, drill_actor, looked, seen
from assent.store import drills
from assent.store.database import Database
from assent.store.queries import pauses
from assent.store.queries.drills import one

TRIES = 10
"""Actions that are proposed behind the fence."""

SPARE_SECONDS = 30.0
"""How much longer than its card allows a drill waits, so that it can tell how long it took."""

HOLD_SECONDS = 30.0
"""How long the runs may take to come to the fence by themselves."""


class Stopping:
    """Pauses for real, waits, and tries to get past.

    Args:
        gateway: Pauses.
        database: Assent's database.
        clock: The time.
    """

    def __init__(self, gateway: Gateway, database: Database, clock: Clock) -> None:
        self._gateway = gateway
        self._database = database
        self._clock = clock

    async def pause(self, drill: DrillRequest) -> Done:
        """Pause the scratch agent by the database alone, as the command line does, and then make it known."""
        scope = Scope(kind=ScopeKind.AGENT, name=drill.scratch)
        requested_at, cause = self._clock(), f"Drill {drill.drill_id}"
        began = time.monotonic()
        pause_id = await looked(self._database, lambda session: drills.pause_over(session, drill.scratch))
        if not pause_id:
            began = time.monotonic()
            pause_id = await Gateway(None, self._database, clock=self._clock).pause(
                scope, by=drill_actor(drill), cause=cause, disposition=Disposition.FREEZE
            )
        fence_seconds = time.monotonic() - began

        def note() -> dict[str, EffectStatus]:
            with self._database.write() as session:
                claims = drills.claimed(session, drill.scratch)
                drills.fenced(session, drill.drill_id, pause_id=pause_id, claims=claims)
            return claims

        claims = await asyncio.to_thread(note)
        await self._gateway.announce_pause(
            PauseInput(pause_id=pause_id, scope=scope, cause=cause, by=drill_actor(drill), requested_at=requested_at)
        )
        in_flight = sum(status is EffectStatus.CLAIMED for status in claims.values())
        words = f"The fence stood after {fence_seconds:.3f} s, with {counted(in_flight, 'effect')} under way."
        fenced_at = requested_at + timedelta(seconds=fence_seconds)
        return Done(
            words,
            {
                "requested_at": requested_at,
                "fenced_at": fenced_at,
                "fence_seconds": round(fence_seconds, 3),
                "in_flight": in_flight,
            },
        )

    async def quiesce(self, drill: DrillRequest) -> Done:
        """Wait until the last effect under way has ended."""
        view = await looked(self._database, lambda session: one(session, drill.drill_id))
        fenced_at = view.figures.fenced_at
        assert fenced_at is not None
        found, quiet = await seen(
            self._database,
            lambda session: pauses.one(session, view.pause_id),
            lambda pause: pause.quiesced_at is not None,
            within=view.terms.quiesced_within.total_seconds() + SPARE_SECONDS,
        )
        until = found.quiesced_at if quiet and found.quiesced_at is not None else self._clock()
        seconds = round(max(0.0, (until - fenced_at).total_seconds()), 3)
        if not quiet:
            return Done(
                f"After {seconds:.0f} s {counted(found.in_flight, 'effect')} still went on.",
                {"quiesce_seconds": seconds},
            )
        return Done(
            f"Nothing was under way {seconds:.3f} s after the fence stood.",
            {"quiesced_at": until, "quiesce_seconds": seconds},
        )

    async def prove(self, drill: DrillRequest) -> Done:
        """Try to act behind the fence, and look for anything that was claimed since it stood."""
        for number in range(1, TRIES + 1):
            action = ProposedAction(
                key=f"behind-{number}",
                type=f"{SCRATCH_SYSTEM}.write",
                arguments={"record": "1-1", "value": -number},
            )
            await self._gateway.propose(drill.run_id(1), action, by=drill_actor(drill))
        wanted = set(await looked(self._database, lambda session: drills.open_runs(session, drill.scratch)))
        held, _ = await seen(
            self._database,
            lambda session: drills.runs_with(session, drill.scratch, ActionStatus.HELD.value),
            lambda runs: runs >= wanted,
            within=HOLD_SECONDS,
        )
        before = await looked(self._database, lambda session: drills.claimed_at_fence(session, drill.drill_id))
        now = await looked(self._database, lambda session: drills.claimed(session, drill.scratch))
        slipped = sorted(set(now) - before)
        tries = TRIES + len(held)
        words = (
            f"{counted(tries, 'action')} came to the fence, and none got past it."
            if not slipped
            else f"{counted(len(slipped), 'effect')} began behind the fence: {', '.join(slipped[:5])}."
        )
        done = sum(status is EffectStatus.DONE for status in now.values())
        return Done(words, {"tries": tries, "slipped": len(slipped), "effects": done})

"""The beginning of a drill: a scratch agent with records, and live runs that act on them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from assent.domain.actions import ProposedAction
from assent.domain.drills import DrillRequest
from assent.domain.effects import EffectStatus
from assent.domain.errors import Unavailable
from assent.domain.words import counted
from assent.gateway import Gateway, StartRun
from assent.runtime.drilling.scratch_card import SLOW
from assent.runtime.drilling.step import Done, drill_actor, looked, seen
from assent.store import drills
from assent.store.database import Database
from assent.store.queries import agents
from assent.store.queries.drills import one
from assent_activities.connectors import Operation
from assent_activities.connectors.scratch import ScratchRecords

STEPS = 60
"""Actions of a run, one after the other; a run must not end before it is paused."""

RECORDS_PER_RUN = 3
"""Scratch records that a run writes in turn, so that some are written more than once."""

EFFECTS_FIRST = 2
"""Effects that every run has begun before the pause comes."""

START_SECONDS = 120.0
"""How long that may take."""


class Running:
    """Prepares, and starts the runs.

    Args:
        gateway: Starts runs.
        database: Assent's database.
        records: The scratch records.
        registry: Operations by action type.
    """

    def __init__(
        self, gateway: Gateway, database: Database, records: ScratchRecords, registry: Mapping[str, Operation]
    ) -> None:
        self._gateway = gateway
        self._database = database
        self._records = records
        self._registry = registry

    async def prepare(self, drill: DrillRequest) -> Done:
        """Make the records; the scratch agent was published when the step began."""
        view = await looked(self._database, lambda session: one(session, drill.drill_id))
        names = record_names(view.terms.runs)
        made = await asyncio.to_thread(self._records.seed, drill.scratch, names)
        words = f"{drill.scratch} has {counted(len(made), 'scratch record')} and may act automatically."
        return Done(words, {"records": len(made)})

    async def start(self, drill: DrillRequest) -> Done:
        """Start live runs and wait until each of them has effects."""
        view = await looked(self._database, lambda session: one(session, drill.drill_id))
        card = (await looked(self._database, lambda session: agents.one(session, drill.scratch))).card
        types = sorted(card["actions"])
        numbers = range(1, view.terms.runs + 1)
        for number in numbers:
            request = StartRun(
                agent=drill.scratch,
                goal=f"Act until the drill {drill.drill_id} stops it.",
                plan=plan_of(number, types),
                open=number == 1,
                run_id=drill.run_id(number),
            )
            await self._gateway.start_run(request, by=drill_actor(drill))
        wanted = {drill.run_id(number) for number in numbers}

        def busy(claims: Mapping[str, EffectStatus]) -> bool:
            begun = [action_id.rpartition(":")[0] for action_id in claims]
            return all(begun.count(run_id) >= EFFECTS_FIRST for run_id in wanted)

        claims, all_busy = await seen(
            self._database, lambda session: drills.claimed(session, drill.scratch), busy, within=START_SECONDS
        )
        if not all_busy:
            raise Unavailable(
                f"Not every run acted within {START_SECONDS:g} s.", where="runs", todo="See that workers run."
            )
        return Done(f"{counted(len(wanted), 'run')} began {counted(len(claims), 'effect')}.", {"runs": len(wanted)})


def record_names(runs: int) -> list[str]:
    """The records of a drill with so many runs."""
    return [f"{number}-{place}" for number in range(1, runs + 1) for place in range(1, RECORDS_PER_RUN + 1)]


def plan_of(number: int, types: list[str]) -> list[ProposedAction]:
    """What a run of a drill does: writes in turn to its records; in every second run an early one takes seconds."""
    quick_first = [name for name in types if name != SLOW]
    steps = []
    for place in range(STEPS):
        slow = place == EFFECTS_FIRST - 1 and number % 2 == 0
        steps.append(
            ProposedAction(
                key=f"step-{place + 1}",
                type=SLOW if slow else quick_first[(number + place) % len(quick_first)],
                arguments={"record": f"{number}-{place % RECORDS_PER_RUN + 1}", "value": number * 1000 + place},
                after=[f"step-{place}"] if place else [],
            )
        )
    return steps

"""The end of a drill: taken back, compared, resumed, cleared up."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from assent.domain.actions import ActionStatus
from assent.domain.clock import Clock
from assent.domain.drills import DrillRequest
from assent.domain.errors import Conflict, NotFound, Unavailable
from assent.domain.pauses import ResumeAnswers
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackPlan
from assent.domain.words import counted
from assent.gateway import Gateway
from assent.runtime.drilling.running import record_names
from assent.runtime.drilling.step import LOOK_SECONDS, Done, drill_actor, looked, seen
from assent.store import drills
from assent.store.database import Database
from assent.store.queries import rollbacks
from assent.store.queries.drills import one
from assent_activities.connectors.scratch import ScratchRecords

ROLLBACK_SECONDS = 300.0
"""How long taking back may take."""

RESUME_SECONDS = 60.0
"""How long held runs may take to go on."""

END_SECONDS = 60.0
"""How long runs may take to end when they are asked to."""


class Ending:
    """Rolls back, compares, resumes and clears up.

    Args:
        gateway: Rolls back, resumes, ends runs.
        database: Assent's database.
        records: The scratch records.
        clock: The time.
    """

    def __init__(self, gateway: Gateway, database: Database, records: ScratchRecords, clock: Clock) -> None:
        self._gateway = gateway
        self._database = database
        self._records = records
        self._clock = clock

    async def roll_back(self, drill: DrillRequest) -> Done:
        """Take back everything that the scratch agent did, previewed first, while it is paused."""
        view = await looked(self._database, lambda session: one(session, drill.drill_id))
        began, rollback_id = time.monotonic(), view.rollback_id
        if not rollback_id:
            scope = RollbackScope(kind=RollbackScopeKind.AGENT, id=drill.scratch, since=drill.requested_at)
            by = drill_actor(drill)
            plan = await self._complete(await self._gateway.preview_rollback(scope, by=by))
            begun = await self._gateway.rollback(
                scope, by=by, reason=f"Drill {drill.drill_id}", preview_id=plan.rollback_id, digest=plan.digest
            )
            rollback_id = begun.id
            await asyncio.to_thread(self._note_rollback, drill, rollback_id)
        found, ended = await seen(
            self._database,
            lambda session: rollbacks.one(session, rollback_id),
            lambda rollback: not rollback.status.open,
            within=ROLLBACK_SECONDS,
        )
        if not ended:
            raise Unavailable(
                f"The rollback {rollback_id} has not ended after {ROLLBACK_SECONDS:g} s; it is {found.status}.",
                where="rollback",
            )
        seconds = round(time.monotonic() - began, 3)
        undone, left = found.undone, found.left
        words = f"{counted(undone, 'effect')} taken back in {seconds:.1f} s, {left:,} left."
        return Done(words, {"undone": undone, "left": left, "rollback_seconds": seconds})

    async def compare(self, drill: DrillRequest) -> Done:
        """Hold every scratch record against what it was at the start."""
        view = await looked(self._database, lambda session: one(session, drill.drill_id))
        start = self._records.start_of(record_names(view.terms.runs))
        now = await asyncio.to_thread(self._records.contents, drill.scratch)
        differing = sorted(name for name in {*start, *now} if start.get(name) != now.get(name))
        words = (
            f"All {counted(len(start), 'record')} are as at the start."
            if not differing
            else f"{counted(len(differing), 'record')} are not as at the start: {', '.join(differing[:5])}."
        )
        return Done(words, {"differing": len(differing)})

    async def resume(self, drill: DrillRequest) -> Done:
        """End the pause and see every held run go on."""
        held = await looked(
            self._database, lambda session: drills.runs_with(session, drill.scratch, ActionStatus.HELD.value)
        )
        before = await looked(self._database, lambda session: set(drills.claimed(session, drill.scratch)))
        await self._lift(drill)
        resumed_at = self._clock()

        def still(found: tuple[set[str], set[str], set[str]]) -> set[str]:
            waiting, claims, open_ones = found
            moved = {action_id.rpartition(":")[0] for action_id in claims - before}
            return {run_id for run_id in held & open_ones if run_id in waiting and run_id not in moved}

        found, _ = await seen(
            self._database,
            lambda session: (
                drills.runs_with(session, drill.scratch, ActionStatus.HELD.value),
                set(drills.claimed(session, drill.scratch)),
                set(drills.open_runs(session, drill.scratch)),
            ),
            lambda found: not still(found),
            within=RESUME_SECONDS,
        )
        went_on = len(held) - len(still(found))
        words = f"{went_on:,} of {counted(len(held), 'held run')} went on."
        return Done(words, {"resumed_at": resumed_at, "held": len(held), "went_on": went_on})

    async def clean_up(self, drill: DrillRequest) -> Done:
        """End what is left of the drill; its record, its runs and its ledger events stay."""
        await self._lift(drill)
        runs = await looked(self._database, lambda session: drills.open_runs(session, drill.scratch))
        for run_id in runs:
            with suppress(NotFound):
                await self._gateway.end_run(run_id, by=drill_actor(drill), summary="The drill is over.", stop=True)
        left, ended = await seen(
            self._database,
            lambda session: drills.open_runs(session, drill.scratch),
            lambda open_ones: not open_ones,
            within=END_SECONDS,
        )
        if not ended:
            raise Unavailable(f"{counted(len(left), 'run')} of the drill did not end.", where="runs")
        await asyncio.to_thread(self._records.forget, drill.scratch)
        return Done(f"{counted(len(runs), 'run')} ended, and the scratch records are gone.")

    async def _complete(self, plan: RollbackPlan) -> RollbackPlan:
        """A preview once all of it is written."""
        until = time.monotonic() + ROLLBACK_SECONDS
        while not plan.complete:
            if time.monotonic() >= until:
                raise Unavailable(f"The preview {plan.rollback_id} was not written in time.", where="preview")
            await asyncio.sleep(LOOK_SECONDS)
            plan = await self._gateway.rollback_plan(plan.rollback_id)
        return plan

    async def _lift(self, drill: DrillRequest) -> None:
        """End the pause of the scratch agent, if there is one."""
        pause_id = await looked(self._database, lambda session: drills.pause_over(session, drill.scratch))
        if pause_id:
            answers = ResumeAnswers(
                cause=f"Drill {drill.drill_id}", changed="Nothing: it was a drill.", checks=["The drill's own steps"]
            )
            with suppress(Conflict):
                await self._gateway.resume(pause_id, by=drill_actor(drill), answers=answers, at_once=True)

    def _note_rollback(self, drill: DrillRequest, rollback_id: str) -> None:
        with self._database.write() as session:
            drills.rolls_back(session, drill.drill_id, rollback_id)

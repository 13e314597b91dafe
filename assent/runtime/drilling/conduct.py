"""What a worker does of a drill: each step through the doors that people and agents use, measured and written down.

Every step can be done again: what it began is found in the drill's record, by the ids of its runs, or in force.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from assent.domain.clock import Clock
from assent.domain.drills import DrillRequest, DrillStep, DrillStepRequest, DueDrills
from assent.domain.errors import AssentError
from assent.domain.ports import ACTIVITY_DRILL_STEP, ACTIVITY_DRILLS_DUE
from assent.gateway import Gateway
from assent.gateway.drilling import terms_in_force
from assent.runtime.drilling import scratch_card
from assent.runtime.drilling.ending import Ending
from assent.runtime.drilling.running import Running
from assent.runtime.drilling.schedule import due_drills
from assent.runtime.drilling.step import Done
from assent.runtime.drilling.stopping import Stopping
from assent.store import drills
from assent.store.database import Database
from assent_activities.connectors import Operation
from assent_activities.connectors.scratch import ScratchRecords

HEARTBEAT_SECONDS = 5.0


class Conduct:
    """The activities of drills.

    Args:
        gateway: Where the drill pauses, rolls back and resumes, like a person.
        database: Assent's database.
        records: The scratch records.
        registry: Operations by action type, those on scratch records among them.
        clock: The time.
    """

    def __init__(
        self,
        gateway: Gateway,
        database: Database,
        records: ScratchRecords,
        registry: Mapping[str, Operation],
        clock: Clock,
    ) -> None:
        self._database = database
        self._records = records
        self._registry = registry
        self._clock = clock
        running = Running(gateway, database, records, registry)
        stopping = Stopping(gateway, database, clock)
        ending = Ending(gateway, database, records, clock)
        self._steps: dict[DrillStep, Callable[[DrillRequest], Awaitable[Done]]] = {
            DrillStep.PREPARE: running.prepare,
            DrillStep.START: running.start,
            DrillStep.PAUSE: stopping.pause,
            DrillStep.QUIESCE: stopping.quiesce,
            DrillStep.PROVE: stopping.prove,
            DrillStep.ROLL_BACK: ending.roll_back,
            DrillStep.COMPARE: ending.compare,
            DrillStep.RESUME: ending.resume,
            DrillStep.CLEAN_UP: ending.clean_up,
        }

    @property
    def activities(self) -> Sequence[Callable[..., Any]]:
        """What a worker registers."""
        return (self.step, self.due)

    @activity.defn(name=ACTIVITY_DRILL_STEP)
    async def step(self, request: DrillStepRequest) -> bool:
        """Do a step of a drill and write down what came of it.

        Raises:
            temporalio.exceptions.ApplicationError: It could not be done, to be tried again.
        """
        drill, step = request.drill, request.step
        try:
            async with _heartbeats():
                await self._written(lambda session: self._begin(session, drill, step))
                done = await self._steps[step](drill)
                await self._written(
                    lambda session: drills.step_ends(
                        session, drill.drill_id, step, at=self._clock(), words=done.words, measured=done.measured
                    )
                )
                if step is DrillStep.CLEAN_UP:
                    await self._written(
                        lambda session: drills.end(session, drill, at=self._clock(), broken_off=request.broken_off)
                    )
        except AssentError as error:
            raise ApplicationError(str(error)) from error
        return True

    @activity.defn(name=ACTIVITY_DRILLS_DUE)
    async def due(self) -> DueDrills:
        """The drills that are due now and that nobody has to ask for."""

        def look() -> DueDrills:
            with self._database.read() as session:
                return due_drills(session, now=self._clock())

        return await asyncio.to_thread(look)

    def _begin(self, session: Session, drill: DrillRequest, step: DrillStep) -> None:
        if step is DrillStep.PREPARE:
            drills.begin(session, drill, terms_in_force(session, drill.agent))
            scratch_card.publish(session, drill, self._registry)
        drills.step_begins(session, drill.drill_id, step, at=self._clock())

    async def _written(self, work: Callable[[Session], Any]) -> None:
        def write() -> None:
            with self._database.write() as session:
                work(session)

        await asyncio.to_thread(write)


@asynccontextmanager
async def _heartbeats() -> AsyncIterator[None]:
    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

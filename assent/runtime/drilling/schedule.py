"""The schedule of drills: Temporal starts those that are due, whichever workers are there."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta

from sqlalchemy.orm import Session
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from assent.domain.drills import DrillRequest, DrillStanding, DueDrills, scheduled_from
from assent.domain.people import SYSTEM
from assent.domain.ports import DrillWorkflow, Queue
from assent.store import drills
from assent.store.queries.drills import standings

log = logging.getLogger(__name__)

RETRY_AT_MOST = timedelta(days=1)
"""A drill that failed is run again by itself after this time, or a quarter of the time between two if that is less."""

MOST_AT_ONCE = 20
"""Drills that one look starts, one after the other."""


def due_drills(session: Session, *, now: datetime) -> DueDrills:
    """The drills to hold now by themselves; none while a pause holds everything.

    An agent that never had one has its first at once: until then nobody knows how fast it stops.
    """
    if drills.stopped_by(session):
        return DueDrills()
    due = [each for each in standings(session, now=now) if _is_due(each, now)][:MOST_AT_ONCE]
    return DueDrills(
        drills=[
            DrillRequest(
                drill_id=f"drill-{uuid.uuid4().hex[:12]}", agent=each.agent, by=SYSTEM, scheduled=True, requested_at=now
            )
            for each in due
        ]
    )


def _is_due(standing: DrillStanding, now: datetime) -> bool:
    if not standing.automatic or standing.every is None or standing.due_at is None:
        return False
    if standing.last_at is None:
        return True
    if now < scheduled_from(standing.due_at, standing.every):
        return False
    return now - standing.last_at >= min(standing.every / 4, RETRY_AT_MOST)


async def keep_schedule(client: Client, prefix: str, *, every: timedelta) -> None:
    """Have Temporal look for drills that are due; changes a schedule that looks at another interval.

    Args:
        client: Connected to Temporal.
        prefix: Start of this installation's task queues, and of the schedule's id.
        every: Time between two looks; none at all takes the schedule away.
    """
    id = f"{prefix}-drills"
    handle = client.get_schedule_handle(id)
    try:
        if not every:
            await handle.delete()
            return
        await client.create_schedule(id, _schedule(prefix, every))
        log.info("Drills that are due are looked for every %s.", every)
    except ScheduleAlreadyRunningError:
        await handle.update(lambda found: _changed(found, prefix, every))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


def _changed(found: ScheduleUpdateInput, prefix: str, every: timedelta) -> ScheduleUpdate | None:
    wanted = _schedule(prefix, every)
    wanted.state = found.description.schedule.state
    if [each.every for each in found.description.schedule.spec.intervals] == [every]:
        return None
    return ScheduleUpdate(wanted)


def _schedule(prefix: str, every: timedelta) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            DrillWorkflow.DUE, id=f"{prefix}-drills-due", task_queue=Queue.CONTROL.under(prefix)
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )

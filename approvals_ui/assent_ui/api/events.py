"""The timeline of a run as it happens, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from assent.domain.errors import NotFound
from assent.store.queries import runs, timeline
from assent.store.queries.events import EventView
from assent_ui.api import schemas
from assent_ui.api.answers import problems
from assent_ui.api.callers import Caller, still_welcome
from assent_ui.api.runs import Reader, RunId, own_run
from assent_ui.deps import Deps, DepsHere

router = APIRouter(tags=["runs"])

HEARTBEAT = 15.0
"""Seconds after which a quiet stream says that it is still there."""

MAX_ID = 2**63 - 1

LAST_KIND = "run.ended"

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_STREAM = {"description": "A stream of events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}


@router.get(
    "/runs/{run_id}/events",
    response_class=StreamingResponse,
    responses={200: _STREAM, 204: {"description": "The run has ended, and nothing is newer"}, **problems(404)},
)
async def watch_run(
    run_id: RunId,
    request: Request,
    caller: Reader,
    deps: DepsHere,
    after: Annotated[int, Query(ge=0, lt=2**63, description="Only events with a greater id.")] = 0,
    last_event_id: Annotated[str, Header(alias="Last-Event-ID", max_length=20)] = "",
) -> Response:
    """The run's events as they happen, those of the past first, until it has ended.

    Each event's `id` is its ledger id, its `event` the kind, its `data` the event as in the timeline. A connection
    that broke goes on with `Last-Event-ID`, as browsers do by themselves.
    """
    await own_run(run_id, caller, deps)
    seen = int(last_event_id) if last_event_id.isascii() and last_event_id.isdecimal() else after
    start = min(seen, MAX_ID)
    # Asked before the events are read: what the end wrote is then among them.
    ended = await deps.read(lambda session: _ended(session, run_id))
    if ended and not await deps.read(lambda session: timeline.of_run(session, run_id, after=start, limit=1)):
        return Response(status_code=204)
    stream = _stream(request, caller, deps, run_id, start, ended)
    return StreamingResponse(stream, media_type="text/event-stream", headers=_HEADERS)


async def _stream(
    request: Request, caller: Caller, deps: Deps, run_id: str, after: int, ended: bool
) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    async with deps.watch.listening(run_id) as listener:
        while True:
            past = await deps.read(partial(timeline.of_run, run_id=run_id, after=after))
            # What is newer than the listener's position is handed to it as well, and in order.
            known = [event for event in past if event.id <= listener.position or ended]
            for event in known:
                yield _written(event)
            ended = ended or _has_end(known)
            after = known[-1].id if known else after
            if len(known) < timeline.TIMELINE_LIMIT:
                break
        # What has ended meanwhile, a session or a key, takes its streams with it.
        welcome = await still_welcome(request, caller, deps)
        while welcome and not ended and not listener.over:
            events = await listener.next(HEARTBEAT)
            if listener.in_doubt() or not events:
                welcome = await still_welcome(request, caller, deps)
                if not welcome:
                    break
            for event in events:
                if event.id > after:
                    yield _written(event)
            ended = _has_end(events)
            if not events:
                yield ": still here\n\n"


def _ended(session: Session, run_id: str) -> bool:
    try:
        return runs.one(session, run_id).status.ended
    except NotFound:
        # It was started a moment ago.
        return False


def _has_end(events: Sequence[EventView]) -> bool:
    return any(event.kind == LAST_KIND for event in events)


def _written(event: EventView) -> str:
    data = schemas.EventOut.model_validate(event).model_dump_json()
    return f"id: {event.id}\nevent: {event.kind}\ndata: {data}\n\n"

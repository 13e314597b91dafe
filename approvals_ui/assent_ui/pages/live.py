"""Live updates: a stream of what was touched, so that pages fetch those parts again. It carries no content itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from assent.store.database import Database
from assent.store.queries import timeline
from assent.store.queries.events import EventView
from assent_ui.pages.context import Here

router = APIRouter()

LOOK_EVERY = 0.5
"""Seconds between looks at the ledger's newest event: one primary-key look-up each."""

QUIET_LIMIT = 15.0
"""Seconds after which a quiet stream says that it is still there."""


@router.get("/live")
def live(here: Here, request: Request, after: int = 0) -> StreamingResponse:
    """Server-sent events, each with the newest event's id and the topics touched since ``after``."""
    last = request.headers.get("last-event-id", "")
    stream = _stream(here.database, request, int(last) if last.isdecimal() else after)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(database: Database, request: Request, after: int) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    quiet = 0.0
    while not await request.is_disconnected():
        events = await asyncio.to_thread(_since, database, after)
        if events:
            after, quiet = events[-1].id, 0.0
            told = json.dumps({"last": after, "topics": sorted(topics(events))})
            yield f"id: {after}\ndata: {told}\n\n"
            continue
        await asyncio.sleep(LOOK_EVERY)
        quiet += LOOK_EVERY
        if quiet >= QUIET_LIMIT:
            quiet = 0.0
            yield ": still here\n\n"


def topics(events: Sequence[EventView]) -> set[str]:
    """What events touched: the first word of their kind, and each run, action and request by id."""
    touched: set[str] = set()
    for event in events:
        touched.add(event.kind.partition(".")[0])
        if event.run_id:
            touched.add(f"run:{event.run_id}")
        if event.action_id:
            touched.add(f"action:{event.action_id}")
        if isinstance(event.body.get("approval"), str):
            touched.add(f"approval:{event.body['approval']}")
    return touched


def _since(database: Database, after: int) -> tuple[EventView, ...]:
    with database.read() as session:
        return timeline.of_runs_between(session, after=after) if timeline.newest_id(session) > after else ()

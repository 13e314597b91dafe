"""Live updates: a stream of what was touched, so that pages fetch those parts again. It carries no content itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from assent.store.queries import timeline
from assent.store.queries.events import EventView
from assent_ui.auth import current_person, still_signed_in
from assent_ui.deps import Deps, DepsHere

router = APIRouter()

QUIET_LIMIT = 15.0
"""Seconds after which a quiet stream says that it is still there."""

UNKNOWN = {"effect.unknown", "effect.asked", "effect.settled"}
"""Kinds of events after which something else is unknown; few, so that badges of all pages may follow them."""

EVERYTHING = "*"
"""Topic that stands for all: more was missed than is worth naming."""


@router.get("/live", dependencies=[Depends(current_person)])
async def live(request: Request, deps: DepsHere, after: int = 0) -> StreamingResponse:
    """Server-sent events, each with the newest event's id and the topics touched since ``after``."""
    last = request.headers.get("last-event-id", "")
    stream = _stream(request, deps, int(last) if last.isdecimal() else after)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(request: Request, deps: Deps, after: int) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    async with deps.watch.listening() as listener:
        missed = await deps.read(lambda session: timeline.of_runs_between(session, after=after))
        if missed:
            everything = {EVERYTHING} if len(missed) == timeline.TIMELINE_LIMIT else set()
            yield _message(max(missed[-1].id, listener.position), topics(missed) | everything)
        # A session that ends takes its streams with it, at once where it is told and within the quiet time elsewhere.
        welcome = await still_signed_in(request, deps)
        while welcome and not listener.over:
            events = await listener.next(QUIET_LIMIT)
            if listener.in_doubt() or not events:
                welcome = await still_signed_in(request, deps)
            if welcome:
                yield _message(events[-1].id, topics(events)) if events else ": still here\n\n"


def _message(last: int, touched: set[str]) -> str:
    return f"id: {last}\ndata: {json.dumps({'last': last, 'topics': sorted(touched)})}\n\n"


def topics(events: Sequence[EventView]) -> set[str]:
    """What events touched: the first word of their kind, what is unknown, and each run, action and request by id."""
    touched: set[str] = set()
    for event in events:
        touched.add(event.kind.partition(".")[0])
        if event.kind in UNKNOWN:
            touched.add("unknown")
        if event.run_id:
            touched.add(f"run:{event.run_id}")
        if event.action_id:
            touched.add(f"action:{event.action_id}")
        if isinstance(event.body.get("approval"), str):
            touched.add(f"approval:{event.body['approval']}")
    return touched

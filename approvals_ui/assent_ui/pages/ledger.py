"""Ledger: prove it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from assent.domain.errors import InvalidInput
from assent.domain.people import Role
from assent.store import ledger as chain
from assent.store.database import Database
from assent.store.ledger import ChainFault
from assent.store.queries import ledger
from assent.store.queries.events import EventView
from assent.store.queries.ledger import LedgerFilter
from assent.store.queries.paging import PageRequest
from assent_ui.pages.context import Here
from assent_ui.pages.times import moment

router = APIRouter()

SHOWN = 50
"""Events of one page."""

_FIELDS = (
    ("resource", "Record", "shop/orders/W123"),
    ("run", "Run", "run-…"),
    ("agent", "Agent", "shop-support"),
    ("kind", "What", "effect.done"),
    ("since", "Since (UTC)", ""),
    ("until", "Until (UTC)", ""),
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of the chain found."""

    links: int
    faults: list[ChainFault]
    at: datetime


@router.get("/ledger", response_class=HTMLResponse)
def read(
    here: Here,
    resource: str = "",
    run: str = "",
    agent: str = "",
    kind: str = "",
    since: str = "",
    until: str = "",
    cursor: str | None = None,
) -> HTMLResponse:
    """Events, newest first."""
    asked = {"resource": resource, "run": run, "agent": agent, "kind": kind, "since": since, "until": until}
    return _page(here, {name: value.strip() for name, value in asked.items()}, cursor)


@router.get("/ledger/export")
def export(here: Here) -> StreamingResponse:
    """Every sealed event with its link's hash, one JSON object a line, in chain order."""
    here.viewer.require(Role.AUDITOR, "export the ledger")
    headers = {"Content-Disposition": 'attachment; filename="assent-ledger.jsonl"'}
    return StreamingResponse(_lines(here.database), media_type="application/x-ndjson", headers=headers)


def _lines(database: Database) -> Iterator[str]:
    last = 0
    while True:
        with database.read() as session:
            sealed = ledger.after(session, last)
        for event, link_hash in sealed:
            yield f"{json.dumps(_written(event) | {'hash': link_hash}, ensure_ascii=False)}\n"
        if not sealed:
            return
        last = sealed[-1][0].id


def _written(event: EventView) -> dict[str, object]:
    return {
        "id": event.id,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "run": event.run_id,
        "action": event.action_id,
        "agent": event.agent,
        "actor": event.actor.model_dump(mode="json"),
        "body": event.body,
    }


@router.post("/ledger/check")
async def check(here: Here) -> Response:
    """Recompute the whole chain."""
    here.viewer.require(Role.AUDITOR, "check the ledger")
    links, faults = await here.in_thread(lambda: chain.check_chain(here.database))
    return await here.in_thread(lambda: _page(here, {}, None, Checked(links, faults, here.clock())))


def _page(here: Here, asked: dict[str, str], cursor: str | None, checked: Checked | None = None) -> HTMLResponse:
    wanted = PageRequest(SHOWN, cursor)
    may_audit = here.viewer.may(Role.AUDITOR)
    with here.database.read() as session:
        if not may_audit:
            page = None
        elif asked.get("resource"):
            if sum(map(bool, asked.values())) > 1:
                raise InvalidInput("A record goes alone.", where="resource", todo="Leave the other filters empty.")
            page = ledger.page_of_resource(session, asked["resource"], request=wanted)
        else:
            chosen = LedgerFilter(
                run_id=asked.get("run") or None,
                agent=asked.get("agent") or None,
                kind=asked.get("kind") or None,
                since=moment(asked.get("since", ""), "since"),
                until=moment(asked.get("until", ""), "until"),
            )
            page = ledger.page(session, chosen, request=wanted)
        return here.show(
            session,
            "ledger.html",
            "ledger",
            page=page,
            fields=[(name, word, asked.get(name, ""), hint) for name, word, hint in _FIELDS],
            resource=asked.get("resource", ""),
            filtered=any(asked.values()),
            query=urlencode({name: value for name, value in asked.items() if value}),
            checked=checked,
            may_audit=may_audit,
        )

"""Ledger: prove it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from assent.domain.people import Role
from assent.store import ledger as chain
from assent.store.ledger import ChainFault
from assent.store.queries import ledger
from assent.store.queries.ledger import LedgerFilter
from assent.store.queries.paging import PageRequest
from assent_ui.pages.context import Here

router = APIRouter()

SHOWN = 50
"""Events of one page."""

_FIELDS = (
    ("resource", "Record", "shop/orders/W123"),
    ("run", "Run", "run-…"),
    ("agent", "Agent", "shop-support"),
    ("kind", "What", "effect.done"),
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of the chain found."""

    links: int
    faults: list[ChainFault]
    at: datetime


@router.get("/ledger", response_class=HTMLResponse)
def read(
    here: Here, resource: str = "", run: str = "", agent: str = "", kind: str = "", cursor: str | None = None
) -> HTMLResponse:
    """Events, newest first."""
    asked = {"resource": resource, "run": run, "agent": agent, "kind": kind}
    return _page(here, {name: value.strip() for name, value in asked.items()}, cursor)


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
            page = ledger.page_of_resource(session, asked["resource"], request=wanted)
        else:
            chosen = LedgerFilter(
                run_id=asked.get("run") or None, agent=asked.get("agent") or None, kind=asked.get("kind") or None
            )
            page = ledger.page(session, chosen, request=wanted)
        return here.show(
            session,
            "ledger.html",
            "ledger",
            page=page,
            fields=[(name, word, asked.get(name, ""), hint) for name, word, hint in _FIELDS],
            filtered=any(asked.values()),
            query=urlencode({name: value for name, value in asked.items() if value}),
            checked=checked,
            may_audit=may_audit,
        )

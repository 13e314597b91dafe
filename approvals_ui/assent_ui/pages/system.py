"""System: does everything answer, and who may do what?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from assent.domain.words import counted, lasting
from assent.store import people
from assent.store.queries import agents, ledger, timeline
from assent.store.queries.agents import KeyView
from assent.store.queries.paging import MAX_LIMIT, PageRequest
from assent_ui.pages.context import Here

router = APIRouter()

HEALTH_WAIT = timedelta(seconds=2)
"""How long Temporal may take to say that it is well."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the installation and how it is."""

    name: str
    text: str
    well: bool

    @property
    def word(self) -> str:
        """Its state in a word."""
        return "Answers" if self.well else "Does not answer"

    @property
    def tone(self) -> str:
        """The tone of its state."""
        return "green" if self.well else "red"

    @property
    def shape(self) -> str:
        """The shape of its state."""
        return "check" if self.well else "cross"


@router.get("/system", response_class=HTMLResponse)
async def system(here: Here) -> HTMLResponse:
    """Parts, people and keys."""
    temporal = await _temporal(here)
    return await here.in_thread(lambda: _page(here, temporal))


def _page(here: Here, temporal: Part) -> HTMLResponse:
    with here.database.read() as session:
        parts = [_database(here), temporal, _ledger(here, session)]
        return here.show(
            session,
            "system.html",
            "system",
            parts=parts,
            well=all(part.well for part in parts),
            people=people.page(session, request=PageRequest(MAX_LIMIT)).items,
            keys=_keys(here, session),
        )


def _database(here: Here) -> Part:
    url = here.database.url
    where = "SQLite in one file" if here.database.sqlite else f"PostgreSQL at {url.host or 'a local socket'}"
    return Part("Database", where, True)


async def _temporal(here: Here) -> Part:
    client = here.gateway.client
    if client is None:
        return Part("Temporal", "Not connected. Pausing still works; runs wait for it and lose nothing.", False)
    began = here.clock()
    try:
        await client.service_client.check_health(timeout=HEALTH_WAIT)
    except Exception as error:
        return Part("Temporal", f"{type(error).__name__}. Runs wait for it and lose nothing.", False)
    took = (here.clock() - began) / timedelta(milliseconds=1)
    return Part("Temporal", f"Namespace {client.namespace}, answered in {took:.0f} ms", True)


def _ledger(here: Here, session: Session) -> Part:
    newest = ledger.page(session, request=PageRequest(1)).items
    if not newest:
        return Part("Ledger", "Empty", True)
    since = lasting(here.clock() - newest[0].at)
    return Part("Ledger", f"{counted(timeline.newest_id(session), 'event')}, the newest {since} ago", True)


def _keys(here: Here, session: Session) -> list[KeyView]:
    return [key for name in here.agent_names(session) for key in agents.keys(session, name)]

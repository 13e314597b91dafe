"""System: does everything answer, and who may do what?"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from assent.domain.words import counted, lasting
from assent.store import outbox, people
from assent.store.letters import MAIL
from assent.store.queries import agents, ledger, timeline
from assent.store.queries.agents import KeyView
from assent.store.queries.paging import MAX_LIMIT, PageRequest
from assent.store.webhooks import WEBHOOK
from assent_ui.deps import DepsHere
from assent_ui.pages.context import Here
from assent_ui.pages.slack import CHANNEL as SLACK
from assent_ui.readiness import CLOCKS

router = APIRouter()

_NAMES = {"database": "Database", "temporal": "Temporal", CLOCKS: "Clocks of workers"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the installation and how it is."""

    name: str
    text: str
    well: bool

    @property
    def word(self) -> str:
        """Its state in a word."""
        if self.name == _NAMES[CLOCKS]:
            return "Agree" if self.well else "Off"
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
async def system(here: Here, deps: DepsHere) -> HTMLResponse:
    """Parts, people and keys."""
    seen = await deps.readiness.look()
    parts = [Part(_NAMES.get(name, name), _sentence(part["detail"]), part["ok"]) for name, part in seen.items()]
    return await here.in_thread(lambda: _page(here, parts, MAIL in deps.channels))


def _page(here: Here, parts: list[Part], mail_on: bool) -> HTMLResponse:
    with here.database.read() as session:
        shown = [*parts, _ledger(here, session)]
        return here.show(
            session,
            "system.html",
            "system",
            parts=shown,
            well=all(part.well for part in shown),
            people=people.page(session, request=PageRequest(MAX_LIMIT)).items,
            keys=_keys(here, session),
            slack=outbox.backlog(session, SLACK),
            mail=outbox.backlog(session, MAIL),
            mail_on=mail_on,
            hooks=outbox.backlog(session, WEBHOOK),
        )


def _sentence(detail: str) -> str:
    return f"{detail[:1].upper()}{detail[1:]}."


def _ledger(here: Here, session: Session) -> Part:
    newest = ledger.page(session, request=PageRequest(1)).items
    if not newest:
        return Part("Ledger", "Empty", True)
    since = lasting(here.clock() - newest[0].at)
    return Part("Ledger", f"{counted(timeline.newest_id(session), 'event')}, the newest {since} ago", True)


def _keys(here: Here, session: Session) -> list[KeyView]:
    return [key for name in here.agent_names(session) for key in agents.keys(session, name)]

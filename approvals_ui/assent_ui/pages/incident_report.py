"""The post-mortem of an incident: what the ledger knows, what people say of it, and what was agreed."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import AssentError, InvalidInput
from assent.domain.incident_story import event_text, event_title
from assent.domain.incident_words import TITLES, section_facts
from assent.domain.incidents import NEEDED, FollowUpState, Section
from assent.gateway.incident_facts import known_of
from assent.store.queries import follow_ups, incident_times, incidents
from assent.store.queries.paging import PageRequest
from assent_ui.incident_rights import may_write, require_reader, require_writer
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.incidents import leaders
from assent_ui.rendering.incident_picture import draw

router = APIRouter()

Text = Annotated[str, Form()]

EVENTS = 200
"""Events that the report lists; the incident's page has all of them."""


@router.get("/incidents/{incident_id}/report", response_class=HTMLResponse)
def report(here: Here, incident_id: str) -> HTMLResponse:
    """The post-mortem."""
    require_reader(here.viewer)
    return _page(here, incident_id)


@router.post("/incidents/{incident_id}/report/{section}")
async def write(here: Here, incident_id: str, section: str, text: Text = "", after: Text = "0") -> Response:
    """Write a section; earlier versions stay."""
    require_writer(here.viewer)
    text = typed(text)
    try:
        if section not in list(Section) or not after.isdecimal():
            raise InvalidInput(f"There is no section {section!r}.", where="section")
        await here.gateway.write_section(incident_id, Section(section), text, after=int(after), by=here.viewer.actor)
    except AssentError as error:
        found = error
        return await here.in_thread(lambda: _page(here, incident_id, problem=found, words={section: text}))
    return RedirectResponse(f"/incidents/{quote(incident_id, safe='')}/report#{section}", status_code=303)


@router.post("/incidents/{incident_id}/actions")
async def agree(here: Here, incident_id: str, text: Text = "", owner: Text = "", due: Text = "") -> Response:
    """Keep what shall be done."""
    require_writer(here.viewer)
    try:
        await here.gateway.agree(incident_id, typed(text), owner_id=owner, due=read_day(due), by=here.viewer.actor)
    except AssentError as error:
        found = error
        return await here.in_thread(lambda: _page(here, incident_id, problem=found, words={"action": text}))
    return RedirectResponse(f"/incidents/{quote(incident_id, safe='')}/report#actions-title", status_code=303)


def read_day(text: str) -> date:
    """A day as a form sends it.

    Raises:
        InvalidInput: That is no day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput("This is no day.", where="due", todo="Write it as 2030-01-31.") from error


def _page(
    here: Place, incident_id: str, *, problem: AssentError | None = None, words: dict[str, str] | None = None
) -> HTMLResponse:
    now = here.clock()
    with here.database.read() as session:
        known = known_of(session, incident_id)
        found, facts, controls = known.incident, known.facts, known.controls
        return here.show(
            session,
            "incident_report.html",
            "incidents",
            status=problem.status if problem else 200,
            incident=found,
            picture=draw(found, done=known.done, pauses=controls.pauses, rollbacks=controls.rollbacks, now=now),
            sections=[(section, TITLES[section], section_facts(section, facts, now)) for section in Section],
            needed=NEEDED,
            written=incidents.sections(session, incident_id),
            paused=controls.pauses,
            undoing=controls.rollbacks,
            events=incident_times.timeline(session, found, request=PageRequest(EVENTS), controls=controls.ids),
            event_title=event_title,
            event_text=event_text,
            follow_ups=follow_ups.of_incident(session, incident_id, request=PageRequest(200)),
            states=list(FollowUpState),
            leaders=leaders(session),
            words=words or {},
            problem=problem,
            today=now.date(),
            may_write=may_write(here.viewer),
        )

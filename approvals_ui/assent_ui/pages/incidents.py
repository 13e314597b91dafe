"""Incidents: what is wrong now, what was, and opening one."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.errors import AssentError, InvalidInput
from assent.domain.incidents import PartKind, Severity
from assent.gateway import NewIncident
from assent.store import people
from assent.store.people import Person
from assent.store.queries import follow_ups, incidents
from assent.store.queries.paging import MAX_LIMIT, PageRequest
from assent_ui.incident_rights import may_write, require_reader, require_writer
from assent_ui.pages.context import Here, Place
from assent_ui.pages.times import moment

router = APIRouter()

Text = Annotated[str, Form()]
Texts = Annotated[list[str] | None, Form()]
Names = Annotated[list[str] | None, Query()]

SHOWN = 40
"""Incidents of one page."""

MOST_PARTS = 200
"""Parts that one form names."""

STATES = (("", "All"), ("open", "Open"), ("closed", "Closed"))


@router.get("/incidents", response_class=HTMLResponse)
def list_incidents(here: Here, state: str = "", cursor: str | None = None) -> HTMLResponse:
    """Incidents, newest first, and what of earlier ones is overdue."""
    require_reader(here.viewer)
    if state not in dict(STATES):
        raise InvalidInput(f"There is no state {state!r} to show.", where="state", todo="Open, closed, or all.")
    with here.database.read() as session:
        wanted = None if not state else state == "open"
        return here.show(
            session,
            "incidents.html",
            "incidents",
            page=incidents.page(session, only_open=wanted, request=PageRequest(SHOWN, cursor)),
            states=STATES,
            chosen=state,
            later=cursor is not None,
            overdue=follow_ups.count_overdue(session, here.clock().date()),
            may_write=may_write(here.viewer),
        )


@router.get("/incidents/new", response_class=HTMLResponse)
def new(
    here: Here,
    pause: Names = None,
    run: Names = None,
    record: Names = None,
    rollback: Names = None,
) -> HTMLResponse:
    """A form that opens an incident."""
    require_writer(here.viewer)
    return _form(here, {"pause": pause or [], "run": run or [], "record": record or [], "rollback": rollback or []})


@router.post("/incidents")
async def open_one(
    here: Here,
    title: Text = "",
    severity: Text = Severity.HIGH.value,
    commander: Text = "",
    began: Text = "",
    pause: Texts = None,
    run: Texts = None,
    record: Texts = None,
    rollback: Texts = None,
) -> Response:
    """Open an incident; what belongs to an open one already leads there instead."""
    require_writer(here.viewer)
    parts = {"pause": pause or [], "run": run or [], "record": record or [], "rollback": rollback or []}
    typed = {"title": title, "severity": severity, "commander": commander, "began": began}
    try:
        there = await here.in_thread(lambda: _already(here, parts))
        if there:
            return RedirectResponse(f"/incidents/{there}", status_code=303)
        wanted = NewIncident(
            title=title,
            severity=read_severity(severity),
            commander_id=commander,
            began_at=moment(began, "began"),
            pause_ids=_named(parts["pause"]),
            run_ids=_named(parts["run"]),
            records=[line for each in parts["record"] for line in _named(each.split("\n"))],
            rollback_ids=_named(parts["rollback"]),
        )
        incident_id = await here.gateway.open_incident(wanted, by=here.viewer.actor)
    except AssentError as error:
        found = error
        return await here.in_thread(lambda: _form(here, parts, typed, problem=found))
    return RedirectResponse(f"/incidents/{quote(incident_id, safe='')}", status_code=303)


def read_severity(text: str) -> Severity:
    """A severity as a form sends it.

    Raises:
        InvalidInput: There is no such severity.
    """
    if text not in list(Severity):
        raise InvalidInput(f"There is no severity {text!r}.", where="severity", todo="Critical, high, medium or low.")
    return Severity(text)


def leaders(session: Session) -> list[Person]:
    """People who can lead an incident or own what is agreed after it."""
    found = people.page(session, request=PageRequest(MAX_LIMIT)).items
    return sorted((person for person in found if person.roles and not person.disabled), key=lambda each: each.name)


def _named(refs: list[str]) -> list[str]:
    named = [ref.strip() for ref in refs if ref.strip()]
    if len(named) > MOST_PARTS:
        raise InvalidInput(f"A form names up to {MOST_PARTS} of them.", where="parts", todo="Add the rest afterwards.")
    return named


def _already(here: Place, parts: dict[str, list[str]]) -> str:
    """The open incident that the one named pause or run belongs to; empty if there is none."""
    named = [(PartKind(kind), ref) for kind, refs in parts.items() for ref in refs if ref.strip()]
    if len(named) != 1 or named[0][0] not in (PartKind.PAUSE, PartKind.RUN):
        return ""
    with here.database.read() as session:
        found = incidents.of_part(session, *named[0])
    return next((each.id for each in found if each.closed_at is None), "")


def _form(
    here: Place,
    parts: dict[str, list[str]],
    typed: dict[str, str] | None = None,
    *,
    problem: AssentError | None = None,
) -> HTMLResponse:
    with here.database.read() as session:
        return here.show(
            session,
            "incident_new.html",
            "incidents",
            status=problem.status if problem else 200,
            parts=parts,
            typed={"title": "", "severity": "high", "commander": here.viewer.id, "began": "", **(typed or {})},
            severities=list(Severity),
            leaders=leaders(session),
            problem=problem,
        )

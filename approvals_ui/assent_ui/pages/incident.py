"""One incident: what is it, is it stopped, is it undone, who knows?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from sqlalchemy.orm import Session

from assent.domain.errors import AssentError, InvalidInput, NotFound
from assent.domain.incident_story import event_text, event_title
from assent.domain.incident_words import status_text
from assent.domain.incidents import IncidentState, PartKind, Severity, following
from assent.domain.pauses import Scope, ScopeKind
from assent.domain.scopes import read_scope
from assent.gateway.incident_facts import known_of
from assent.store.queries import follow_ups, incident_times, incidents, runs
from assent.store.queries.affected import of_incident
from assent.store.queries.paging import PageRequest
from assent.store.queries.runs import RunView
from assent_ui.incident_rights import may_write, require_reader, require_writer
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.incidents import leaders, read_severity
from assent_ui.pages.times import moment
from assent_ui.rendering import exports
from assent_ui.rendering.incident_picture import draw

router = APIRouter()

Text = Annotated[str, Form()]

EVENTS = 60
"""Events of the timeline on one page."""

PARTS = 20
"""Runs, and records, on one page."""

_WAYS = {
    IncidentState.OPEN: "Open it again",
    IncidentState.STOPPED: "It is stopped",
    IncidentState.UNDONE: "It is undone",
    IncidentState.MENDED: "It is mended",
    IncidentState.CLOSED: "Close it",
}


@router.get("/incidents/{incident_id}", response_class=HTMLResponse)
def show(
    here: Here, incident_id: str, cursor: str | None = None, runs: str | None = None, records: str | None = None
) -> HTMLResponse:
    """An incident with everything that belongs to it."""
    require_reader(here.viewer)
    return _page(here, incident_id, cursor=cursor, runs_cursor=runs, records_cursor=records)


@router.post("/incidents/{incident_id}/change")
async def change(
    here: Here,
    incident_id: str,
    title: Text = "",
    severity: Text = "",
    commander: Text = "",
    began: Text = "",
    noticed: Text = "",
) -> Response:
    """Change title, severity, commander and times."""

    async def work() -> None:
        await here.gateway.change_incident(
            incident_id,
            by=here.viewer.actor,
            title=title,
            severity=read_severity(severity) if severity else None,
            commander_id=commander,
            began_at=moment(began, "began"),
            noticed_at=moment(noticed, "noticed"),
        )

    return await _done(here, incident_id, work, title=title)


@router.post("/incidents/{incident_id}/state")
async def move(here: Here, incident_id: str, state: Text = "", why: Text = "") -> Response:
    """Take it on."""

    async def work() -> None:
        if state not in list(IncidentState):
            raise InvalidInput(f"There is no state {state!r}.", where="state")
        await here.gateway.move_incident(incident_id, IncidentState(state), by=here.viewer.actor, why=typed(why))

    return await _done(here, incident_id, work, why=why)


@router.post("/incidents/{incident_id}/notes")
async def note(here: Here, incident_id: str, text: Text = "") -> Response:
    """Write something down."""

    async def work() -> None:
        await here.gateway.note_incident(incident_id, text, by=here.viewer.actor)

    return await _done(here, incident_id, work, "#timeline-title", note=text)


@router.post("/incidents/{incident_id}/parts")
async def group(here: Here, incident_id: str, kind: Text = "", refs: Text = "") -> Response:
    """Let something belong to it, a name a line."""

    async def work() -> None:
        await here.gateway.group(incident_id, read_kind(kind), refs.split("\n"), by=here.viewer.actor)

    return await _done(here, incident_id, work, "#parts-title", refs=refs)


@router.post("/incidents/{incident_id}/parts/remove")
async def ungroup(here: Here, incident_id: str, kind: Text = "", ref: Text = "") -> Response:
    """Let something no longer belong to it."""

    async def work() -> None:
        await here.gateway.ungroup(incident_id, read_kind(kind), ref, by=here.viewer.actor)

    return await _done(here, incident_id, work, "#parts-title")


@router.post("/incidents/{incident_id}/told")
async def tell(here: Here, incident_id: str, text: Text = "", channel: Text = "", drafted: Text = "") -> Response:
    """Send a text, and keep it."""

    async def work() -> None:
        await here.gateway.tell(incident_id, typed(text), channel=channel, drafted=typed(drafted), by=here.viewer.actor)

    return await _done(here, incident_id, work, "#told-title", told=text)


@router.post("/incidents/{incident_id}/pause")
async def pause(here: Here, incident_id: str, scope: Text = "", name: Text = "") -> Response:
    """Pause something because of it."""

    async def work() -> None:
        await here.gateway.pause_for_incident(incident_id, read_scope(scope, name.strip()), by=here.viewer.actor)

    return await _done(here, incident_id, work, "#stop-title", scope=name)


@router.get("/incidents/{incident_id}/affected.csv")
def export_csv(here: Here, incident_id: str) -> StreamingResponse:
    """Every affected record, one effect a line."""
    rows = of_incident(here.database, incident_id, _required(here, incident_id))
    return _file(exports.as_csv(rows), "text/csv; charset=utf-8", f"{incident_id}.csv")


@router.get("/incidents/{incident_id}/affected.json")
def export_json(here: Here, incident_id: str) -> StreamingResponse:
    """Every affected record as a JSON list."""
    rows = of_incident(here.database, incident_id, _required(here, incident_id))
    return _file(exports.as_json(rows), "application/json", f"{incident_id}.json")


def read_kind(text: str) -> PartKind:
    """A kind of part as a form sends it.

    Raises:
        InvalidInput: There is no such kind.
    """
    if text not in list(PartKind):
        raise InvalidInput(f"There is no kind {text!r}.", where="kind", todo="Pause, run, record or rollback.")
    return PartKind(text)


def _required(here: Place, incident_id: str) -> Any:
    """Since when an incident's records are looked at."""
    require_reader(here.viewer)
    with here.database.read() as session:
        return incidents.one(session, incident_id).began_at


def _file(lines: Any, media_type: str, name: str) -> StreamingResponse:
    # A file is read by other programs than a browser: nothing in it is taken for a page.
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(lines, media_type=media_type, headers=headers)


async def _done(
    here: Place, incident_id: str, work: Callable[[], Awaitable[None]], place: str = "", **typed_words: str
) -> Response:
    """Do something and lead back to the page; what was refused is said there, with what was typed still in its form."""
    require_writer(here.viewer)
    try:
        await work()
    except NotFound as error:
        if error.where == "incident":
            raise
        return await here.in_thread(_refused(here, incident_id, error, typed_words))
    except AssentError as error:
        return await here.in_thread(_refused(here, incident_id, error, typed_words))
    return RedirectResponse(f"/incidents/{quote(incident_id, safe='')}{place}", status_code=303)


def _refused(here: Place, incident_id: str, error: AssentError, words: dict[str, str]) -> Callable[[], HTMLResponse]:
    return lambda: _page(here, incident_id, problem=error, words=words)


def _page(
    here: Place,
    incident_id: str,
    *,
    cursor: str | None = None,
    runs_cursor: str | None = None,
    records_cursor: str | None = None,
    problem: AssentError | None = None,
    words: dict[str, str] | None = None,
) -> HTMLResponse:
    now = here.clock()
    with here.database.read() as session:
        known = known_of(session, incident_id)
        found, facts, controls = known.incident, known.facts, known.controls
        events = incident_times.timeline(session, found, request=PageRequest(EVENTS, cursor), controls=controls.ids)
        affected = incidents.parts(session, incident_id, PartKind.RUN, request=PageRequest(PARTS, runs_cursor))
        return here.show(
            session,
            "incident.html",
            "incidents",
            status=problem.status if problem else 200,
            incident=found,
            facts=facts,
            picture=draw(found, done=known.done, pauses=controls.pauses, rollbacks=controls.rollbacks, now=now),
            paused=controls.pauses,
            undoing=controls.rollbacks,
            events=events,
            event_title=event_title,
            event_text=event_text,
            affected_runs=affected,
            runs=_runs(session, [part.ref for part in affected.items]),
            affected_records=incidents.parts(
                session, incident_id, PartKind.RECORD, request=PageRequest(PARTS, records_cursor)
            ),
            tellings=incidents.tellings(session, incident_id, request=PageRequest(20)),
            follow_ups=follow_ups.of_incident(session, incident_id, request=PageRequest(20)),
            draft=status_text(facts, now),
            channels=here.gateway.channels,
            ways=[(state.value, word) for state, word in _WAYS.items() if state in following(found.state)],
            severities=list(Severity),
            leaders=leaders(session),
            words=words or {},
            problem=problem,
            today=now.date(),
            may_write=may_write(here.viewer),
            all_undone=bool(facts.effects) and not facts.left,
            stop_scopes=[Scope(kind=ScopeKind.AGENT, name=each) for each in facts.agents[:3]],
        )


def _runs(session: Session, ids: list[str]) -> dict[str, RunView]:
    found = {}
    for run_id in ids:
        try:
            found[run_id] = runs.one(session, run_id)
        except NotFound:
            continue
    return found

"""Incidents: opened, filled, moved on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime
from sqlalchemy.orm import Session

from assent.domain.incident_story import event_text, event_title
from assent.domain.incident_words import status_text
from assent.domain.incidents import PartKind
from assent.domain.pauses import Scope
from assent.gateway import NewIncident
from assent.gateway.incident_facts import known_of
from assent.store.queries import affected, incident_times, incidents
from assent.store.queries.affected import Sought, SoughtBy
from assent.store.queries.events import EventView
from assent.store.queries.paging import Page, PageRequest
from assent_ui.api import incident_schemas as schemas
from assent_ui.api import schemas as common
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import api_person
from assent_ui.auth import Viewer
from assent_ui.deps import Deps, DepsHere
from assent_ui.incident_rights import require_reader, require_writer
from assent_ui.rendering import exports

router = APIRouter(tags=["incidents"])

IncidentId = Annotated[str, Path(max_length=80)]
OnePage = Annotated[PageRequest, Depends(page_request)]


async def reader(viewer: Annotated[Viewer, Depends(api_person)]) -> Viewer:
    """The signed-in person, who may read incidents."""
    require_reader(viewer)
    return viewer


async def writer(viewer: Annotated[Viewer, Depends(api_person)]) -> Viewer:
    """The signed-in person, who may write in incidents."""
    require_writer(viewer)
    return viewer


Reader = Depends(reader)
Writer = Annotated[Viewer, Depends(writer)]


@router.post("/incidents", status_code=201, responses=problems(404))
async def open_incident(
    body: schemas.IncidentIn, viewer: Writer, deps: DepsHere, response: Response
) -> schemas.IncidentOut:
    """Open an incident with what is known; opening it stops nothing by itself."""
    wanted = NewIncident(
        title=body.title,
        severity=body.severity,
        commander_id=body.commander,
        began_at=body.began_at,
        pause_ids=body.pauses,
        run_ids=body.runs,
        records=body.records,
        rollback_ids=body.rollbacks,
    )
    incident_id = await deps.gateway.open_incident(wanted, by=viewer.actor)
    response.headers["Location"] = f"/api/v1/incidents/{incident_id}"
    return await _one(deps, incident_id)


@router.get("/incidents", responses=problems(), dependencies=[Reader])
async def list_incidents(deps: DepsHere, page: OnePage, open: bool | None = None) -> common.Page[schemas.IncidentOut]:
    """Incidents, newest first; with `open`, only open or only closed ones."""
    found = await deps.read(lambda session: incidents.page(session, only_open=open, request=page))
    return page_of(found, schemas.IncidentOut.model_validate)


@router.get("/incidents/{incident_id}", responses=problems(404), dependencies=[Reader])
async def show_incident(incident_id: IncidentId, deps: DepsHere) -> schemas.IncidentInFull:
    """One incident with its facts, its pauses and rollbacks, and a drafted text."""

    def look(session: Session) -> schemas.IncidentInFull:
        known = known_of(session, incident_id)
        return schemas.IncidentInFull(
            **schemas.IncidentOut.model_validate(known.incident).model_dump(),
            facts=known.facts,
            draft=status_text(known.facts, deps.clock()),
            pauses=known.controls.pause_ids,
            rollbacks=known.controls.rollback_ids,
        )

    return await deps.read(look)


@router.patch("/incidents/{incident_id}", responses=problems(404, 409))
async def change_incident(
    incident_id: IncidentId, body: schemas.IncidentChangeIn, viewer: Writer, deps: DepsHere
) -> schemas.IncidentOut:
    """Change title, severity, commander or times."""
    await deps.gateway.change_incident(
        incident_id,
        by=viewer.actor,
        title=body.title,
        severity=body.severity,
        commander_id=body.commander,
        began_at=body.began_at,
        noticed_at=body.noticed_at,
    )
    return await _one(deps, incident_id)


@router.post("/incidents/{incident_id}/state", responses=problems(404, 409))
async def move_incident(
    incident_id: IncidentId, body: schemas.IncidentMoveIn, viewer: Writer, deps: DepsHere
) -> schemas.IncidentOut:
    """Take an incident on; closing it needs its post-mortem."""
    await deps.gateway.move_incident(incident_id, body.state, by=viewer.actor, why=body.why)
    return await _one(deps, incident_id)


@router.get("/incidents/{incident_id}/parts", responses=problems(404), dependencies=[Reader])
async def list_parts(
    incident_id: IncidentId, kind: PartKind, deps: DepsHere, page: OnePage
) -> common.Page[schemas.PartOut]:
    """What belongs to an incident, of one kind, by name."""

    def look(session: Session) -> Page[schemas.PartOut]:
        incidents.one(session, incident_id)
        found = incidents.parts(session, incident_id, kind, request=page)
        return Page(tuple(map(schemas.PartOut.model_validate, found.items)), found.next_cursor)

    return page_of(await deps.read(look), schemas.PartOut.model_validate)


@router.post("/incidents/{incident_id}/parts", responses=problems(404, 409))
async def add_parts(
    incident_id: IncidentId, body: schemas.PartsIn, viewer: Writer, deps: DepsHere
) -> schemas.PartsAdded:
    """Let things belong to an incident; naming one twice changes nothing."""
    return schemas.PartsAdded(added=await deps.gateway.group(incident_id, body.kind, body.refs, by=viewer.actor))


@router.delete("/incidents/{incident_id}/parts", status_code=204, responses=problems(404, 409))
async def remove_part(
    incident_id: IncidentId,
    kind: PartKind,
    ref: Annotated[str, Query(max_length=200)],
    viewer: Writer,
    deps: DepsHere,
) -> None:
    """Let something no longer belong to an incident."""
    await deps.gateway.ungroup(incident_id, kind, ref, by=viewer.actor)


@router.post("/incidents/{incident_id}/found", responses=problems(404, 409))
async def add_found(
    incident_id: IncidentId, body: schemas.FoundIn, viewer: Writer, deps: DepsHere
) -> schemas.PartsAdded:
    """Let all records, or all runs, that a search finds belong to an incident."""
    sought = Sought(body.by, body.name, body.since, body.agent)
    added = await deps.gateway.group_found(incident_id, sought, body.kind, by=viewer.actor)
    return schemas.PartsAdded(added=added)


@router.get("/affected", responses=problems(), dependencies=[Reader])
async def find_affected(
    deps: DepsHere,
    page: OnePage,
    by: SoughtBy,
    name: Annotated[str, Query(min_length=1, max_length=200)],
    since: AwareDatetime | None = None,
    agent: Annotated[str, Query(max_length=200)] = "",
) -> common.Page[schemas.AffectedOut]:
    """What agents did to the records of a table, to one record, or for a customer, across all agents."""
    sought = Sought(by, name, since, agent)
    found = await deps.read(lambda session: affected.find(session, sought, request=page))
    return page_of(found, schemas.AffectedOut.model_validate)


@router.get(
    "/incidents/{incident_id}/affected",
    response_class=StreamingResponse,
    responses=problems(404),
    dependencies=[Reader],
)
async def export_affected(incident_id: IncidentId, deps: DepsHere, csv: bool = False) -> StreamingResponse:
    """Every effect on an incident's runs and records, all rows, as a JSON list, or with `csv` as CSV."""
    since = (await deps.read(lambda session: incidents.one(session, incident_id))).began_at
    rows = affected.of_incident(deps.database, incident_id, since)
    if csv:
        return StreamingResponse(exports.as_csv(rows), media_type="text/csv; charset=utf-8")
    return StreamingResponse(exports.as_json(rows), media_type="application/json")


@router.get("/incidents/{incident_id}/timeline", responses=problems(404), dependencies=[Reader])
async def show_timeline(incident_id: IncidentId, deps: DepsHere, page: OnePage) -> common.Page[schemas.TimelineEntry]:
    """Ledger events of an incident, its pauses and rollbacks, oldest first."""

    def look(session: Session) -> Page[EventView]:
        found = incidents.one(session, incident_id)
        controls = incident_times.controls_of(session, found).ids
        return incident_times.timeline(session, found, request=page, controls=controls)

    return page_of(await deps.read(look), _entry)


@router.post("/incidents/{incident_id}/notes", status_code=201, responses=problems(404))
async def write_note(
    incident_id: IncidentId, body: schemas.IncidentNoteIn, viewer: Writer, deps: DepsHere
) -> schemas.Noted:
    """Write something down on the timeline."""
    return schemas.Noted(id=await deps.gateway.note_incident(incident_id, body.text, by=viewer.actor))


@router.get("/incidents/{incident_id}/told", responses=problems(404), dependencies=[Reader])
async def list_told(incident_id: IncidentId, deps: DepsHere, page: OnePage) -> common.Page[schemas.TellingOut]:
    """Every text that was sent about an incident, newest first."""

    def look(session: Session) -> Page[incidents.TellingView]:
        incidents.one(session, incident_id)
        return incidents.tellings(session, incident_id, request=page)

    return page_of(await deps.read(look), schemas.TellingOut.model_validate)


@router.post("/incidents/{incident_id}/told", status_code=202, responses=problems(404))
async def tell(incident_id: IncidentId, body: schemas.TellingIn, viewer: Writer, deps: DepsHere) -> schemas.TellingOut:
    """Send a text about an incident, and keep it."""
    drafted = await deps.gateway.draft_status(incident_id)
    telling_id = await deps.gateway.tell(incident_id, body.text, channel=body.channel, drafted=drafted, by=viewer.actor)
    return schemas.TellingOut.model_validate(await deps.read(lambda session: incidents.telling(session, telling_id)))


@router.post("/incidents/{incident_id}/pause", status_code=201, responses=problems(404, 409))
async def pause_for_incident(
    incident_id: IncidentId, body: schemas.IncidentPauseIn, viewer: Writer, deps: DepsHere
) -> schemas.IncidentPaused:
    """Pause something because of an incident; the pause belongs to it, and it is stopped from the fence on."""
    scope = Scope(kind=body.kind, name=body.name)
    pause = deps.gateway.pause_for_incident(incident_id, scope, by=viewer.actor, disposition=body.disposition)
    return schemas.IncidentPaused(pause=await pause)


async def _one(deps: Deps, incident_id: str) -> schemas.IncidentOut:
    return schemas.IncidentOut.model_validate(await deps.read(lambda session: incidents.one(session, incident_id)))


def _entry(event: EventView) -> schemas.TimelineEntry:
    return schemas.TimelineEntry(
        event=event.id,
        at=event.at,
        kind=event.kind,
        by=event.actor,
        title=event_title(event.kind, event.body),
        text=event_text(event.kind, event.body),
    )

"""Post-mortems of incidents, and what was agreed in them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from assent.domain.errors import InvalidInput
from assent.domain.incident_words import TITLES, section_facts
from assent.domain.incidents import NEEDED, FollowUpState, Section
from assent.gateway.incident_facts import known_of
from assent.store.queries import follow_ups, incidents
from assent.store.queries.follow_ups import FollowUpView
from assent_ui.api import incident_schemas as schemas
from assent_ui.api import schemas as common
from assent_ui.api.answers import page_of, problems
from assent_ui.api.incidents import IncidentId, OnePage, Reader, Writer
from assent_ui.deps import DepsHere

router = APIRouter(tags=["incidents"])

FollowUpId = Annotated[str, Path(max_length=80)]


@router.get("/incidents/{incident_id}/report", responses=problems(404), dependencies=[Reader])
async def show_report(incident_id: IncidentId, deps: DepsHere) -> schemas.ReportOut:
    """The post-mortem: what the ledger knows, and every version of what people wrote."""

    def look(session: Session) -> schemas.ReportOut:
        known, now = known_of(session, incident_id), deps.clock()
        written = incidents.sections(session, incident_id)
        sections = [
            schemas.SectionOut(
                section=each,
                title=TITLES[each],
                needed=each in NEEDED,
                facts=section_facts(each, known.facts, now),
                versions=[schemas.SectionVersion.model_validate(version) for version in written.get(each, ())],
            )
            for each in Section
        ]
        found = schemas.IncidentOut.model_validate(known.incident)
        return schemas.ReportOut(incident=found, sections=sections)

    return await deps.read(look)


@router.put("/incidents/{incident_id}/report/{section}", responses=problems(404, 409))
async def write_section(
    incident_id: IncidentId, section: Section, body: schemas.SectionIn, viewer: Writer, deps: DepsHere
) -> schemas.SectionKept:
    """Write a section of the post-mortem; earlier versions stay, and whoever wrote meanwhile is not overwritten."""
    version = await deps.gateway.write_section(incident_id, section, body.text, after=body.after, by=viewer.actor)
    return schemas.SectionKept(version=version)


@router.get("/incidents/{incident_id}/actions", responses=problems(404), dependencies=[Reader])
async def list_actions_of_incident(
    incident_id: IncidentId, deps: DepsHere, page: OnePage
) -> common.Page[schemas.FollowUpOut]:
    """What was agreed after an incident, soonest due first."""
    found = await deps.read(lambda session: follow_ups.of_incident(session, incident_id, request=page))
    today = deps.clock().date()
    return page_of(found, lambda each: _out(each, today))


@router.post("/incidents/{incident_id}/actions", status_code=201, responses=problems(404))
async def agree(incident_id: IncidentId, body: schemas.FollowUpIn, viewer: Writer, deps: DepsHere) -> schemas.Noted:
    """Agree on what shall be done, with an owner and a day."""
    by = viewer.actor
    return schemas.Noted(id=await deps.gateway.agree(incident_id, body.text, owner_id=body.owner, due=body.due, by=by))


@router.get("/incident-actions", responses=problems(), dependencies=[Reader])
async def list_actions(
    deps: DepsHere, page: OnePage, state: FollowUpState = FollowUpState.OPEN
) -> common.Page[schemas.FollowUpOut]:
    """What was agreed after all incidents, soonest due first; those that are overdue say so."""
    found = await deps.read(lambda session: follow_ups.in_state(session, state, request=page))
    today = deps.clock().date()
    return page_of(found, lambda each: _out(each, today))


@router.patch("/incident-actions/{action_id}", status_code=204, responses=problems(404, 409))
async def change_action(action_id: FollowUpId, body: schemas.FollowUpChangeIn, viewer: Writer, deps: DepsHere) -> None:
    """Say what became of an action, or give it another owner or day."""
    if (body.state is None) == (body.owner is None and body.due is None):
        raise InvalidInput(
            "Say what became of it, or whose it is now.", where="state", todo="Send `state`, or `owner` and `due`."
        )
    if body.state is not None:
        await deps.gateway.settle_follow_up(action_id, body.state, note=body.note, by=viewer.actor)
    else:
        await deps.gateway.hand_over_follow_up(action_id, owner_id=body.owner, due=body.due, by=viewer.actor)


def _out(view: FollowUpView, today: date) -> schemas.FollowUpOut:
    fields = {name: getattr(view, name) for name in schemas.FollowUpOut.model_fields if name != "overdue"}
    return schemas.FollowUpOut(**fields, overdue=view.overdue(today))

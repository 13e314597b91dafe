"""Who is away, and who decides in their place."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from sqlalchemy.orm import Session

from assent.domain.errors import NotFound
from assent.domain.people import Role
from assent.store import absences, people
from assent.store.absences import Absence
from assent.store.people import Person
from assent.store.queries.paging import PageRequest
from assent_ui.api import voting_schemas as schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import api_person
from assent_ui.api.schemas import Page
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere

router = APIRouter(tags=["absences"])

Somebody = Annotated[Viewer, Depends(api_person)]


@router.get("/absences", responses=problems())
async def list_absences(
    viewer: Somebody, deps: DepsHere, page: Annotated[PageRequest, Depends(page_request)]
) -> Page[schemas.AbsenceOut]:
    """Who is away, or will be, soonest back first."""
    now = deps.clock()
    found = await deps.read(lambda session: absences.page(session, now, request=page))
    return page_of(found, schemas.AbsenceOut.model_validate)


@router.post("/absences", status_code=201, responses=problems(404, 409))
async def add_absence(body: schemas.AbsenceIn, viewer: Somebody, deps: DepsHere) -> schemas.AbsenceOut:
    """Enter that you are away; until you are back, your delegate decides in your place.

    Administrators enter it for others, with a fresh proof.
    """
    now = deps.clock()

    def write(session: Session) -> Absence:
        person = _named(session, body.person or viewer.id, "person")
        absences.require_own(_named(session, viewer.id, "person"), person.id)
        if person.id != viewer.id:
            viewer.require_fresh("say who decides in somebody else's place")
        delegate = None if body.delegate is None else _named(session, body.delegate, "delegate")
        return absences.add(
            session,
            person.id,
            starts_at=body.starts_at or now,
            ends_at=body.ends_at,
            delegate_id=delegate.id if delegate else None,
            note=body.note,
            at=now,
            by=viewer.actor,
        )

    return schemas.AbsenceOut.model_validate(await deps.write(write))


@router.delete("/absences/{absence_id}", responses=problems(404))
async def end_absence(
    absence_id: Annotated[str, Path(max_length=80)], viewer: Somebody, deps: DepsHere
) -> schemas.AbsenceOut:
    """Be back: the absence ends now, or is taken back if it has not begun."""
    now = deps.clock()

    def write(session: Session) -> Absence:
        person = _named(session, viewer.id, "person")
        own = None if person.may(Role.ADMIN) else person.id
        return absences.end(session, absence_id, at=now, by=viewer.actor, of_person=own)

    return schemas.AbsenceOut.model_validate(await deps.write(write))


def _named(session: Session, who: str, where: str) -> Person:
    found = people.one(session, who) or people.by_email(session, who)
    if found is None:
        raise NotFound(f"There is no person {who!r}.", where=where, todo="Give their id or address.")
    return found

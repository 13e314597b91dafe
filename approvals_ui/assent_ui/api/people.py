"""People and groups. Everybody who is signed in may look, an admin changes them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy.orm import Session

from assent.domain.errors import NotFound
from assent.domain.people import Role
from assent.store import credentials, groups, people, sessions
from assent.store.people import Person
from assent.store.queries.paging import PageRequest
from assent_ui.api import identity_schemas as schemas
from assent_ui.api import schemas as common
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import api_person, person_with
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere

router = APIRouter(tags=["people"])

PageWanted = Annotated[PageRequest, Depends(page_request)]
Admin = Annotated[Viewer, Depends(person_with(Role.ADMIN, "manage people"))]
Anybody = Depends(api_person)


@router.get("/people", responses=problems(), dependencies=[Anybody])
async def list_people(deps: DepsHere, page: PageWanted) -> common.Page[schemas.PersonOut]:
    """Everybody."""
    found = await deps.read(lambda session: people.page(session, request=page))
    return page_of(found, schemas.PersonOut.model_validate)


@router.post("/people", status_code=201, responses=problems(409))
async def add_person(body: schemas.PersonIn, viewer: Admin, deps: DepsHere, response: Response) -> schemas.PersonInFull:
    """Add somebody. Needs the role admin and a fresh proof; one mailbox is one person."""
    viewer.require_fresh("add people")
    at = deps.clock()
    made = await deps.write(
        lambda session: people.add(session, email=body.email, name=body.name, roles=body.roles, at=at, by=viewer.actor)
    )
    response.headers["Location"] = f"/api/v1/people/{made.id}"
    return await deps.read(lambda session: _in_full(session, made))


@router.get("/people/{person_id}", responses=problems(404), dependencies=[Anybody])
async def show_person(person_id: str, deps: DepsHere) -> schemas.PersonInFull:
    """One person, with their groups."""
    return await deps.read(lambda session: _in_full(session, _found(session, person_id)))


@router.patch("/people/{person_id}", responses=problems(404, 409))
async def change_person(
    person_id: str, body: schemas.PersonChange, viewer: Admin, deps: DepsHere
) -> schemas.PersonInFull:
    """Change a person's name or roles, or switch them off. Needs the role admin and a fresh proof.

    It holds at once: who is switched off is signed out everywhere.
    """
    viewer.require_fresh("change people")
    at = deps.clock()

    def change(session: Session) -> schemas.PersonInFull:
        changed = people.change(
            session,
            person_id,
            name=body.name,
            roles=body.roles,
            disabled=body.disabled,
            at=at,
            by=viewer.actor,
        )
        return _in_full(session, changed)

    return await deps.write(change)


@router.delete("/people/{person_id}/sessions", status_code=204, responses=problems(404))
async def end_sessions(person_id: str, viewer: Admin, deps: DepsHere) -> None:
    """End every session of a person, at once. Needs the role admin."""
    at = deps.clock()
    await deps.write(lambda session: sessions.end_all(session, _found(session, person_id).id, at=at, by=viewer.actor))


@router.post("/people/{person_id}/reset", status_code=204, responses=problems(404))
async def reset_person(person_id: str, viewer: Admin, deps: DepsHere) -> None:
    """Take a person's password, passkeys, connected accounts and sessions away.

    Needs the role admin and a fresh proof. A one-time link lets them begin again.
    """
    viewer.require_fresh("reset how people sign in")
    at = deps.clock()
    await deps.write(lambda session: credentials.reset(session, _found(session, person_id), at=at, by=viewer.actor))


@router.get("/groups", responses=problems(), dependencies=[Anybody])
async def list_groups(deps: DepsHere, page: PageWanted) -> common.Page[schemas.GroupOut]:
    """Groups by name."""
    return page_of(await deps.read(lambda session: groups.page(session, request=page)), schemas.GroupOut.model_validate)


@router.post("/groups", status_code=201, responses=problems(409))
async def create_group(body: schemas.GroupIn, viewer: Admin, deps: DepsHere, response: Response) -> schemas.GroupInFull:
    """Make a group. Needs the role admin and a fresh proof."""
    viewer.require_fresh("change groups")
    at = deps.clock()
    await deps.write(lambda session: groups.create(session, body.name, title=body.title, at=at, by=viewer.actor))
    response.headers["Location"] = f"/api/v1/groups/{body.name}"
    return await deps.read(lambda session: _group(session, body.name))


@router.get("/groups/{name}", responses=problems(404), dependencies=[Anybody])
async def show_group(name: str, deps: DepsHere) -> schemas.GroupInFull:
    """One group, with everybody in it."""
    return await deps.read(lambda session: _group(session, name))


@router.delete("/groups/{name}", status_code=204, responses=problems(404))
async def delete_group(name: str, viewer: Admin, deps: DepsHere) -> None:
    """Delete a group; cards that ask it then ask nobody. Needs the role admin and a fresh proof."""
    viewer.require_fresh("change groups")
    at = deps.clock()
    await deps.write(lambda session: groups.delete_group(session, name, at=at, by=viewer.actor))


@router.put("/groups/{name}/members/{person_id}", status_code=204, responses=problems(404))
async def join_group(name: str, person_id: str, viewer: Admin, deps: DepsHere) -> None:
    """Put a person into a group. Needs the role admin and a fresh proof."""
    viewer.require_fresh("change groups")
    at = deps.clock()
    await deps.write(lambda session: groups.add(session, name, person_id, at=at, by=viewer.actor))


@router.delete("/groups/{name}/members/{person_id}", status_code=204, responses=problems(404))
async def leave_group(name: str, person_id: str, viewer: Admin, deps: DepsHere) -> None:
    """Take a person out of a group. Needs the role admin and a fresh proof."""
    viewer.require_fresh("change groups")
    at = deps.clock()
    await deps.write(lambda session: groups.remove(session, name, person_id, at=at, by=viewer.actor))


def _found(session: Session, person_id: str) -> Person:
    person = people.one(session, person_id)
    if person is None:
        raise NotFound(f"There is no person {person_id!r}.", where="person_id", todo="/api/v1/people lists all.")
    return person


def _in_full(session: Session, person: Person) -> schemas.PersonInFull:
    shown = schemas.PersonOut.model_validate(person).model_dump()
    return schemas.PersonInFull(**shown, groups=sorted(groups.groups_of(session, person.id)))


def _group(session: Session, name: str) -> schemas.GroupInFull:
    shown = schemas.GroupOut.model_validate(groups.one(session, name)).model_dump()
    members = [schemas.PersonOut.model_validate(person) for person in groups.members(session, name)]
    return schemas.GroupInFull(**shown, members=members)

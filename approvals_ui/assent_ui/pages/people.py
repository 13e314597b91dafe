"""People: who may do what? An admin changes it, everybody may see it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from assent.domain.people import Role
from assent.store import credentials, groups, identities, passkeys, passwords, people, sessions
from assent.store.people import Person
from assent.store.queries.paging import PageRequest
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere
from assent_ui.pages.context import Here, Place
from assent_ui.rendering.devices import device_in_words

router = APIRouter()

ROLES = (
    (Role.APPROVER, "decides requests that ask an approver"),
    (Role.OPERATOR, "stops, resumes, undoes, starts and ends runs"),
    (Role.OWNER, "publishes cards, makes keys of agents, gives standing grants"),
    (Role.AUDITOR, "reads the whole ledger and checks its chain"),
    (Role.ADMIN, "manages people and groups, and has every other role"),
)

Text = Annotated[str, Form()]
RolesGiven = Annotated[list[Role] | None, Form()]
_DONE = {
    "added": "They are in. Make a one-time link to let them sign in.",
    "changed": "It is changed, and holds at once.",
    "off": "They are switched off, and signed out everywhere.",
    "on": "They may sign in again.",
    "ended": "Their sessions have ended.",
    "reset": "Their password, passkeys, accounts elsewhere and sessions are gone. A new link lets them in.",
}


@router.get("/people", response_class=HTMLResponse)
def list_people(here: Here, cursor: str | None = None) -> HTMLResponse:
    """Everybody."""
    return _list(here, cursor=cursor)


@router.post("/people")
def add(here: Here, deps: DepsHere, email: Text = "", name: Text = "", roles: RolesGiven = None) -> Response:
    """Add somebody."""
    _require_admin(here.viewer, "add people")
    try:
        with here.database.write() as session:
            made = people.add(session, email=email, name=name, roles=roles or (), at=deps.clock(), by=here.viewer.actor)
    except (InvalidInput, Conflict) as error:
        return _list(here, problem=error, typed={"email": email, "name": name, "roles": roles or []})
    return _to(made.id, "added")


@router.get("/people/{person_id}", response_class=HTMLResponse)
def show(here: Here, deps: DepsHere, person_id: str, done: str = "") -> HTMLResponse:
    """One person."""
    return _one(here, deps, person_id, done=done)


@router.post("/people/{person_id}")
def change(here: Here, deps: DepsHere, person_id: str, name: Text = "", roles: RolesGiven = None) -> Response:
    """Change a person's name and roles."""
    _require_admin(here.viewer, "change people")
    try:
        with here.database.write() as session:
            people.change(session, person_id, name=name, roles=roles or (), at=deps.clock(), by=here.viewer.actor)
    except (InvalidInput, Conflict) as error:
        return _one(here, deps, person_id, problem=error)
    return _to(person_id, "changed")


@router.post("/people/{person_id}/access")
def switch(here: Here, deps: DepsHere, person_id: str, disabled: Text = "") -> Response:
    """Switch a person off or on."""
    _require_admin(here.viewer, "switch people off or on")
    off = disabled == "yes"
    try:
        with here.database.write() as session:
            people.change(session, person_id, disabled=off, at=deps.clock(), by=here.viewer.actor)
    except Conflict as error:
        return _one(here, deps, person_id, problem=error)
    return _to(person_id, "off" if off else "on")


@router.post("/people/{person_id}/groups")
def join(here: Here, deps: DepsHere, person_id: str, group: Text = "", leave: Text = "") -> Response:
    """Put a person into a group, or take them out of one."""
    _require_admin(here.viewer, "change groups")
    at, by = deps.clock(), here.viewer.actor
    with here.database.write() as session:
        if leave:
            groups.remove(session, leave, person_id, at=at, by=by)
        else:
            groups.add(session, group, person_id, at=at, by=by)
    return _to(person_id, "changed")


@router.post("/people/{person_id}/link", response_class=HTMLResponse)
def make_link(here: Here, deps: DepsHere, person_id: str) -> HTMLResponse:
    """Make a one-time link; it is shown this once."""
    _require_admin(here.viewer, "make sign-in links")
    with here.database.write() as session:
        person = _found(session, person_id)
        if person.disabled:
            raise Forbidden(f"{person.name} may not sign in.", where="person", todo="Switch them on first.")
        token = deps.sign_in.make_link(session, person, at=deps.clock(), by=here.viewer.actor)
    return _one(here, deps, person_id, link=f"{deps.public_url}/sign-in?token={quote(token)}")


@router.post("/people/{person_id}/sessions/end")
def end_sessions(here: Here, deps: DepsHere, person_id: str) -> Response:
    """End every session of a person."""
    here.viewer.require(Role.ADMIN, "end other people's sessions")
    with here.database.write() as session:
        sessions.end_all(session, _found(session, person_id).id, at=deps.clock(), by=here.viewer.actor)
    return _to(person_id, "ended")


@router.post("/people/{person_id}/reset")
def reset(here: Here, deps: DepsHere, person_id: str) -> Response:
    """Take everything away that a person could prove themselves with."""
    _require_admin(here.viewer, "reset how people sign in")
    with here.database.write() as session:
        credentials.reset(session, _found(session, person_id), at=deps.clock(), by=here.viewer.actor)
    return _to(person_id, "reset")


def _require_admin(viewer: Viewer, to: str) -> None:
    viewer.require(Role.ADMIN, to)
    viewer.require_fresh(to)


def _found(session: Session, person_id: str) -> Person:
    person = people.one(session, person_id)
    if person is None:
        raise NotFound("There is no such person.", where="person", todo="The page People lists all.")
    return person


def _to(person_id: str, done: str) -> RedirectResponse:
    return RedirectResponse(f"/people/{quote(person_id, safe='')}?done={done}", status_code=303)


def _list(
    here: Place,
    *,
    cursor: str | None = None,
    problem: InvalidInput | Conflict | None = None,
    typed: dict[str, object] | None = None,
) -> HTMLResponse:
    with here.database.read() as session:
        return here.show(
            session,
            "people.html",
            "people",
            status=problem.status if problem else 200,
            page=people.page(session, request=PageRequest(cursor=cursor)),
            roles=ROLES,
            problem=problem,
            typed=typed or {"email": "", "name": "", "roles": []},
            may_manage=here.viewer.may(Role.ADMIN),
        )


def _one(
    here: Place,
    deps: DepsHere,
    person_id: str,
    *,
    done: str = "",
    problem: InvalidInput | Conflict | None = None,
    link: str = "",
) -> HTMLResponse:
    manages = here.viewer.may(Role.ADMIN)
    with here.database.read() as session:
        person = _found(session, person_id)
        mine = sorted(groups.groups_of(session, person_id))
        every = [group.name for group in groups.page(session, request=PageRequest(200)).items]
        open_sessions = sessions.of_person(session, person_id, at=deps.clock()) if manages else ()
        return here.show(
            session,
            "person.html",
            "people",
            status=problem.status if problem else 200,
            person=person,
            groups=mine,
            other_groups=[name for name in every if name not in mine],
            sessions=[(each, device_in_words(each.user_agent)) for each in open_sessions],
            has_password=passwords.set_at(session, person_id) is not None,
            passkey_count=len(passkeys.of_person(session, person_id)),
            identities=identities.of_person(session, person_id),
            roles=ROLES,
            problem=problem,
            done=_DONE.get(done, ""),
            link=link,
            may_manage=manages,
        )

"""Groups: whom do cards ask?"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import AssentError, Conflict, InvalidInput, NotFound
from assent.domain.people import Role
from assent.store import groups, people
from assent.store.queries.paging import PageRequest
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere
from assent_ui.pages.context import Here, Place

router = APIRouter()

Text = Annotated[str, Form()]


@router.get("/groups", response_class=HTMLResponse)
def list_groups(here: Here, cursor: str | None = None) -> HTMLResponse:
    """Groups by name."""
    return _list(here, cursor=cursor)


@router.post("/groups")
def create(here: Here, deps: DepsHere, name: Text = "", title: Text = "") -> Response:
    """Make a group."""
    _require_admin(here.viewer)
    try:
        with here.database.write() as session:
            groups.create(session, name.strip(), title=title, at=deps.clock(), by=here.viewer.actor)
    except (InvalidInput, Conflict) as error:
        return _list(here, problem=error, name=name, title=title)
    return _to(name.strip())


@router.get("/groups/{name}", response_class=HTMLResponse)
def show(here: Here, name: str) -> HTMLResponse:
    """One group with its members."""
    return _one(here, name)


@router.post("/groups/{name}/members")
def change_members(here: Here, deps: DepsHere, name: str, email: Text = "", leave: Text = "") -> Response:
    """Put somebody into a group, or take somebody out."""
    _require_admin(here.viewer)
    at, by = deps.clock(), here.viewer.actor
    try:
        with here.database.write() as session:
            if leave:
                groups.remove(session, name, leave, at=at, by=by)
            else:
                groups.add(session, name, people.named(session, email).id, at=at, by=by)
    except NotFound as error:
        return _one(here, name, problem=error, email=email)
    return _to(name)


@router.post("/groups/{name}/delete")
def delete(here: Here, deps: DepsHere, name: str) -> Response:
    """Delete a group; cards that ask it then ask nobody."""
    _require_admin(here.viewer)
    with here.database.write() as session:
        groups.delete_group(session, name, at=deps.clock(), by=here.viewer.actor)
    return RedirectResponse("/groups", status_code=303)


def _require_admin(viewer: Viewer) -> None:
    viewer.require(Role.ADMIN, "change groups")
    viewer.require_fresh("change groups")


def _to(name: str) -> RedirectResponse:
    return RedirectResponse(f"/groups/{quote(name, safe='')}", status_code=303)


def _list(
    here: Place, *, cursor: str | None = None, problem: AssentError | None = None, name: str = "", title: str = ""
) -> HTMLResponse:
    with here.database.read() as session:
        return here.show(
            session,
            "groups.html",
            "people",
            status=problem.status if problem else 200,
            page=groups.page(session, request=PageRequest(cursor=cursor)),
            problem=problem,
            name=name,
            title=title,
            may_manage=here.viewer.may(Role.ADMIN),
        )


def _one(here: Place, name: str, *, problem: AssentError | None = None, email: str = "") -> HTMLResponse:
    with here.database.read() as session:
        return here.show(
            session,
            "group.html",
            "people",
            status=problem.status if problem else 200,
            group=groups.one(session, name),
            members=groups.members(session, name),
            problem=problem,
            email=email,
            may_manage=here.viewer.may(Role.ADMIN),
        )

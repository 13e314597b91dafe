"""Keys of an agent: who else may speak in its name? Owners make and end them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import InvalidInput, NotFound
from assent.domain.people import Role
from assent.store.keys import KEY_LIFETIME, KeyScope, NewKey, make_key, revoke_key
from assent.store.queries import agents
from assent_ui.deps import DepsHere
from assent_ui.pages.context import Here, Place

router = APIRouter()

MOST_DAYS = 3650

SCOPES = (
    (KeyScope.RUNS_READ, "read its own runs"),
    (KeyScope.RUNS_WRITE, "start runs and propose actions"),
)


@router.get("/agents/{name}/keys", response_class=HTMLResponse)
def show(here: Here, name: str) -> HTMLResponse:
    """An agent's keys."""
    return _page(here, name)


@router.post("/agents/{name}/keys", response_class=HTMLResponse)
def make(
    here: Here,
    deps: DepsHere,
    name: str,
    label: Annotated[str, Form()] = "",
    days: Annotated[str, Form()] = "",
    scopes: Annotated[list[KeyScope] | None, Form()] = None,
) -> HTMLResponse:
    """Make a key; it is shown this once."""
    here.viewer.require(Role.OWNER, "make keys of agents")
    here.viewer.require_fresh("make a key")
    try:
        with here.database.write() as session:
            made = make_key(
                session,
                agent=name,
                at=deps.clock(),
                by=here.viewer.actor,
                name=" ".join(label.split()),
                scopes=scopes or (),
                lifetime=_lifetime(days),
            )
    except InvalidInput as error:
        return _page(here, name, problem=error)
    return _page(here, name, made=made)


@router.post("/agents/{name}/keys/{key_id}/revoke")
def revoke(here: Here, deps: DepsHere, name: str, key_id: str) -> Response:
    """End a key now. It needs no fresh proof: ending one must never wait."""
    here.viewer.require(Role.OWNER, "end keys of agents")
    with here.database.write() as session:
        if key_id not in {key.id for key in agents.keys(session, name)}:
            raise NotFound(
                f"Agent {name!r} has no key {key_id!r}.", where="key", todo="Its keys are listed on its page."
            )
        revoke_key(session, key_id, at=deps.clock(), by=here.viewer.actor)
    return RedirectResponse(f"/agents/{quote(name, safe='')}/keys", status_code=303)


def _lifetime(days: str) -> timedelta | None:
    text = days.strip() or str(KEY_LIFETIME.days)
    if not text.isascii() or not text.isdecimal() or int(text[:6]) > MOST_DAYS:
        raise InvalidInput(f"A key works for 1 to {MOST_DAYS:,} days.", where="days", todo="0 is until it is revoked.")
    return timedelta(days=int(text)) if int(text) else None


def _page(here: Place, name: str, *, made: NewKey | None = None, problem: InvalidInput | None = None) -> HTMLResponse:
    with here.database.read() as session:
        return here.show(
            session,
            "keys.html",
            "agents",
            status=problem.status if problem else 200,
            agent=agents.one(session, name),
            keys=agents.keys(session, name),
            scopes=SCOPES,
            now=here.clock(),
            made=made,
            problem=problem,
            days=KEY_LIFETIME.days,
            may_own=here.viewer.may(Role.OWNER),
        )

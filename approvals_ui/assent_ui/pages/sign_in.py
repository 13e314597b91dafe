"""Signing in with a one-time link, and out again."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from urllib.parse import urlencode

import anyio.to_thread
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import NotSignedIn
from assent.domain.people import Via
from assent.store.sign_in import SESSION_LIFETIME
from assent_ui.auth import (
    Viewer,
    cookie_name,
    csrf_protect,
    drop_session,
    keep_session,
    maybe_person,
    refuse_other_sites,
)
from assent_ui.deps import Deps, DepsHere

router = APIRouter()


@router.get("/sign-in", response_class=HTMLResponse)
def ask(
    deps: DepsHere, viewer: Annotated[Viewer | None, Depends(maybe_person)], token: str = "", next: str = "/"
) -> Response:
    """The page behind a link. Looking at it uses nothing up, so that programs that fetch links do no harm."""
    if viewer is not None and not token:
        return RedirectResponse(own_path(next), status_code=303)
    if token:
        return _page(deps, "Sign in", "This link signs you in once.", token=token, next=own_path(next))
    return _page(deps, "Please sign in", "Assent knows people by one-time links.", next=own_path(next))


@router.post("/sign-in")
async def sign_in(
    request: Request, deps: DepsHere, token: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/"
) -> Response:
    """Use a link up."""
    refuse_other_sites(request, deps)
    agent = request.headers.get("User-Agent", "")
    try:
        opened = await deps.write(lambda session: deps.sign_in.open(session, token, at=deps.clock(), user_agent=agent))
    except NotSignedIn as error:
        refused = partial(deps.refusals.record, "session.refused", error.what, where=error.where, via=Via.WEB)
        await anyio.to_thread.run_sync(refused)
        return _page(deps, "This link does not work", error.what, next=own_path(next), status=error.status)
    response = RedirectResponse(own_path(next), status_code=303)
    keep_session(response, deps, opened.token, seconds=int(SESSION_LIFETIME.total_seconds()))
    return response


@router.post("/sign-out", dependencies=[Depends(csrf_protect)])
async def sign_out(request: Request, deps: DepsHere) -> Response:
    """End the session."""
    token = request.cookies.get(cookie_name(deps), "")
    await deps.write(lambda session: deps.sign_in.close(session, token, at=deps.clock()))
    response = RedirectResponse("/sign-in", status_code=303)
    drop_session(response, deps)
    return response


def sign_in_address(path: str) -> str:
    """Where somebody who wanted to see ``path`` signs in."""
    return "/sign-in" if path in ("", "/") else f"/sign-in?{urlencode({'next': path})}"


def own_path(path: str) -> str:
    """A path of this application; anything that could lead elsewhere becomes the inbox."""
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if safe and not path.startswith("/sign-in") else "/"


def _page(deps: Deps, title: str, text: str, *, token: str = "", next: str = "/", status: int = 200) -> HTMLResponse:
    template = deps.templates.get_template("sign_in.html")
    html = template.render(viewer=None, place="", title=title, text=text, token=token, next=next)
    return HTMLResponse(
        html, status_code=status, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    )

"""Errors as pages: what happened, what was not lost, what to do.

Whoever is signed in has the frame of every page around it, with the control that stops; where that cannot be made,
because the database does not answer say, the page stands alone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import (
    AssentError,
    Conflict,
    Forbidden,
    InvalidInput,
    NeedsProof,
    NotFound,
    NotSignedIn,
    TooOften,
    Unavailable,
)
from assent_ui.auth import maybe_person
from assent_ui.deps import deps_of
from assent_ui.pages.context import Place
from assent_ui.pages.sign_in import confirm_address, own_path, sign_in_address

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kind:
    word: str
    tone: str
    shape: str
    kept: str


_KINDS: tuple[tuple[type[AssentError], _Kind], ...] = (
    (NotFound, _Kind("Not here", "slate", "question", "")),
    (TooOften, _Kind("Too often", "amber", "clock", "Nothing was changed.")),
    (Forbidden, _Kind("Not allowed", "amber", "barred", "Nothing was changed.")),
    (InvalidInput, _Kind("Not understood", "amber", "question", "Nothing was changed.")),
    (Conflict, _Kind("Changed meanwhile", "amber", "person", "Nothing was changed.")),
    (Unavailable, _Kind("Not reachable", "red", "cross", "Nothing was lost. Runs wait and go on by themselves.")),
)
_UNEXPECTED = _Kind("Our fault", "red", "cross", "Runs and what they have done are kept; only this page failed.")


async def error_page(request: Request, error: AssentError) -> Response:
    """The page of a deliberate error; somebody who is not signed in is sent to sign in."""
    if isinstance(error, NotSignedIn):
        wanted = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        return RedirectResponse(sign_in_address(wanted if request.method == "GET" else "/"), status_code=303)
    if isinstance(error, NeedsProof):
        return RedirectResponse(confirm_address(_page_behind(request)), status_code=303)
    kind = next((kind for type, kind in _KINDS if isinstance(error, type)), _UNEXPECTED)
    # A database that does not answer is not asked again for the frame.
    alone = isinstance(error, Unavailable) and error.where == "database"
    return await _page(request, kind, error.status, error.code, error.what, error.todo, alone=alone)


def _page_behind(request: Request) -> str:
    """The page to come back to: the one that was asked for, or the one whose form was sent."""
    if request.method == "GET":
        return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    referrer = urlsplit(request.headers.get("Referer", ""))
    home = referrer.netloc == request.headers.get("Host", "")
    return f"{referrer.path}?{referrer.query}" if home and referrer.query else referrer.path if home else "/"


async def missing_page(request: Request) -> Response:
    """The page of an address that leads nowhere."""
    kind = _Kind("Not here", "slate", "question", "")
    return await _page(request, kind, 404, "not-found", "There is no such page.", "The address may be mistyped.")


async def unexpected_page(request: Request) -> Response:
    """The page of an error that nobody foresaw."""
    return await _page(
        request,
        _UNEXPECTED,
        500,
        "unexpected",
        "Something went wrong inside Assent.",
        "Try again; the log of the web process says more.",
    )


async def _page(
    request: Request, kind: _Kind, status: int, code: str, title: str, todo: str, *, alone: bool = False
) -> HTMLResponse:
    shown = {
        "title": title,
        "word": kind.word,
        "tone": kind.tone,
        "shape_name": kind.shape,
        "kept": kind.kept,
        "todo": todo,
        "code": code,
        "again": own_path(request.url.path) if request.method == "GET" else "/",
    }
    if not alone and (framed := await _framed(request, status, shown)) is not None:
        return framed
    html = deps_of(request).templates.get_template("error.html").render(viewer=None, place="", **shown)
    return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})


async def _framed(request: Request, status: int, shown: dict[str, Any]) -> HTMLResponse | None:
    """The page with its frame; ``None`` if nobody is signed in, or if the frame cannot be made."""
    deps = deps_of(request)
    try:
        viewer = getattr(request.state, "viewer", None) or await maybe_person(request, deps)
        if viewer is None:
            return None
        here = Place(deps, viewer)
        # An error is not what its address shows, so that nothing of it is refreshed from there.
        return await deps.read(
            lambda session: here.show(session, "error.html", "", status=status, newest_event="", **shown)
        )
    except Exception as error:
        log.warning("A page of an error stands without its frame: %s", error)
        return None

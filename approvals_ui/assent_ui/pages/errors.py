"""Errors as pages: what happened, what was not lost, what to do."""

from __future__ import annotations

from dataclasses import dataclass
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
from assent_ui.deps import deps_of
from assent_ui.pages.sign_in import confirm_address, own_path, sign_in_address


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


def error_page(request: Request, error: AssentError) -> Response:
    """The page of a deliberate error; somebody who is not signed in is sent to sign in."""
    if isinstance(error, NotSignedIn):
        wanted = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        return RedirectResponse(sign_in_address(wanted if request.method == "GET" else "/"), status_code=303)
    if isinstance(error, NeedsProof):
        return RedirectResponse(confirm_address(_page_behind(request)), status_code=303)
    kind = next((kind for type, kind in _KINDS if isinstance(error, type)), _UNEXPECTED)
    return _page(request, kind, error.status, error.code, error.what, error.todo)


def _page_behind(request: Request) -> str:
    """The page to come back to: the one that was asked for, or the one whose form was sent."""
    if request.method == "GET":
        return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    referrer = urlsplit(request.headers.get("Referer", ""))
    home = referrer.netloc == request.headers.get("Host", "")
    return f"{referrer.path}?{referrer.query}" if home and referrer.query else referrer.path if home else "/"


def missing_page(request: Request) -> Response:
    """The page of an address that leads nowhere."""
    kind = _Kind("Not here", "slate", "question", "")
    return _page(request, kind, 404, "not-found", "There is no such page.", "The address may be mistyped.")


def unexpected_page(request: Request) -> Response:
    """The page of an error that nobody foresaw."""
    return _page(
        request,
        _UNEXPECTED,
        500,
        "unexpected",
        "Something went wrong inside Assent.",
        "Try again; the log of the web process says more.",
    )


def _page(request: Request, kind: _Kind, status: int, code: str, title: str, todo: str) -> HTMLResponse:
    again = own_path(request.url.path) if request.method == "GET" else "/"
    html = (
        deps_of(request)
        .templates.get_template("error.html")
        .render(
            viewer=None,
            place="",
            title=title,
            word=kind.word,
            tone=kind.tone,
            shape_name=kind.shape,
            kept=kind.kept,
            todo=todo,
            code=code,
            again=again,
        )
    )
    return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})

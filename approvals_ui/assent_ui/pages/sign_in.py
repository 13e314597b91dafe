"""Signing in, by one-time link, password, passkey or OpenID provider, and out again."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Depends, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.errors import AssentError, Forbidden, NotSignedIn, TooOften, Unavailable
from assent.store import passkeys, passwords
from assent.store.ceremonies import Purpose
from assent.store.sign_in import SESSION_LIFETIME, SignedIn
from assent_ui.auth import (
    Viewer,
    browser_of,
    cookie_name,
    csrf_protect,
    drop_session,
    keep_session,
    maybe_person,
    refuse_other_sites,
)
from assent_ui.deps import Deps, DepsHere
from assent_ui.identity import proving, tries

router = APIRouter()

Text = Annotated[str, Form()]


@router.get("/sign-in", response_class=HTMLResponse)
async def ask(
    request: Request,
    deps: DepsHere,
    viewer: Annotated[Viewer | None, Depends(maybe_person)],
    token: str = "",
    next: str = "/",
) -> Response:
    """The page behind a link. Looking at it uses nothing up, so that programs that fetch links do no harm."""
    if viewer is not None and not token:
        return RedirectResponse(own_path(next), status_code=303)
    if token:
        return await sign_in_page(
            request, deps, "Sign in", "This link signs you in once.", token=token, next=own_path(next)
        )
    return await sign_in_page(request, deps, "Please sign in", "", next=own_path(next))


@router.post("/sign-in")
async def sign_in(request: Request, deps: DepsHere, token: Text = "", next: Text = "/") -> Response:
    """Use a link up."""
    refuse_other_sites(request, deps)
    browser = browser_of(request, deps)
    try:
        opened = await deps.write(lambda session: deps.sign_in.open(session, token, at=deps.clock(), browser=browser))
    except NotSignedIn as error:
        try:
            await tries.count(request, deps, "link")
        except TooOften as too_often:
            return await sign_in_page(
                request, deps, "That did not work", "", problem=too_often, next=own_path(next), status=too_often.status
            )
        await tries.refuse(deps, error, request)
        return await sign_in_page(
            request, deps, "This link does not work", error.what, next=own_path(next), status=error.status
        )
    return entered(deps, opened, RedirectResponse(own_path(next), status_code=303))


@router.post("/sign-in/password")
async def sign_in_by_password(
    request: Request, deps: DepsHere, email: Text = "", password: Text = "", next: Text = "/"
) -> Response:
    """Sign in by address and password."""
    refuse_other_sites(request, deps)
    try:
        opened = await proving.password_sign_in(request, deps, email, password)
    except Forbidden as error:
        return await sign_in_page(
            request, deps, "That did not work", "", problem=error, email=email, next=own_path(next), status=error.status
        )
    return entered(deps, opened, RedirectResponse(own_path(next), status_code=303))


@router.post("/sign-in/passkey/options")
async def passkey_options(request: Request, deps: DepsHere) -> Response:
    """What a browser needs to use any passkey that it has for Assent."""
    return await options_answer(request, deps, Purpose.PASSKEY_SIGN_IN, None)


@router.post("/sign-in/passkey")
async def sign_in_by_passkey(
    request: Request,
    deps: DepsHere,
    answer: Annotated[dict[str, Any], Body()],
    next: Annotated[str, Body()] = "/",
) -> Response:
    """Sign in by passkey; the page's own script sends this."""
    refuse_other_sites(request, deps)
    try:
        opened = await proving.passkey_sign_in(request, deps, answer)
    except AssentError as error:
        return told(error)
    return entered(deps, opened, JSONResponse({"to": own_path(next)}))


@router.post("/sign-out", dependencies=[Depends(csrf_protect)])
async def sign_out(request: Request, deps: DepsHere) -> Response:
    """End the session."""
    token = request.cookies.get(cookie_name(deps), "")
    await deps.write(lambda session: deps.sign_in.close(session, token, at=deps.clock()))
    response = RedirectResponse("/sign-in", status_code=303)
    drop_session(response, deps)
    return response


async def options_answer(request: Request, deps: Deps, purpose: Purpose, viewer: Viewer | None) -> Response:
    """Options for a browser, or what is wrong, for the page's own script."""
    refuse_other_sites(request, deps)
    kept = Response()
    try:
        options = await proving.passkey_challenge(request, kept, deps, purpose, viewer)
    except AssentError as error:
        return told(error)
    response = JSONResponse(options)
    response.raw_headers.extend(header for header in kept.raw_headers if header[0] == b"set-cookie")
    return response


def entered(deps: Deps, opened: SignedIn, response: Response) -> Response:
    """A response that gives a browser its session."""
    keep_session(response, deps, opened.token, seconds=_left(deps, opened))
    return response


def told(error: AssentError) -> JSONResponse:
    """What is wrong, for the page's own script."""
    return JSONResponse({"what": error.what, "todo": error.todo}, status_code=error.status)


def sign_in_address(path: str) -> str:
    """Where somebody who wanted to see ``path`` signs in."""
    return "/sign-in" if path in ("", "/") else f"/sign-in?{urlencode({'next': path})}"


def confirm_address(path: str) -> str:
    """Where somebody proves anew who they are, and then goes on to ``path``."""
    return f"/account/confirm?{urlencode({'next': path})}"


def own_path(path: str) -> str:
    """A path of this application; anything that could lead elsewhere becomes the inbox."""
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if safe and not path.startswith("/sign-in") else "/"


def passkeys_elsewhere(request: Request, deps: Deps) -> str:
    """The address under which passkeys are good, if this page was not opened there."""
    if deps.passkeys is None:
        return ""
    here = request.headers.get("Host", "")
    there = deps.passkeys.origin.partition("://")[2]
    return "" if here in (there, f"{there}:443") else deps.passkeys.origin


async def sign_in_page(
    request: Request,
    deps: Deps,
    title: str,
    text: str,
    *,
    token: str = "",
    next: str = "/",
    email: str = "",
    problem: AssentError | None = None,
    status: int = 200,
) -> HTMLResponse:
    """The page with every way in that somebody could use."""
    by_password, by_passkey = (False, False) if token else await _ways_now(deps)
    html = deps.templates.get_template("sign_in.html").render(
        viewer=None,
        place="",
        title=title,
        text=text,
        token=token,
        next=next,
        next_query=urlencode({"next": next}),
        email=email,
        problem=problem,
        by_password=by_password,
        by_passkey=by_passkey and deps.passkeys is not None,
        passkeys_at=passkeys_elsewhere(request, deps),
        openid=deps.openid.settings.name if deps.openid and not token else "",
    )
    return HTMLResponse(
        html, status_code=status, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    )


async def _ways_now(deps: Deps) -> tuple[bool, bool]:
    """Whether passwords and passkeys are in use; while the database is away both are offered, and say so when used."""
    try:
        return await deps.read(_ways)
    except Unavailable:
        return True, True


def _ways(session: Session) -> tuple[bool, bool]:
    return passwords.anybody_has_one(session), passkeys.anybody_has_one(session)


def _left(deps: Deps, opened: SignedIn) -> int:
    return max(1, min(int((opened.expires_at - deps.clock()).total_seconds()), int(SESSION_LIFETIME.total_seconds())))

"""One's own account: password, passkeys, other accounts, sessions; and proving anew who one is."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.assurance import FRESH_FOR
from assent.domain.errors import AssentError, Forbidden, InvalidInput, NeedsProof
from assent.domain.people import Assurance
from assent.store import checks, groups, identities, passkeys, passwords, sessions
from assent.store.ceremonies import Purpose
from assent.store.people import Person
from assent_ui.deps import Deps, DepsHere
from assent_ui.identity import proving
from assent_ui.identity.own import has_proof, may_change_proofs, may_set_up, own_person, store_password
from assent_ui.pages.context import Here, Place
from assent_ui.pages.reaching import reaching_form
from assent_ui.pages.sign_in import entered, options_answer, own_path, passkeys_elsewhere, told
from assent_ui.rendering.devices import device_in_words

router = APIRouter()

Text = Annotated[str, Form()]
_DONE = {
    "password": "Your password is set. Every other session of yours has ended.",
    "password-gone": "Your password is gone.",
    "passkey": "Your passkey works from now on.",
    "passkey-gone": "That passkey no longer works.",
    "named": "It has its new name.",
    "ended": "That session has ended.",
    "others": "Every other session has ended.",
    "unbound": "That account is no longer connected.",
    "reaching": "Kept. It holds for everything that is sent from now on.",
    "confirmed": "It is you. For five minutes you may do what needs a fresh proof.",
}


@router.get("/account", response_class=HTMLResponse)
def show(request: Request, here: Here, deps: DepsHere, done: str = "") -> HTMLResponse:
    """The account page."""
    return _page(request, here, deps, done=done)


@router.post("/account/password")
async def set_password(request: Request, here: Here, deps: DepsHere, password: Text = "", again: Text = "") -> Response:
    """Set or change the password; every other session ends."""
    try:
        person = await deps.read(lambda session: may_change_proofs(session, here.viewer, deps))
        if password != again:
            raise InvalidInput("The two are not the same.", where="password", todo="Type it again.")
        await store_password(deps, here.viewer, person, password)
    except AssentError as error:
        problem = error
        return await here.in_thread(lambda: _page(request, here, deps, problem=problem))
    return _done("password")


@router.post("/account/password/remove")
async def remove_password(request: Request, here: Here, deps: DepsHere) -> Response:
    """Do without a password."""
    return await _change(
        request, here, deps, "password-gone", lambda session, person: _drop_password(session, person, here, deps)
    )


@router.post("/account/passkeys/options")
async def passkey_options(request: Request, here: Here, deps: DepsHere) -> Response:
    """What a browser needs to make a passkey."""
    try:
        await deps.read(lambda session: may_change_proofs(session, here.viewer, deps))
    except AssentError as error:
        return told(error)
    return await options_answer(request, deps, Purpose.PASSKEY_ADD, here.viewer)


@router.post("/account/passkeys")
async def add_passkey(
    request: Request,
    here: Here,
    deps: DepsHere,
    answer: Annotated[dict[str, Any], Body()],
    name: Annotated[str, Body()] = "",
) -> Response:
    """Keep a passkey; the page's own script sends this."""
    site, at = proving.require_site(deps), deps.clock()
    try:
        challenge = await proving.used_for_adding(request, deps, here.viewer, answer)

        def keep(session: Session) -> None:
            person = may_change_proofs(session, here.viewer, deps)
            passkeys.add(session, site, person, answer, challenge=challenge, name=name, at=at, by=here.viewer.actor)

        await deps.write(keep)
    except AssentError as error:
        return told(error)
    return JSONResponse({"to": "/account?done=passkey#passkeys"})


@router.post("/account/passkeys/{passkey_id}/name")
async def name_passkey(request: Request, here: Here, deps: DepsHere, passkey_id: str, name: Text = "") -> Response:
    """Call a passkey something else; that needs no fresh proof."""
    at = deps.clock()

    def rename(session: Session) -> None:
        person = own_person(session, here.viewer)
        passkeys.rename(session, person, passkey_id, name, at=at, by=here.viewer.actor)

    try:
        await deps.write(rename)
    except InvalidInput as error:
        problem = error
        return await here.in_thread(lambda: _page(request, here, deps, problem=problem))
    return _done("named", "passkeys")


@router.post("/account/passkeys/{passkey_id}/remove")
async def remove_passkey(request: Request, here: Here, deps: DepsHere, passkey_id: str) -> Response:
    """Do without a passkey."""
    at = deps.clock()
    return await _change(
        request,
        here,
        deps,
        "passkey-gone",
        lambda session, person: passkeys.remove(session, person, passkey_id, at=at, by=here.viewer.actor),
    )


@router.post("/account/openid/remove")
async def unbind(request: Request, here: Here, deps: DepsHere, issuer: Text = "") -> Response:
    """No longer be known by an account elsewhere."""
    at = deps.clock()
    return await _change(
        request,
        here,
        deps,
        "unbound",
        lambda session, person: identities.unbind(session, person, issuer, at=at, by=here.viewer.actor),
    )


@router.post("/account/sessions/{session_id}/end")
async def end_session(here: Here, deps: DepsHere, session_id: str) -> Response:
    """End one session; ending the one at hand signs out."""
    at, viewer = deps.clock(), here.viewer
    await deps.write(lambda session: sessions.end(session, viewer.id, session_id, at=at, by=viewer.actor))
    return _done("ended", "sessions")


@router.post("/account/sessions/end-others")
async def end_other_sessions(here: Here, deps: DepsHere) -> Response:
    """End every session but the one at hand."""
    at, viewer = deps.clock(), here.viewer
    await deps.write(
        lambda session: sessions.end_all(session, viewer.id, at=at, by=viewer.actor, but=viewer.session_id)
    )
    return _done("others", "sessions")


@router.get("/account/confirm", response_class=HTMLResponse)
def ask(request: Request, here: Here, deps: DepsHere, next: str = "/") -> HTMLResponse:
    """The page that asks who is there."""
    return _confirm_page(request, here, deps, own_path(next))


@router.post("/account/confirm/password")
async def confirm_by_password(
    request: Request, here: Here, deps: DepsHere, password: Text = "", next: Text = "/"
) -> Response:
    """Prove it by password."""
    try:
        opened = await proving.password_confirm(request, deps, here.viewer, password)
    except Forbidden as error:
        problem = error
        return await here.in_thread(lambda: _confirm_page(request, here, deps, own_path(next), problem=problem))
    return entered(deps, opened, RedirectResponse(_onward(next), status_code=303))


@router.post("/account/confirm/passkey/options")
async def confirm_options(request: Request, here: Here, deps: DepsHere) -> Response:
    """What a browser needs to use one of the person's passkeys."""
    return await options_answer(request, deps, Purpose.PASSKEY_CONFIRM, here.viewer)


@router.post("/account/confirm/passkey")
async def confirm_by_passkey(
    request: Request,
    here: Here,
    deps: DepsHere,
    answer: Annotated[dict[str, Any], Body()],
    next: Annotated[str, Body()] = "/",
) -> Response:
    """Prove it by passkey; the page's own script sends this."""
    try:
        opened = await proving.passkey_confirm(request, deps, here.viewer, answer)
    except AssentError as error:
        return told(error)
    return entered(deps, opened, JSONResponse({"to": _onward(next)}))


def _drop_password(session: Session, person: Person, here: Place, deps: Deps) -> None:
    passwords.remove(session, person, at=deps.clock(), by=here.viewer.actor)


async def _change(request: Request, here: Place, deps: Deps, done: str, change: Any) -> Response:
    """Change how somebody signs in, or say what is in the way."""
    try:
        await deps.write(lambda session: change(session, may_change_proofs(session, here.viewer, deps)))
    except NeedsProof as error:
        return await here.in_thread(partial(_page, request, here, deps, problem=error))
    return _done(done)


def _done(what: str, where: str = "") -> RedirectResponse:
    return RedirectResponse(f"/account?done={what}{f'#{where}' if where else ''}", status_code=303)


def _onward(next: str) -> str:
    path = own_path(next)
    return "/account?done=confirmed" if path in ("/", "/account") else path


def _page(
    request: Request, here: Place, deps: Deps, *, done: str = "", problem: AssentError | None = None
) -> HTMLResponse:
    viewer = here.viewer
    with here.database.read() as session:
        proof = has_proof(session, deps, viewer.id)
        setting_up = not proof and may_set_up(viewer, deps)
        open_sessions = sessions.of_person(session, viewer.id, at=deps.clock())
        return here.show(
            session,
            "account.html",
            "account",
            status=problem.status if problem else 200,
            done=_DONE.get(done, ""),
            problem=problem,
            unproven=isinstance(problem, NeedsProof) and proof,
            has_proof=proof,
            fresh=viewer.assurance is Assurance.FRESH,
            may_change=viewer.assurance is Assurance.FRESH or setting_up,
            fresh_until=viewer.proven_at + FRESH_FOR if viewer.proven_at else None,
            password_set_at=passwords.set_at(session, viewer.id),
            passkeys=passkeys.of_person(session, viewer.id),
            passkeys_good=deps.passkeys is not None,
            passkeys_at=passkeys_elsewhere(request, deps),
            identities=identities.of_person(session, viewer.id),
            groups=sorted(groups.groups_of(session, viewer.id)),
            checks=checks.announced(session, viewer.id),
            sessions=[(each, device_in_words(each.user_agent)) for each in open_sessions],
            shortest=passwords.SHORTEST,
            reach=reaching_form(session, deps, viewer.id),
        )


def _confirm_page(
    request: Request, here: Place, deps: Deps, next: str, *, problem: AssentError | None = None
) -> HTMLResponse:
    viewer = here.viewer
    with here.database.read() as session:
        openid = deps.openid is not None and proving.signed_in_with(session, viewer.id, deps.openid.settings.issuer)
        by_passkey = deps.passkeys is not None and bool(passkeys.of_person(session, viewer.id))
        return here.show(
            session,
            "confirm.html",
            "account",
            status=problem.status if problem else 200,
            problem=problem,
            next=next,
            next_query=urlencode({"next": next}),
            by_password=passwords.set_at(session, viewer.id) is not None,
            by_passkey=by_passkey,
            passkeys_at=passkeys_elsewhere(request, deps),
            openid=deps.openid.settings.name if openid and deps.openid else "",
            fresh=viewer.assurance is Assurance.FRESH,
        )

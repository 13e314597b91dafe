"""Checking a proof: it is counted first (``tries``), and nothing tells who exists."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread
from fastapi import Request, Response
from sqlalchemy.orm import Session

from assent.domain.assurance import Proof
from assent.domain.errors import Forbidden, NotSignedIn
from assent.domain.people import mailbox_of
from assent.store import attempts, ceremonies, identities, passkeys, passwords, people
from assent.store.ceremonies import Ceremony, Purpose
from assent.store.passkey_answers import PasskeySite, challenge_in
from assent.store.people import Person
from assent.store.sign_in import SignedIn
from assent_ui.auth import Viewer, browser_of, cookie_name
from assent_ui.deps import Deps
from assent_ui.identity import tries

_BROWSER = "assent_browser"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def passkey_site(public_url: str) -> PasskeySite | None:
    """Where passkeys are good; ``None`` where browsers allow none: an address in figures, or a name without https.

    Of the machine itself, the name ``localhost`` is good.
    """
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    if host in _LOOPBACK:
        return PasskeySite("localhost", f"{parts.scheme}://localhost{port}")
    figures = host.replace(".", "").isdigit() or ":" in host
    return PasskeySite(host, f"https://{host}{port}") if parts.scheme == "https" and host and not figures else None


async def password_sign_in(request: Request, deps: Deps, email: str, password: str) -> SignedIn:
    """A session for whoever knows a person's password.

    Raises:
        NotSignedIn: There is no such person, they have no such password, or they may not sign in; never which.
        TooOften: It was tried too often.
    """
    await tries.count(request, deps, "password", mailbox_of(email))
    person, kept = await deps.read(lambda session: _known(session, email))
    good = await anyio.to_thread.run_sync(passwords.matches, kept, password)
    if not good or person is None or person.disabled:
        error = NotSignedIn(
            "This address and this password do not belong together.",
            where="password",
            todo="Try again, or ask for a one-time link.",
        )
        await tries.refuse(deps, error, request, person)
        raise error
    return await _let_in(request, deps, person, kept or "", password)


async def password_confirm(request: Request, deps: Deps, viewer: Viewer, password: str) -> SignedIn:
    """The viewer's session, proven anew by their password.

    Raises:
        NotSignedIn: It is not their password.
        TooOften: It was tried too often.
    """
    await tries.count(request, deps, "password", mailbox_of(viewer.email))
    person, kept = await deps.read(lambda session: _known(session, viewer.email))
    if not await anyio.to_thread.run_sync(passwords.matches, kept, password):
        error = NotSignedIn("That is not your password.", where="password", todo="Try again.")
        await tries.refuse(deps, error, request, person)
        raise error
    subject = attempts.account("password", mailbox_of(viewer.email))
    return await prove(request, deps, Proof.PASSWORD, forget=subject)


async def passkey_challenge(
    request: Request, response: Response, deps: Deps, purpose: Purpose, viewer: Viewer | None
) -> dict[str, Any]:
    """What a browser needs to make or use a passkey; the challenge is good once, for this browser.

    Raises:
        Forbidden: There can be no passkeys under this address.
        Conflict: The person has as many as one may have.
        TooOften: It was begun too often.
    """
    site = require_site(deps)
    await tries.count_begun(request, deps)
    secret = own_secret(request, response, deps)
    at = deps.clock()

    def begin(session: Session) -> dict[str, Any]:
        person = None if viewer is None else people.one(session, viewer.id)
        if purpose is Purpose.PASSKEY_ADD and person is not None:
            challenge, options = passkeys.creation_options(session, site, person)
        else:
            challenge, options = passkeys.request_options(session, site, person.id if person else "")
        owner = person.id if person else ""
        ceremonies.begin(session, challenge, purpose, browser=secret, at=at, person_id=owner)
        return options

    return await deps.write(begin)


async def passkey_sign_in(request: Request, deps: Deps, answer: Mapping[str, Any]) -> SignedIn:
    """A session for whoever holds a person's passkey.

    Raises:
        NotSignedIn: The passkey is unknown or its answer is not good.
        TooOften: It was tried too often.
    """
    site = require_site(deps)
    await tries.count(request, deps, "passkey")
    try:
        challenge, _ = await _used(request, deps, answer, Purpose.PASSKEY_SIGN_IN)
        return await deps.write(lambda session: _by_passkey(session, request, deps, site, answer, challenge))
    except NotSignedIn as error:
        await tries.refuse(deps, error, request)
        raise


async def passkey_confirm(request: Request, deps: Deps, viewer: Viewer, answer: Mapping[str, Any]) -> SignedIn:
    """The viewer's session, proven anew by one of their passkeys.

    Raises:
        NotSignedIn: It is not theirs, or its answer is not good.
        TooOften: It was tried too often.
    """
    site = require_site(deps)
    await tries.count(request, deps, "passkey")
    at = deps.clock()
    try:
        challenge, begun = await _used(request, deps, answer, Purpose.PASSKEY_CONFIRM)
        _require_owner(begun, viewer)
        await deps.write(
            lambda session: passkeys.verified(session, site, answer, challenge=challenge, at=at, person_id=viewer.id)
        )
    except NotSignedIn as error:
        await tries.refuse(deps, error, request)
        raise
    return await prove(request, deps, Proof.PASSKEY)


async def used_for_adding(request: Request, deps: Deps, viewer: Viewer, answer: Mapping[str, Any]) -> str:
    """The challenge that a new passkey answers, used up.

    Raises:
        NotSignedIn: It was used before, is too old, or was begun by another browser or person.
    """
    challenge, begun = await _used(request, deps, answer, Purpose.PASSKEY_ADD)
    _require_owner(begun, viewer)
    return challenge


async def prove(request: Request, deps: Deps, how: Proof, *, forget: str = "") -> SignedIn:
    """Note that the request's session was proven anew.

    Raises:
        NotSignedIn: It ended meanwhile.
    """
    token, at = request.cookies.get(cookie_name(deps), ""), deps.clock()

    def noted(session: Session) -> SignedIn:
        if forget:
            attempts.forget(session, forget)
        return deps.sign_in.prove(session, token, how, at=at, proven_at=at)

    return await deps.write(noted)


def own_secret(request: Request, response: Response, deps: Deps) -> str:
    """A secret that this browser alone has, so that what it begins nobody else can end."""
    name = _browser_cookie(deps)
    secret = request.cookies.get(name, "")
    if len(secret) < 32 or len(secret) > 100:
        secret = secrets.token_urlsafe(32)
    response.set_cookie(
        name,
        secret,
        max_age=int(ceremonies.LIFETIME.total_seconds()),
        path="/",
        secure=deps.secure,
        httponly=True,
        samesite="lax",
    )
    return secret


def kept_secret(request: Request, deps: Deps) -> str:
    """The same secret, when the browser comes back; empty if it has none."""
    return request.cookies.get(_browser_cookie(deps), "")


def require_site(deps: Deps) -> PasskeySite:
    """Where passkeys are good.

    Raises:
        Forbidden: Nowhere, under this address.
    """
    if deps.passkeys is None:
        raise Forbidden(
            "Browsers allow no passkeys under this address.",
            where="passkey",
            todo="Assent needs an https address with a name: ASSENT_PUBLIC_URL.",
        )
    return deps.passkeys


def signed_in_with(session: Session, person_id: str, issuer: str) -> bool:
    """Whether a person is bound to an account of a provider."""
    return any(each.issuer == issuer for each in identities.of_person(session, person_id))


async def _let_in(request: Request, deps: Deps, person: Person, kept: str, password: str) -> SignedIn:
    renewed = ""
    if passwords.is_outdated(kept):
        renewed = await anyio.to_thread.run_sync(passwords.hashed, password)
    at = deps.clock()

    def enter(session: Session) -> SignedIn:
        now = people.one(session, person.id)
        if now is None or now.disabled or passwords.kept_hash(session, person.id) != kept:
            raise NotSignedIn("Your account was changed just now.", where="password", todo="Sign in again.")
        if renewed:
            passwords.refresh(session, person.id, kept, renewed)
        attempts.forget(session, attempts.account("password", mailbox_of(person.email)))
        return deps.sign_in.let_in(
            session, person, Proof.PASSWORD, at=at, browser=browser_of(request, deps), proven_at=at
        )

    return await deps.write(enter)


def _by_passkey(
    session: Session, request: Request, deps: Deps, site: PasskeySite, answer: Mapping[str, Any], challenge: str
) -> SignedIn:
    at = deps.clock()
    person = people.one(session, passkeys.verified(session, site, answer, challenge=challenge, at=at))
    if person is None or person.disabled:
        raise NotSignedIn("You may no longer sign in here.", where="passkey", todo="Ask an administrator.")
    return deps.sign_in.let_in(session, person, Proof.PASSKEY, at=at, browser=browser_of(request, deps), proven_at=at)


async def _used(request: Request, deps: Deps, answer: Mapping[str, Any], purpose: Purpose) -> tuple[str, Ceremony]:
    challenge, secret, at = challenge_in(answer), kept_secret(request, deps), deps.clock()
    begun = await deps.write(lambda session: ceremonies.use_up(session, challenge, purpose, browser=secret, at=at))
    if begun is None:
        raise NotSignedIn(
            "This answer was used before, is too old, or was asked for elsewhere.",
            where="passkey",
            todo="Try it again.",
        )
    return challenge, begun


def _require_owner(begun: Ceremony, viewer: Viewer) -> None:
    if begun.person_id != viewer.id:
        raise NotSignedIn("This was begun by somebody else.", where="passkey", todo="Try it again.")


def _known(session: Session, email: str) -> tuple[Person | None, str | None]:
    person = people.by_email(session, email)
    # Asked in either case, so that both cost the same.
    return person, passwords.kept_hash(session, person.id if person else "")


def _browser_cookie(deps: Deps) -> str:
    return f"__Host-{_BROWSER}" if deps.secure else _BROWSER

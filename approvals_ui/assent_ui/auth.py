"""Which person is asking, by session cookie, and proof that a page of theirs sent the request."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from assent.domain.assurance import Proof, of_session
from assent.domain.errors import Forbidden, NeedsProof, NotSignedIn
from assent.domain.people import Actor, Assurance, Role, Via
from assent.store.people import Person
from assent.store.sign_in import SEEN_EVERY, Browser, OpenSession
from assent_ui.deps import Deps, DepsHere

COOKIE = "assent_session"
"""Name of the session cookie on http addresses."""

SECURE_COOKIE = "__Host-assent_session"
"""Its name on https addresses: browsers then refuse one that another host or an insecure page set."""

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"

_SAFE = {"GET", "HEAD", "OPTIONS"}
_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in person.

    Attributes:
        id: Their id.
        name: Their name.
        email: Their address.
        roles: What they may do.
        csrf: What their forms and scripts must carry.
        session_id: Id of their session.
        how: How they signed in.
        signed_in_at: When they did.
        proven_at: When they last proved who they are, other than by a link; ``None`` if they never did.
        assurance: How sure it is, now, that it is they.
        via: Where they act.
    """

    id: str
    name: str
    email: str
    roles: tuple[Role, ...]
    csrf: str
    session_id: str
    how: Proof
    signed_in_at: datetime
    proven_at: datetime | None
    assurance: Assurance
    via: Via = Via.WEB

    def may(self, role: Role) -> bool:
        """Whether they have a role; an admin has all of them."""
        return role in self.roles or Role.ADMIN in self.roles

    def require(self, role: Role, to: str) -> None:
        """Refuse unless they have a role.

        Raises:
            Forbidden: They do not.
        """
        if not self.may(role):
            raise Forbidden(
                f"You may not {to}.",
                where="role",
                todo=f"It needs the role {role.value}; an admin gives it with `assent people roles`.",
            )

    def require_fresh(self, to: str) -> None:
        """Refuse unless they proved within the last minutes who they are.

        Raises:
            NeedsProof: They did not.
        """
        if self.assurance is not Assurance.FRESH:
            raise NeedsProof(
                f"To {to}, confirm first that it is you.",
                where="assurance",
                todo="Do so at /account/confirm, by passkey, password or your OpenID provider, and repeat.",
                needed=Assurance.FRESH.value,
            )

    @property
    def actor(self) -> Actor:
        """They, acting."""
        return Actor(id=self.id, name=self.name, via=self.via, assurance=self.assurance)

    @property
    def initials(self) -> str:
        """One or two letters of their name."""
        words = [word for word in self.name.split() if word[0].isalnum()]
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"


def cookie_name(deps: Deps) -> str:
    """Name of the session cookie."""
    return SECURE_COOKIE if deps.secure else COOKIE


def keep_session(response: Response, deps: Deps, token: str, *, seconds: int) -> None:
    """Give a browser its session cookie."""
    response.set_cookie(
        cookie_name(deps), token, max_age=seconds, path="/", secure=deps.secure, httponly=True, samesite="lax"
    )


def drop_session(response: Response, deps: Deps) -> None:
    """Take a browser's session cookie away."""
    response.delete_cookie(cookie_name(deps), path="/", secure=deps.secure, httponly=True, samesite="lax")


async def open_session(request: Request, deps: Deps) -> OpenSession | None:
    """The session behind the request's cookie, if it is open."""
    token = request.cookies.get(cookie_name(deps))
    if not token:
        return None
    return await deps.read(lambda session: deps.sign_in.check(session, token, at=deps.clock()))


async def maybe_person(request: Request, deps: DepsHere) -> Viewer | None:
    """The signed-in person; ``None`` if nobody is signed in."""
    found = await open_session(request, deps)
    if found is None:
        return None
    if deps.clock() - found.seen_at >= SEEN_EVERY:
        at, address = deps.clock(), address_of(request)
        await deps.write(lambda session: deps.sign_in.note_use(session, found.id, at=at, address=address))
    viewer = _viewer(found.person, found, deps.clock())
    request.state.viewer = viewer
    return viewer


async def still_signed_in(request: Request, deps: Deps) -> bool:
    """Whether the session that a request came with is open."""
    return await open_session(request, deps) is not None


def address_of(request: Request) -> str:
    """The network address that a request comes from; behind a trusted proxy, the one that the proxy names."""
    return request.client.host if request.client else ""


def browser_of(request: Request, deps: Deps) -> Browser:
    """The browser that a request comes from, for the session that it is about to be given."""
    return Browser(
        user_agent=request.headers.get("User-Agent", ""),
        address=address_of(request),
        token=request.cookies.get(cookie_name(deps), ""),
    )


def _viewer(person: Person, found: OpenSession, now: datetime) -> Viewer:
    return Viewer(
        id=person.id,
        name=person.name,
        email=person.email,
        roles=person.roles,
        csrf=found.csrf,
        session_id=found.id,
        how=found.how,
        signed_in_at=found.created_at,
        proven_at=found.proven_at,
        assurance=of_session(found.proven_at, now),
    )


async def current_person(viewer: Annotated[Viewer | None, Depends(maybe_person)]) -> Viewer:
    """The signed-in person. A page's caller is sent to the sign-in page, an API's caller gets 401.

    Raises:
        NotSignedIn: Nobody is signed in.
    """
    if viewer is None:
        raise NotSignedIn("Nobody is signed in.", where="session", todo="Sign in at /sign-in.")
    return viewer


def require_role(role: Role, to: str = "do that") -> Callable[[Viewer], Awaitable[Viewer]]:
    """A dependency that gives the signed-in person and refuses those without a role."""

    async def checked(viewer: Annotated[Viewer, Depends(current_person)]) -> Viewer:
        viewer.require(role, to)
        return viewer

    return checked


async def csrf_protect(request: Request, deps: DepsHere, viewer: Annotated[Viewer, Depends(current_person)]) -> None:
    """Refuse a request that changes something unless the person's own page sent it.

    The token comes in the header ``X-CSRF-Token`` or, for plain forms, in the field ``csrf``.

    Raises:
        Forbidden: The token is missing or wrong, or another site sent the request.
    """
    if request.method in _SAFE:
        return
    refuse_other_sites(request, deps)
    given = request.headers.get(CSRF_HEADER) or await _form_token(request)
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), viewer.csrf.encode()):
        raise Forbidden(
            "This request does not come from a page of yours.",
            where=CSRF_HEADER,
            todo="Load the page again and repeat; scripts send the header X-CSRF-Token.",
        )


def refuse_other_sites(request: Request, deps: Deps) -> None:
    """Refuse what a browser says another site sent.

    Raises:
        Forbidden: It did.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    foreign = site in {"cross-site", "same-site"}
    if site is None and origin is not None:
        # Older browsers send no Sec-Fetch-Site; behind a proxy, the public address is the one they see.
        foreign = urlsplit(origin).netloc not in {urlsplit(deps.public_url).netloc, request.headers.get("Host", "")}
    if foreign:
        raise Forbidden("Another site sent this request.", where="Origin", todo="Open Assent itself and repeat.")


async def _form_token(request: Request) -> str:
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() not in _FORMS:
        return ""
    value = (await request.form()).get(CSRF_FIELD)
    return value if isinstance(value, str) else ""

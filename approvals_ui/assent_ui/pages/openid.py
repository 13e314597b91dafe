"""The way to the OpenID provider and back, to sign in or to prove anew who one is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.assurance import FRESH_FOR, Proof
from assent.domain.errors import AssentError, NotFound, NotSignedIn
from assent.store import ceremonies, identities
from assent.store.ceremonies import Ceremony, Purpose
from assent.store.sign_in import SignedIn
from assent_ui.auth import Viewer, browser_of, cookie_name, current_person, maybe_person, refuse_other_sites
from assent_ui.deps import Deps, DepsHere
from assent_ui.identity import proving, tries
from assent_ui.identity.openid import PATH_BACK, Arrival, OpenIdProvider, fresh_proof
from assent_ui.pages.sign_in import entered, own_path, sign_in_page

router = APIRouter()

_LONGEST = 4_000


@router.get("/sign-in/openid")
async def leave(request: Request, deps: DepsHere, next: str = "/") -> Response:
    """Go to the provider to sign in."""
    return await _depart(request, deps, Purpose.OIDC_SIGN_IN, own_path(next))


@router.get("/account/confirm/openid")
async def leave_again(
    request: Request, deps: DepsHere, viewer: Annotated[Viewer, Depends(current_person)], next: str = "/"
) -> Response:
    """Go to the provider to prove anew who one is."""
    refuse_other_sites(request, deps)
    return await _depart(request, deps, Purpose.OIDC_CONFIRM, own_path(next), viewer)


@router.get(PATH_BACK, response_class=HTMLResponse)
async def come_back(
    request: Request, deps: DepsHere, viewer: Annotated[Viewer | None, Depends(maybe_person)]
) -> Response:
    """Somebody comes back from the provider; a state is good once, for the browser that left with it."""
    answer = {name: value for name, value in request.query_params.items() if len(value) <= _LONGEST}
    provider = _provider(deps)
    try:
        confirming, begun = await _begun(request, deps, answer.get("state", ""))
        next = str(begun.content.get("next", "/"))
        arrival = await provider.arrival(answer, {name: str(value) for name, value in begun.content.items()})
        if confirming:
            opened = await _proven(request, deps, viewer, begun, arrival)
        else:
            opened = await _arrived(request, deps, provider, arrival)
    except AssentError as error:
        if isinstance(error, NotSignedIn):
            await tries.refuse(deps, error, request)
        return await sign_in_page(request, deps, "That did not work", "", problem=error, status=error.status)
    return entered(deps, opened, RedirectResponse(own_path(next), status_code=303))


async def _depart(request: Request, deps: Deps, purpose: Purpose, next: str, viewer: Viewer | None = None) -> Response:
    provider = _provider(deps)
    await tries.count_begun(request, deps)
    trip = await provider.trip(again=viewer is not None)
    response = RedirectResponse(trip.address, status_code=303)
    secret, at = proving.own_secret(request, response, deps), deps.clock()
    owner = viewer.id if viewer else ""
    content = trip.content | {"next": next}
    await deps.write(
        lambda session: ceremonies.begin(
            session, trip.state, purpose, browser=secret, at=at, person_id=owner, content=content
        )
    )
    return response


async def _begun(request: Request, deps: Deps, state: str) -> tuple[bool, Ceremony]:
    """What this state was begun for, used up: whether it proves anew, and the ceremony."""
    secret, at = proving.kept_secret(request, deps), deps.clock()

    def used(session: Session) -> tuple[bool, Ceremony] | None:
        for purpose in (Purpose.OIDC_SIGN_IN, Purpose.OIDC_CONFIRM):
            begun = ceremonies.use_up(session, state, purpose, browser=secret, at=at)
            if begun is not None:
                return purpose is Purpose.OIDC_CONFIRM, begun
        return None

    found = await deps.write(used)
    if found is None:
        raise NotSignedIn(
            "This way back was used before, is too old, or was begun in another browser.",
            where="openid",
            todo="Begin again.",
        )
    return found


async def _arrived(request: Request, deps: Deps, provider: OpenIdProvider, arrival: Arrival) -> SignedIn:
    at = deps.clock()
    proven_at = arrival.authenticated_at
    fresh = proven_at is not None and at - FRESH_FOR <= proven_at <= at

    def enter(session: Session) -> SignedIn:
        person = identities.arrive(session, arrival.claimed, create=provider.settings.create_people, at=at)
        return deps.sign_in.let_in(
            session,
            person,
            Proof.OIDC,
            at=at,
            browser=browser_of(request, deps),
            proven_at=proven_at if fresh else None,
        )

    return await deps.write(enter)


async def _proven(request: Request, deps: Deps, viewer: Viewer | None, begun: Ceremony, arrival: Arrival) -> SignedIn:
    at, claimed = deps.clock(), arrival.claimed
    proven_at = fresh_proof(arrival, begun_at=begun.begun_at, now=at)
    token = request.cookies.get(cookie_name(deps), "")

    def noted(session: Session) -> SignedIn:
        bound = identities.person_bound(session, claimed.issuer, claimed.subject)
        if viewer is None or viewer.id != begun.person_id or bound != viewer.id:
            raise NotSignedIn(
                "That was another account than the one you are signed in with.",
                where="openid",
                todo="Choose your own account there.",
            )
        return deps.sign_in.prove(session, token, Proof.OIDC, at=at, proven_at=proven_at)

    return await deps.write(noted)


def _provider(deps: Deps) -> OpenIdProvider:
    if deps.openid is None:
        raise NotFound("No OpenID provider is configured.", where="openid", todo="See ASSENT_OIDC_ISSUER.")
    return deps.openid

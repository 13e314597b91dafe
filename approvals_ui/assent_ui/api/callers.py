"""Who uses the API: people by session, agents by key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated

import anyio.to_thread
from fastapi import Depends, Request

from assent.domain.errors import Forbidden, NotFound, NotSignedIn
from assent.domain.people import Actor, Role, Via
from assent.store import keys
from assent.store.keys import KeyHolder, KeyScope
from assent_ui.auth import Viewer, csrf_protect, maybe_person, still_signed_in
from assent_ui.deps import Deps, DepsHere


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who uses the API: a signed-in person or an agent with a key.

    Attributes:
        viewer: The person, if it is one.
        holder: The agent, if it is one.
    """

    viewer: Viewer | None = None
    holder: KeyHolder | None = None

    @property
    def actor(self) -> Actor:
        """Who acts."""
        if self.holder is not None:
            return self.holder.actor
        assert self.viewer is not None
        return self.viewer.actor

    @property
    def agent(self) -> str | None:
        """The agent whose things they are limited to; ``None`` if they may see everything."""
        return self.holder.agent if self.holder else None

    def require_agent(self, agent: str, what: str, where: str) -> None:
        """Refuse what belongs to another agent, as if it were not there.

        Raises:
            NotFound: It belongs to another agent.
        """
        if self.holder is not None and self.holder.agent != agent:
            raise NotFound(f"There is no {what}.", where=where, todo="An agent's key shows its own runs only.")


async def current_caller(
    request: Request, deps: DepsHere, viewer: Annotated[Viewer | None, Depends(maybe_person)]
) -> Caller:
    """The person or agent that uses the API; a key counts before a cookie.

    Raises:
        NotSignedIn: There is neither, or the key is no good.
        Forbidden: A person's request did not come from their own page.
    """
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        return Caller(holder=await _key_holder(authorization, deps))
    if viewer is None:
        raise NotSignedIn(
            "Nobody is signed in.",
            where="Authorization",
            todo="Agents send `Authorization: Bearer assent_…`; people sign in with a one-time link.",
        )
    await csrf_protect(request, deps, viewer)
    return Caller(viewer=replace(viewer, via=Via.API))


async def still_welcome(request: Request, caller: Caller, deps: Deps) -> bool:
    """Whether what a request came with, a session or a key, is still good."""
    if caller.holder is None:
        return await still_signed_in(request, deps)
    key = request.headers.get("Authorization", "").partition(" ")[2].strip()
    try:
        holder = await deps.read(lambda session: keys.check_key(session, key, at=deps.clock()))
    except NotSignedIn:
        return False
    return KeyScope.RUNS_READ in holder.scopes


async def _key_holder(authorization: str, deps: Deps) -> KeyHolder:
    scheme, _, key = authorization.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise NotSignedIn("The only scheme is Bearer.", where="Authorization", todo="Send `Bearer assent_…`.")
        return await deps.read(lambda session: keys.check_key(session, key.strip(), at=deps.clock()))
    except NotSignedIn as error:
        what, where = error.what, error.where
        await anyio.to_thread.run_sync(lambda: deps.refusals.record("key.refused", what, where=where))
        raise


def require_scope(scope: KeyScope) -> Callable[[Caller], Awaitable[Caller]]:
    """A dependency that gives the caller and refuses keys without a scope."""

    async def checked(caller: Annotated[Caller, Depends(current_caller)]) -> Caller:
        if caller.holder is not None:
            caller.holder.require(scope)
        return caller

    return checked


async def api_person(caller: Annotated[Caller, Depends(current_caller)]) -> Viewer:
    """The signed-in person who uses the API; keys of agents are refused.

    Raises:
        Forbidden: It is an agent.
    """
    if caller.viewer is None:
        raise Forbidden("Only people may do that.", where="Authorization", todo="Sign in instead of sending a key.")
    return caller.viewer


def person_with(role: Role, to: str) -> Callable[[Viewer], Awaitable[Viewer]]:
    """A dependency for the API that gives the signed-in person and refuses those without a role."""

    async def checked(viewer: Annotated[Viewer, Depends(api_person)]) -> Viewer:
        viewer.require(role, to)
        return viewer

    return checked

"""What owners do: publish cards, make and end keys of agents."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from assent.domain.errors import Forbidden, NotFound
from assent.domain.people import Role
from assent.store.keys import make_key, revoke_key
from assent.store.queries import agents
from assent.store.queries.agents import KeyView
from assent_ui.api import identity_schemas as schemas
from assent_ui.api import schemas as common
from assent_ui.api.answers import problems
from assent_ui.api.callers import api_person, person_with
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere

router = APIRouter(tags=["agents"])

Owner = Annotated[Viewer, Depends(person_with(Role.OWNER, "publish cards and manage keys"))]


@router.post("/cards", status_code=201, responses=problems(409))
async def publish_card(body: schemas.CardIn, viewer: Owner, deps: DepsHere) -> schemas.CardOut:
    """Publish a card: it is in force at once. Needs the role owner and a fresh proof.

    `instead_of` is the version it was written for, so that nobody's later one is overwritten unseen.
    """
    viewer.require_fresh("publish a card")
    if deps.cards is None:
        raise Forbidden("Cards cannot be published here.", where="cards", todo="Use `assent agent publish FILE`.")
    publish = partial(deps.cards.publish, body.source, by=viewer.actor, instead_of=body.instead_of)
    done = await anyio.to_thread.run_sync(publish)
    return schemas.CardOut(agent=done.agent, version=done.version, new=done.new)


@router.get("/agents/{name}/keys", responses=problems(404), dependencies=[Depends(api_person)])
async def list_keys(name: str, deps: DepsHere) -> common.Page[schemas.KeyOut]:
    """An agent's keys, newest first, without the keys themselves."""

    def look(session: Session) -> tuple[KeyView, ...]:
        agents.one(session, name)
        return agents.keys(session, name)

    return common.Page(items=[schemas.KeyOut.model_validate(key) for key in await deps.read(look)])


@router.post("/agents/{name}/keys", status_code=201, responses=problems(404))
async def make_agent_key(name: str, body: schemas.KeyIn, viewer: Owner, deps: DepsHere) -> schemas.KeyMade:
    """Make a key; it is shown this once. Needs the role owner and a fresh proof."""
    viewer.require_fresh("make a key")
    at, lifetime = deps.clock(), timedelta(days=body.days) if body.days else None
    made = await deps.write(
        lambda session: make_key(
            session, agent=name, at=at, by=viewer.actor, name=body.name, scopes=body.scopes, lifetime=lifetime
        )
    )
    return schemas.KeyMade(
        id=made.id, agent=made.agent, key=made.key, scopes=list(made.scopes), expires_at=made.expires_at
    )


@router.delete("/agents/{name}/keys/{key_id}", status_code=204, responses=problems(404))
async def revoke_agent_key(name: str, key_id: str, viewer: Owner, deps: DepsHere) -> None:
    """End a key now. Needs the role owner."""
    at = deps.clock()

    def end(session: Session) -> None:
        if key_id not in {key.id for key in agents.keys(session, name)}:
            raise NotFound(f"Agent {name!r} has no key {key_id!r}.", where="key_id", todo="List its keys.")
        revoke_key(session, key_id, at=at, by=viewer.actor)

    await deps.write(end)

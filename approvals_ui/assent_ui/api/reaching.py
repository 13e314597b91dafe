"""How people are reached: by which ways, and at which hours."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from assent.domain.errors import NotFound
from assent.domain.people import Role
from assent.domain.reaching import Reaching
from assent.store import people, reaching
from assent_ui.api.answers import problems
from assent_ui.api.callers import api_person, person_with
from assent_ui.auth import Viewer
from assent_ui.deps import Deps, DepsHere
from assent_ui.identity.own import own_person

router = APIRouter(tags=["account"])

Me = Annotated[Viewer, Depends(api_person)]
Admin = Annotated[Viewer, Depends(person_with(Role.ADMIN, "see how others are reached"))]


class ReachingOut(BaseModel):
    """How somebody is reached."""

    chosen: Reaching = Field(description="What they chose; what they did not choose is as for everybody.")
    ways: list[str] = Field(description="The ways that this installation has at all.", examples=[["slack", "mail"]])
    next_quiet: str = Field(description="When quiet comes or ends next, in their own time; empty without quiet hours.")


@router.get("/me/reaching", responses=problems())
async def show_reaching(viewer: Me, deps: DepsHere) -> ReachingOut:
    """How you are reached."""
    return _out(deps, await deps.read(lambda session: reaching.of_person(session, viewer.id)))


@router.put("/me/reaching", responses=problems())
async def choose_reaching(body: Reaching, viewer: Me, deps: DepsHere) -> ReachingOut:
    """Say how you want to be reached; what is left out goes back to what it is for everybody."""
    at = deps.clock()

    def choose(session: Session) -> Reaching:
        return reaching.choose(session, own_person(session, viewer), body, at=at, by=viewer.actor)

    return _out(deps, await deps.write(choose))


@router.get("/people/{person_id}/reaching", responses=problems(404))
async def show_reaching_of(person_id: str, viewer: Admin, deps: DepsHere) -> ReachingOut:
    """How somebody else is reached. Needs the role admin."""

    def look(session: Session) -> Reaching:
        if people.one(session, person_id) is None:
            raise NotFound(f"There is no person {person_id!r}.", where="person_id", todo="/api/v1/people lists all.")
        return reaching.of_person(session, person_id)

    return _out(deps, await deps.read(look))


def _out(deps: Deps, chosen: Reaching) -> ReachingOut:
    return ReachingOut(chosen=chosen, ways=list(deps.channels), next_quiet=chosen.quiet_words(deps.clock()))

"""Who is asking."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from assent_ui.api import schemas
from assent_ui.api.answers import problems
from assent_ui.api.callers import Caller, current_caller

router = APIRouter(tags=["me"])


@router.get("/me", responses=problems())
async def show_me(caller: Annotated[Caller, Depends(current_caller)]) -> schemas.Me:
    """The signed-in person, with the token their scripts must send, or the agent behind a key."""
    if caller.holder is not None:
        holder = caller.holder
        return schemas.Me(
            kind="agent",
            id=holder.key_id,
            name=holder.agent,
            agent=holder.agent,
            scopes=sorted(scope.value for scope in holder.scopes),
        )
    assert caller.viewer is not None
    viewer = caller.viewer
    return schemas.Me(
        kind="person",
        id=viewer.id,
        name=viewer.name,
        email=viewer.email,
        roles=list(viewer.roles),
        csrf=viewer.csrf,
    )

"""Proofs that an agent's undos work: when each was last seen to, and trying them on scratch records."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from assent.domain.people import Role
from assent.gateway.undo_proofs import UndoState, states_of_agent
from assent.store.keys import KeyScope
from assent.store.queries import agents
from assent_ui.api import undo_proof_schemas as schemas
from assent_ui.api.answers import problems
from assent_ui.api.callers import Caller, api_person, require_scope
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere

router = APIRouter()

Reader = Annotated[Caller, Depends(require_scope(KeyScope.RUNS_READ))]


@router.get("/agents/{name}/undo-proofs", responses=problems(404))
async def list_undo_proofs(name: str, caller: Reader, deps: DepsHere) -> schemas.UndoProofsOut:
    """How each action of an agent is taken back, when that was last seen to work, and what is overdue."""
    caller.require_agent(name, f"agent {name!r}", "name")

    def look(session: Session) -> list[UndoState]:
        agents.one(session, name)
        return states_of_agent(session, name, deps.clock())

    return schemas.UndoProofsOut(items=[schemas.UndoProofOut.of(state) for state in await deps.read(look)])


@router.post("/agents/{name}/undo-proofs", responses=problems(404))
async def prove_undos(
    name: str, body: schemas.ProveIn, viewer: Annotated[Viewer, Depends(api_person)], deps: DepsHere
) -> schemas.ProvenOut:
    """Let a worker try an agent's undos on scratch records: operators and owners. What came of it is kept."""
    require_prover(viewer)
    tried = await deps.gateway.prove_undos(name, by=viewer.actor, type=body.type)
    return schemas.ProvenOut(complete=tried is not None, items=tried or [])


def may_prove(viewer: Viewer) -> bool:
    """Whether somebody may have undos tried: owners as well as operators."""
    return viewer.may(Role.OPERATOR) or viewer.may(Role.OWNER)


def require_prover(viewer: Viewer) -> None:
    """Refuse whoever may not.

    Raises:
        Forbidden: They may not.
    """
    if not viewer.may(Role.OWNER):
        viewer.require(Role.OPERATOR, "prove undos")

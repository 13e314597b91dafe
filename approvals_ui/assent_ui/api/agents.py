"""Agents, their cards, and what they may propose."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from assent.store.keys import KeyScope
from assent.store.queries import agents
from assent.store.queries.agents import AgentView
from assent.store.queries.paging import MAX_LIMIT, Page, PageRequest
from assent_ui.api import schemas, undo_proofs
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import Caller, require_scope
from assent_ui.deps import DepsHere

router = APIRouter(tags=["agents"])
router.include_router(undo_proofs.router)

Reader = Annotated[Caller, Depends(require_scope(KeyScope.RUNS_READ))]


@router.get("/agents", responses=problems())
async def list_agents(
    caller: Reader, deps: DepsHere, page: Annotated[PageRequest, Depends(page_request)]
) -> schemas.Page[schemas.AgentOut]:
    """Agents by name; an agent's key shows its own."""

    def look(session: Session) -> Page[AgentView]:
        if caller.agent is not None:
            return Page((agents.one(session, caller.agent),))
        return agents.page(session, request=page)

    return page_of(await deps.read(look), schemas.AgentOut.model_validate)


@router.get("/agents/{name}", responses=problems(404))
async def show_agent(name: str, caller: Reader, deps: DepsHere) -> schemas.AgentInFull:
    """One agent: its card, its action types, and what it is doing."""
    caller.require_agent(name, f"agent {name!r}", "name")
    return schemas.AgentInFull.model_validate(await deps.read(lambda session: agents.one(session, name)))


@router.get("/action-types", responses=problems(404))
async def list_action_types(
    caller: Reader, deps: DepsHere, agent: Annotated[str | None, Query(max_length=200)] = None
) -> schemas.Page[schemas.ActionTypeOut]:
    """What agents may propose, with the schema of the arguments and how freely it runs; for one agent or for all."""
    if agent is not None:
        caller.require_agent(agent, f"agent {agent!r}", "agent")
    wanted = caller.agent or agent

    def look(session: Session) -> list[AgentView]:
        if wanted is not None:
            return [agents.one(session, wanted)]
        return list(agents.page(session, request=PageRequest(MAX_LIMIT)).items)

    found = await deps.read(look)
    return schemas.Page(items=[_shown(view, name, rule) for view in found for name, rule in _rules(view).items()])


def _rules(view: AgentView) -> dict[str, Any]:
    rules = view.card.get("actions", {})
    return {name: rule for name, rule in rules.items() if name in view.catalogue}


def _shown(view: AgentView, name: str, rule: dict[str, Any]) -> schemas.ActionTypeOut:
    declared = view.catalogue[name]
    return schemas.ActionTypeOut(
        agent=view.name,
        name=name,
        title=declared["title"],
        sentence=declared["sentence"],
        tier=rule["tier"],
        arguments=declared["arguments"],
        speed=declared["speed"],
        reads_only=declared["reads_only"],
        risks=sorted(declared["risks"]),
        undo=declared["undo"],
    )

"""Who may undo: checked at the door as far as the scope names its agents, and again once the plan knows them all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.errors import Forbidden
from assent.domain.people import Actor, Role
from assent.domain.rollbacks import RollbackScope
from assent.policy.cards import AgentCard
from assent.policy.undoing import trusted, why_not_undo
from assent.store import cards, electorate
from assent.store.database import Database
from assent.store.refusals import Refusals
from assent.store.undo_scopes import agents_of


def may_undo(
    database: Database,
    refusals: Refusals,
    scope: RollbackScope,
    by: Actor,
    at: datetime,
    *,
    planned: Iterable[str] | None = None,
) -> None:
    """Refuse somebody who may not undo what the agents in a scope did; the ledger keeps it.

    Args:
        database: For people and cards.
        refusals: What keeps it.
        scope: What is undone.
        by: Who.
        at: When.
        planned: Agents whose work the plan deals with; ``None`` where there is no plan yet.

    Raises:
        Forbidden: They may not; the sentence says why.
    """
    if trusted(by):
        return
    with database.read() as session:
        why_not = why_not_in(session, scope, by, at, planned=planned)
    if why_not:
        refusals.record("rollback.refused", why_not, where=scope.id, via=by.via, actor=by)
        raise Forbidden(why_not, where="rollback", todo="Ask somebody who may.")


def why_not_in(
    session: Session, scope: RollbackScope, by: Actor, at: datetime, *, planned: Iterable[str] | None = None
) -> str:
    """Why somebody may not undo what the agents in a scope did, one sentence; empty if they may.

    A record, an action type or an incident names no agents: once there is a plan, it does. As long as that has none,
    it takes an operator, as where a card says nothing.
    """
    voter = electorate.voter(session, by.id, at)
    if voter is None or not voter.enabled:
        return f"{by.name} is not known here, or may not act."
    concerned = sorted({*agents_of(session, scope), *(planned or ())})
    if planned is not None and not concerned and f"role:{Role.OPERATOR.value}" not in voter.own.tokens:
        return f"{by.name} may not change this rollback; it takes an operator until it is known whose work it is."
    return why_not_undo(_cards(session, concerned), voter.own)


def _cards(session: Session, agents: list[str]) -> list[AgentCard]:
    found = []
    for agent in agents:
        version = cards.version_in_force(session, agent)
        read = None if version is None else cards.read_version(session, agent, version)
        if read is not None:
            found.append(AgentCard.model_validate(read.card))
    return found

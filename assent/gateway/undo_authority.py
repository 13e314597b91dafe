"""Who may undo: checked at the door as far as the scope names its agents, and again once the plan knows them all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.errors import Forbidden
from assent.domain.people import Actor
from assent.domain.rollbacks import RollbackScope
from assent.policy.cards import AgentCard
from assent.policy.undoing import trusted, why_not_undo
from assent.store import cards, electorate
from assent.store.database import Database
from assent.store.refusals import Refusals
from assent.store.undo_scopes import agents_of


def may_undo(database: Database, refusals: Refusals, scope: RollbackScope, by: Actor, at: datetime) -> None:
    """Refuse somebody who may not undo what the agents in a scope did; the ledger keeps it.

    Raises:
        Forbidden: They may not; the sentence says why.
    """
    if trusted(by):
        return
    with database.read() as session:
        why_not = why_not_in(session, scope, by, at)
    if why_not:
        refusals.record("rollback.refused", why_not, where=scope.id, via=by.via, actor=by)
        raise Forbidden(why_not, where="rollback", todo="Ask somebody who may.")


def why_not_in(session: Session, scope: RollbackScope, by: Actor, at: datetime) -> str:
    """Why somebody may not undo what the agents in a scope did, one sentence; empty if they may."""
    voter = electorate.voter(session, by.id, at)
    if voter is None or not voter.enabled:
        return f"{by.name} is not known here, or may not act."
    return why_not_undo(_cards(session, agents_of(session, scope)), voter.own)


def _cards(session: Session, agents: list[str]) -> list[AgentCard]:
    found = []
    for agent in agents:
        version = cards.version_in_force(session, agent)
        read = None if version is None else cards.read_version(session, agent, version)
        if read is not None:
            found.append(AgentCard.model_validate(read.card))
    return found

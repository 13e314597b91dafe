"""Who may undo: checked at the door as far as the scope names its agents, and again once the plan knows them all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.errors import Forbidden
from assent.domain.people import Actor, Role
from assent.domain.rollback_approval import RollbackRules
from assent.domain.rollback_scopes import RollbackScope
from assent.domain.rollbacks import RollbackTotals
from assent.policy.cards import AgentCard
from assent.policy.undoing import longest_window, rollback_rules, trusted, why_not_undo
from assent.store import cards, earlier_undos, electorate
from assent.store.database import Database
from assent.store.refusals import Refusals
from assent.store.undo_scopes import agents_of

LOOKERS = frozenset({Role.OPERATOR, Role.OWNER, Role.APPROVER, Role.AUDITOR, Role.ADMIN})
"""Who may have a preview made; and whom the cards of a scope let undo."""


def may_look(database: Database, refusals: Refusals, scope: RollbackScope, by: Actor, at: datetime) -> None:
    """Refuse a preview to somebody who has nothing to do with undoing: it asks connectors about every effect.

    Args:
        database: For people and cards.
        refusals: What keeps it.
        scope: What would be looked at.
        by: Who.
        at: When.

    Raises:
        Forbidden: They may not.
    """
    if trusted(by):
        return
    with database.read() as session:
        voter = electorate.voter(session, by.id, at)
        tokens = voter.own.tokens if voter is not None and voter.enabled else frozenset()
        may = any(f"role:{role.value}" in tokens for role in LOOKERS)
        if may or (agents_of(session, scope) and not why_not_in(session, scope, by, at)):
            return
    why_not = f"{by.name} may not look at what undoing would do."
    refusals.record("rollback.refused", why_not, where=scope.id, via=by.via, actor=by)
    raise Forbidden(
        why_not,
        where="preview",
        todo="Operators, owners, approvers and auditors may, and whom the agent's card lets undo.",
    )


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


def rules_now(session: Session, totals: RollbackTotals, by: Actor, at: datetime) -> RollbackRules:
    """Who would have to agree if somebody undid what adds up to this now; weighed again when it begins."""
    concerned = _cards(session, sorted(totals.by_agent))
    return rollback_rules(
        concerned,
        totals,
        requester=by.id,
        requester_mailbox=electorate.mailbox(session, by.id),
        asked_at=at,
        earlier=earlier_undos.without_approval(session, since=at - longest_window(concerned)),
    )


def _cards(session: Session, agents: list[str]) -> list[AgentCard]:
    found = []
    for agent in agents:
        version = cards.version_in_force(session, agent)
        read = None if version is None else cards.read_version(session, agent, version)
        if read is not None:
            found.append(AgentCard.model_validate(read.card))
    return found

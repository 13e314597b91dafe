"""What admission must know before anything else, in one statement."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from assent.domain.grants import GrantStatus
from assent.domain.plans import PlanApprovalStatus
from assent.store import statements
from assent.store.database import Database
from assent.store.fence import FENCE
from assent.store.tables import ActionRow, AgentRow, GrantRow, PauseRow, PlanApprovalRow

_agents, _actions, _pauses = (statements.table_of(row) for row in (AgentRow, ActionRow, PauseRow))
_grants, _plans = statements.table_of(GrantRow), statements.table_of(PlanApprovalRow)
_GLANCE = select(
    select(_agents.c.version).where(_agents.c.name == bindparam("agent")).scalar_subquery(),
    select(_actions.c.status).where(_actions.c.action_id == bindparam("action_id")).scalar_subquery(),
    select(_pauses.c.id).where(_pauses.c.active).limit(1).scalar_subquery(),
    select(_grants.c.id)
    .where(
        _grants.c.agent == bindparam("agent"),
        _grants.c.type == bindparam("action_type"),
        _grants.c.status == GrantStatus.ACTIVE.value,
    )
    .limit(1)
    .scalar_subquery(),
    select(_plans.c.id)
    .where(_plans.c.run_id == bindparam("run_id"), _plans.c.status == PlanApprovalStatus.ACTIVE.value)
    .limit(1)
    .scalar_subquery(),
)


@dataclass(frozen=True, slots=True)
class Glance:
    """What was found.

    Attributes:
        card_version: Version of the agent's card in force; ``None`` if there is no such agent.
        known: The action was admitted before.
        paused: At least one pause is in force, whatever it holds.
        granted: The agent has standing grants for the action type.
        planned: The run's plan was approved as a whole.
    """

    card_version: int | None
    known: bool
    paused: bool
    granted: bool = False
    planned: bool = False


def glance(
    database: Database, session: Session, *, agent: str, run_id: str, action_id: str, action_type: str = ""
) -> Glance:
    """Look at the card's version, the action, the pauses and what was approved ahead, under the fence of pauses."""
    database.lock_shared(session, FENCE)
    values = {"agent": agent, "run_id": run_id, "action_id": action_id, "action_type": action_type}
    version, status, pause, grant, plan = tuple(statements.run(session, _GLANCE, values).one())
    return Glance(
        card_version=version,
        known=status is not None,
        paused=pause is not None,
        granted=grant is not None,
        planned=plan is not None,
    )

"""The card of a scratch agent: the agent's own, acting on scratch records, automatically and without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from assent.domain.drills import SCRATCH_SYSTEM, DrillRequest
from assent.domain.errors import NotFound
from assent.domain.people import SYSTEM
from assent.domain.tiers import Tier
from assent.policy.cards import ActionRule, AgentCard
from assent.policy.rollback_block import RollbackBlock
from assent.store import cards
from assent_activities.connectors import Operation
from assent_activities.connectors.scratch import scratch_type_name

_KEPT = ("purpose", "business_owner", "technical_owner", "model_steward", "escalation")
"""What a scratch card takes over as it is; everything else of it is what a card has that says nothing."""

_OWN = (f"{SCRATCH_SYSTEM}.write", f"{SCRATCH_SYSTEM}.write_slowly")
EFFECTS = 100_000
"""Effects that a drill takes back without asking anybody: more than it can have."""

SLOW = _OWN[1]
"""The scratch action type that takes seconds."""


def publish(session: Session, drill: DrillRequest, registry: Mapping[str, Operation]) -> list[str]:
    """Publish the scratch copy of an agent's card in force; again, it changes nothing.

    Returns:
        The names of its action types.

    Raises:
        NotFound: The agent has no card.
    """
    version = cards.version_in_force(session, drill.agent)
    found = cards.read_version(session, drill.agent, version) if version else None
    if found is None:
        raise NotFound(f"There is no agent {drill.agent}.", where="agent", todo="`assent agent list` shows all.")
    card = scratch_card(AgentCard.model_validate(found.card), drill, registry)
    written = card.model_dump(mode="json")
    cards.publish(
        session,
        agent=card.name,
        title=card.title,
        source=f"# The scratch copy of {drill.agent}, version {version}, for {drill.drill_id}.\n",
        card=written,
        catalogue={name: registry[name].type.model_dump(mode="json") for name in sorted(card.actions)},
        at=drill.requested_at,
        by=SYSTEM,
    )
    return list(card.actions)


def scratch_card(card: AgentCard, drill: DrillRequest, registry: Mapping[str, Operation]) -> AgentCard:
    """The scratch copy of a card: a scratch action type for each of its own, all of them automatic."""
    types = [*_OWN, *(name for real in card.actions if (name := scratch_type_name(real)) in registry)]
    kept: dict[str, Any] = {name: getattr(card, name) for name in _KEPT}
    if card.stopping is not None:
        # A drill resumes by itself; everything else about who stops and resumes stays as it is for the agent.
        kept["stopping"] = card.stopping.model_copy(update={"second": False})
    return AgentCard(
        name=drill.scratch,
        title=f"Drill of {card.title or card.name}",
        actions={name: ActionRule(tier=Tier.AUTO) for name in types},
        rollback=RollbackBlock(effects=EFFECTS, window=timedelta(0)),
        **kept,
    )

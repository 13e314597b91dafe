"""What an agent is told instead of a try while a breaker holds what it proposes: the fallback written in its card."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from assent.domain.actions import AdmissionEffect, Reason, Verdict
from assent.policy.breakers_block import Fallback, fallback_for
from assent.policy.cards import AgentCard
from assent.store import trips

RULE = "fallback"
"""Name of the rule in the reasons of an action that was refused by it; breakers on refusals do not count those."""


def fallback_of(session: Session, card: AgentCard, action_type: str, held: Sequence[str]) -> Fallback | None:
    """The fallback of an action that pauses hold, if one of them is a breaker's; asks nothing of a card without any."""
    found = fallback_for(card.fallback, action_type)
    return found if found is not None and trips.any_of(session, held) else None


def told(verdict: Verdict, fallback: Fallback) -> Verdict:
    """The verdict on an action that is refused with the text of its fallback."""
    reason = Reason(rule=RULE, effect=AdmissionEffect.REFUSE, sentence=fallback.sentence)
    return verdict.model_copy(
        update={"effect": AdmissionEffect.REFUSE, "tier": None, "reasons": [reason, *verdict.reasons]}
    )

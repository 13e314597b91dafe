"""What stands between a card and going live beside the card itself: names that are kept, and drills."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.drills import SCRATCH_PREFIX, is_scratch
from assent.domain.errors import BrokenCard, Conflict
from assent.domain.tiers import Tier
from assent.policy.cards import AgentCard
from assent.store.queries import drills


class NotDrilled(Conflict):
    """An agent's stop was not rehearsed as its card asks, so its automatic tiers may not go live."""


def require_own_name(card: AgentCard, *, where: str) -> None:
    """Refuse a name that is kept for the scratch agents of drills.

    Raises:
        BrokenCard: It is one.
    """
    if is_scratch(card.name):
        raise BrokenCard(
            f"Names that begin with {SCRATCH_PREFIX} are kept for drills.",
            where=where,
            todo="Choose another name for the agent.",
        )


def drills_allow(session: Session, card: AgentCard, *, now: datetime) -> list[str]:
    """Warnings about a version that is about to go live while its agent's drills are overdue or failed.

    Raises:
        NotDrilled: The card says that it may not go live then.
    """
    automatic = any(rule.tier in (Tier.AUTO, Tier.VETO) for rule in card.actions.values())
    if card.drills is None or not automatic:
        return []
    block = card.drills.model_dump(mode="json")
    wrong = drills.standing_under(session, card.name, block, now=now).wrong
    if wrong and card.drills.block_live:
        raise NotDrilled(
            f"{wrong} Its card says that no version with automatic tiers goes live then.",
            where="drills.block_live",
            todo=f"Hold one first: `assent drill run {card.name}`. The version in force was not touched.",
        )
    return [f"{wrong} Hold one: `assent drill run {card.name}`."] if wrong else []

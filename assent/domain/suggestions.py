"""Which action types could run more freely, and which should run less freely, by the figures of the last 30 days.

A suggestion is evidence for a person, who changes the card or does not; nothing follows from it by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from assent.domain.catalogue import ActionType
from assent.domain.quality import Figures
from assent.domain.tiers import Risk, Tier
from assent.domain.words import counted

DAYS = 30
"""Days that suggestions look at."""

ENOUGH_DECIDED = 50
"""Decided requests from which on a type may be said to be approved always."""

MOST_HASTY = 0.25
"""Share of hasty approvals above which approving always says little: nobody read what they approved."""

ENOUGH_RAN = 20
"""Effects from which on a share of undone or unknown ones says anything."""

MOST_UNDONE = 0.05
"""Share of effects taken back above which a type that runs by itself should ask."""

MOST_UNKNOWN = 0.01
"""Share of unknown effects above which it should ask."""

ENOUGH_ASKED = 20
"""Decided requests from which on a share of changed ones says anything."""

MOST_CHANGED = 0.30
"""Share of requests changed or refused above which a type that asks should only suggest."""

LONGEST_DISMISSAL = timedelta(days=180)
"""How long a suggestion can be put aside at most."""


class Direction(StrEnum):
    """Where a suggestion leads."""

    FREER = "freer"
    STRICTER = "stricter"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the figures suggest of an agent's action type.

    Attributes:
        agent: The agent.
        type: Name of the action type.
        direction: Freer or stricter.
        tier: The tier it suggests.
        sentence: What it suggests.
        evidence: Why, one sentence each.
        change: The lines of the card that would say so.
    """

    agent: str
    type: str
    direction: Direction
    tier: Tier
    sentence: str
    evidence: tuple[str, ...]
    change: str


def suggest(agent: str, declared: ActionType, tier: Tier, figures: Figures) -> Suggestion | None:
    """What the figures of :data:`DAYS` days suggest, if anything.

    Args:
        agent: The agent.
        declared: The action type as its connector declares it.
        tier: The tier that the card in force gives it.
        figures: Its figures.
    """
    if tier in (Tier.AUTO, Tier.VETO):
        if evidence := _should_ask(figures):
            return _made(agent, declared, Direction.STRICTER, Tier.APPROVE, evidence)
    elif tier is Tier.APPROVE:
        if evidence := _always_approved(declared, figures):
            return _made(agent, declared, Direction.FREER, Tier.AUTO, evidence)
        if evidence := _often_changed(figures):
            return _made(agent, declared, Direction.STRICTER, Tier.SUGGEST, evidence)
    return None


def _made(agent: str, declared: ActionType, direction: Direction, tier: Tier, evidence: list[str]) -> Suggestion:
    sentence = {
        Tier.AUTO: f"{declared.title} could run without asking.",
        Tier.APPROVE: f"{declared.title} should ask a person again.",
        Tier.SUGGEST: f"{declared.title} should only suggest.",
    }[tier]
    change = f"actions:\n  {declared.name}:\n    tier: {tier.word}\n"
    return Suggestion(agent, declared.name, direction, tier, sentence, tuple(evidence), change)


def _always_approved(declared: ActionType, figures: Figures) -> list[str]:
    hasty = figures.hasty_share
    undone = figures.undone_share or 0.0
    fits = (
        figures.decided >= ENOUGH_DECIDED
        and figures.changed == 0
        and figures.unknown == 0
        and undone <= MOST_UNDONE
        and (hasty is None or hasty <= MOST_HASTY)
        and declared.undo is not None
        and Risk.IRREVERSIBLE not in declared.risks
    )
    if not fits:
        return []
    evidence = [
        f"People decided {counted(figures.decided, 'request')} in {DAYS} days, and changed or refused none.",
        f"It can be undone; {counted(figures.undone, 'effect')} of {figures.ran:,} had to be.",
    ]
    if figures.timed:
        read = figures.timed - figures.hasty
        evidence.append(f"{read:,} of {figures.timed:,} approvals with a known time took as long as reading takes.")
    else:
        evidence.append("Nobody knows how long people looked: no approval has a known time.")
    if declared.risks:
        risks = " ".join(risk.sentence for risk in sorted(declared.risks))
        evidence.append(f"Its risks stay: {risks} The card must then have limits for it.")
    return evidence


def _should_ask(figures: Figures) -> list[str]:
    if figures.ran + figures.unknown < ENOUGH_RAN:
        return []
    evidence = []
    if (figures.undone_share or 0.0) > MOST_UNDONE:
        evidence.append(f"{figures.undone:,} of {counted(figures.ran, 'effect')} in {DAYS} days were taken back.")
    if figures.unknown / (figures.ran + figures.unknown) > MOST_UNKNOWN:
        evidence.append(f"Of {counted(figures.unknown, 'effect')} nobody knows whether they happened.")
    return evidence


def _often_changed(figures: Figures) -> list[str]:
    share = figures.changed_share
    if share is None or figures.decided < ENOUGH_ASKED or share <= MOST_CHANGED:
        return []
    return [
        f"People changed or refused {figures.changed:,} of {counted(figures.decided, 'request')} in {DAYS} days:"
        f" {figures.refused:,} refused, {figures.edited:,} edited."
    ]

"""What is known of the undos of an agent's card: which it lacks, and which were not seen to work lately."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.catalogue import ActionType
from assent.domain.errors import NotFound
from assent.domain.tiers import Tier
from assent.gateway.cards import card_in_force
from assent.policy.cards import AgentCard
from assent.policy.undo_proof_block import Proven, UndoState, undo_states
from assent.store import proofs

__all__ = ["UndoState", "flagged_undos", "irreversible", "states_of", "states_of_agent"]


def irreversible(card: AgentCard, types: Mapping[str, ActionType]) -> list[str]:
    """What a card lets run automatically although nothing takes it back by itself, one sentence each."""
    faults = []
    for name, rule in sorted(card.actions.items()):
        type = types[name]
        if rule.tier is not Tier.AUTO or type.undoes_itself:
            continue
        how = "its undo is a task for a person" if type.undo is not None else "its connector declares no undo"
        faults.append(f"{name} may not run automatically: it changes something, and {how}.")
    return faults


def states_of(session: Session, card: AgentCard, types: Iterable[ActionType], now: datetime) -> list[UndoState]:
    """The undos of a card's action types, flagged where the card wants a proof that is not there."""
    declared = list(types)
    names = [type.name for type in declared if not type.reads_only]
    worked, failed = proofs.newest(session, names, worked=True), proofs.newest(session, names, worked=False)
    proven = {
        name: Proven(
            worked_at=worked[name].at if name in worked else None,
            failed_at=failed[name].at if name in failed else None,
            said=failed[name].said if name in failed else "",
            how=worked[name].how if name in worked else "",
            worked_by=worked[name].by.name if name in worked else "",
            failed_by=failed[name].by.name if name in failed else "",
        )
        for name in names
    }
    return undo_states(card.undo_proof, declared, proven, now)


def states_of_agent(session: Session, agent: str, now: datetime) -> list[UndoState]:
    """The undos of the card in force, as its agent's page shows them; empty if it cannot be read."""
    try:
        found = card_in_force(session, agent)
    except NotFound:
        return []
    listed = [type for name, type in found.types.items() if name in found.card.actions]
    return states_of(session, found.card, listed, now)


def flagged_undos(session: Session, card: AgentCard, types: Iterable[ActionType], now: datetime) -> list[str]:
    """Why undos of a card are flagged, one sentence each, with what to do."""
    flagged = [state.fault for state in states_of(session, card, types, now) if state.fault]
    return [f"{fault} Prove it: assent agent prove-undo {card.name}" for fault in flagged]

"""The card in force, as doors that weigh by it need it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from assent.domain.catalogue import ActionType
from assent.domain.errors import Conflict, NotFound
from assent.policy.cards import AgentCard
from assent.store import cards


@dataclass(frozen=True, slots=True)
class CardInForce:
    """An agent's card and what the catalogue declared when it was published."""

    card: AgentCard
    version: int
    types: dict[str, ActionType]


def card_in_force(session: Session, agent: str) -> CardInForce:
    """The card of an agent.

    Raises:
        NotFound: There is no such agent.
    """
    version = cards.version_in_force(session, agent)
    found = None if version is None else cards.read_version(session, agent, version)
    if found is None:
        raise NotFound(f"There is no agent {agent}.", where="agent", todo="`assent agent list` shows all.")
    types = {name: ActionType.model_validate(declared) for name, declared in found.catalogue.items()}
    return CardInForce(AgentCard.model_validate(found.card), found.version, types)


def require_still(session: Session, found: CardInForce) -> None:
    """Refuse what was weighed by a card that is in force no more.

    Weighing a grant or a plan takes long; it is done before the transaction that writes, which nobody shall wait for.

    Raises:
        Conflict: Another version is in force by now.
    """
    if cards.version_in_force(session, found.card.name) != found.version:
        raise Conflict(
            f"The card of {found.card.name} was changed in this moment.",
            where="card",
            todo="Nothing was changed. Look at it again and repeat.",
        )

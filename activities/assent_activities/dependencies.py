"""What activities are given: nothing here reads the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.orm import Session

from assent.domain.clock import Clock
from assent.policy.cards import AgentCard
from assent.store import cards
from assent.store.database import Database
from assent_activities.connectors import Operation
from assent_activities.deadman import ClaimSwitch


@dataclass(frozen=True, slots=True)
class Leases:
    """How long a claim stands without its holder renewing it.

    Attributes:
        quick: Longer than a quick operation may take (see ``QUICK_TIMEOUT`` of the run workflow).
        long: Renewed three times within it.
    """

    quick: timedelta = timedelta(seconds=15)
    long: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Shared by all activities of a worker.

    Attributes:
        database: Assent's own database.
        registry: Operations by the name of their action type.
        clock: The time.
        channels: Where approval requests are announced, ``slack`` say.
        leases: How long claims stand.
        switch: Whether this worker may claim at all.
    """

    database: Database
    registry: Mapping[str, Operation]
    clock: Clock
    channels: Sequence[str] = ()
    leases: Leases = field(default_factory=Leases)
    switch: ClaimSwitch = field(default_factory=ClaimSwitch)


class CardShelf:
    """Published cards, kept in memory: a version never changes."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, int], AgentCard] = {}

    def get(self, session: Session, agent: str, version: int) -> AgentCard:
        """A published version of an agent's card.

        It is read with the caller's session: one that waited for a second connection while its own is held would stop
        a busy worker whose connections are all held like that.
        """
        card = self.known(agent, version)
        if card is None:
            found = cards.read_version(session, agent, version)
            if found is None:
                raise LookupError(f"Version {version} of the card of {agent} is gone from the database.")
            card = self._read[agent, version] = AgentCard.model_validate(found.card)
        return card

    def known(self, agent: str, version: int) -> AgentCard | None:
        """A version that was read before."""
        return self._read.get((agent, version))

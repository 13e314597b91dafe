"""What activities are given: nothing here reads the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache

from assent.domain.clock import Clock
from assent.policy.cards import AgentCard
from assent.store import cards
from assent.store.database import Database
from assent_activities.connectors import Operation


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
    """

    database: Database
    registry: Mapping[str, Operation]
    clock: Clock
    channels: Sequence[str] = ()
    leases: Leases = field(default_factory=Leases)


class CardShelf:
    """Published cards, kept in memory: a version never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read = lru_cache(maxsize=256)(self._load)

    def get(self, agent: str, version: int) -> AgentCard:
        """A published version of an agent's card."""
        return self._read(agent, version)

    def _load(self, agent: str, version: int) -> AgentCard:
        with self._database.read() as session:
            found = cards.read_version(session, agent, version)
        if found is None:
            raise LookupError(f"Version {version} of the card of {agent} is gone from the database.")
        return AgentCard.model_validate(found.card)

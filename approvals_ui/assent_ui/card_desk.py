"""What the pages need of whoever can check and publish a card: the runtime gives it, for it knows the connectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from assent.domain.people import Actor


@dataclass(frozen=True, slots=True)
class CheckedCard:
    """A card that could be published.

    Attributes:
        agent: Whose it is.
        card: Its content.
        warnings: What it grants that admission will not give.
    """

    agent: str
    card: dict[str, Any]
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class PublishedCard:
    """A card that is in force.

    Attributes:
        agent: Whose it is.
        version: Its version.
        new: Whether it says something new.
    """

    agent: str
    version: int
    new: bool


class CardDesk(Protocol):
    """Checks and publishes cards. Both take their time: not within an event loop."""

    def check(self, source: str) -> CheckedCard:
        """Read a card and hold it against what connectors offer.

        Raises:
            BrokenCard: It cannot be published; every fault is named.
            Unavailable: The connectors cannot be asked.
        """

    def publish(self, source: str, *, by: Actor, instead_of: int | None) -> PublishedCard:
        """Publish a card in the place of a version.

        Raises:
            BrokenCard: It cannot be published.
            Conflict: Another version is in force by now.
            Unavailable: The connectors cannot be asked, or the database is away.
        """

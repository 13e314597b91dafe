"""Checks and publishes the cards that owners write in the web pages."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from sqlalchemy.exc import IntegrityError

from assent.domain.errors import AssentError, Conflict, Unavailable
from assent.domain.people import Actor
from assent.policy.cards import read_card
from assent.runtime.cards import checked_card, publish_card
from assent.runtime.connectors import Connectors
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent_activities.connectors import Operation
from assent_ui.card_desk import CheckedCard, PublishedCard

WHERE = "card"


class Desk:
    """A card desk that knows the connectors of these settings.

    Args:
        settings: Names the connectors; they are loaded when the first card is checked.
        database: Where cards are kept.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._registry: Mapping[str, Operation] | None = None
        self._loading = threading.Lock()

    def check(self, source: str) -> CheckedCard:
        """Read a card and hold it against what connectors offer."""
        registry = self._operations()
        card, warnings = checked_card(registry, source, where=WHERE)
        return CheckedCard(card.name, card.model_dump(mode="json"), warnings)

    def publish(self, source: str, *, by: Actor, instead_of: int | None) -> PublishedCard:
        """Publish a card in the place of a version."""
        registry = self._operations()
        try:
            done = publish_card(self._database, registry, source, where=WHERE, by=by, only_after=(instead_of,))
        except IntegrityError as error:
            name = read_card(source, where=WHERE).name
            raise Conflict(
                f"Somebody published another card of {name} at this moment.", where="version", todo="Check it again."
            ) from error
        return PublishedCard(done.agent, done.version, done.new)

    def _operations(self) -> Mapping[str, Operation]:
        with self._loading:
            if self._registry is None:
                try:
                    connectors = Connectors(self._settings)
                except AssentError as error:
                    raise Unavailable(
                        f"The connectors cannot be asked: {error.what}", where=error.where, todo=error.todo
                    ) from error
                self._registry = connectors.registry
                # What they declare stays; their connections are not needed here.
                connectors.close()
            return self._registry

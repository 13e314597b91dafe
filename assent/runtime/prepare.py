"""What must be true before workers and web start: the schema is current, the cards are published."""

from __future__ import annotations

from collections.abc import Callable

from assent.domain.people import SYSTEM
from assent.runtime.cards import publish_folder
from assent.runtime.connectors import Connectors
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent.store.migrate import migrate


def prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """Migrate the database and publish the cards of the configured folders.

    Raises:
        BrokenCard: A card cannot be published.
        Unavailable: The database is away.
    """
    database = Database(settings.database_url)
    try:
        before, after = migrate(database)
        if before != after:
            say(f"Database: brought from {before or 'empty'} to revision {after}")
        publish_cards(settings, database, say)
    finally:
        database.close()


def publish_cards(settings: Settings, database: Database, say: Callable[[str], None]) -> None:
    """Publish the cards of the configured folders; a card that a person published since is left alone.

    Raises:
        BrokenCard: A card cannot be published.
        Unavailable: The database is away.
    """
    if not settings.cards:
        return
    connectors = Connectors(settings)
    try:
        for folder in settings.cards:
            for card in publish_folder(database, connectors.registry, folder, by=SYSTEM):
                if card.kept:
                    say(f"Agent {card.agent}: card version {card.version}, published by {card.kept}, stays in force")
                elif card.new:
                    say(f"Agent {card.agent}: card version {card.version} is in force")
                for warning in card.warnings:
                    say(f"  note: {warning}")
    finally:
        connectors.close()

"""Publishing agent cards: read, check against the catalogue, store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assent.domain.errors import BrokenCard
from assent.domain.people import Actor
from assent.domain.tiers import Tier
from assent.policy.cards import AgentCard, read_card
from assent.store import cards
from assent.store.database import Database
from assent_activities.connectors import Operation


@dataclass(frozen=True, slots=True)
class Published:
    """What came of publishing a card."""

    agent: str
    version: int
    new: bool
    warnings: list[str]
    kept: str = ""
    """Who published the version in force, if that is why this card was left alone."""


def publish_card(
    database: Database, registry: Mapping[str, Operation], source: str, *, where: str, by: Actor
) -> Published:
    """Publish a card; the same card again changes nothing.

    Args:
        database: Assent's database.
        registry: Operations by action type.
        source: The card in YAML.
        where: Its file, for errors.
        by: Who publishes it.

    Raises:
        BrokenCard: It cannot be read, or lists what no connector offers. The version in force stays.
        Unavailable: The database is away.
    """
    card = read_card(source, where=where)
    unknown = sorted(set(card.actions) - set(registry))
    if unknown:
        raise BrokenCard(
            f"No connector offers {', '.join(unknown)}.",
            where=where,
            todo="Correct the names, or add the connector to ASSENT_CONNECTORS.",
        )
    catalogue = {name: registry[name].type.model_dump(mode="json") for name in sorted(card.actions)}
    with database.write() as session:
        version, new = cards.publish(
            session,
            agent=card.name,
            title=card.title or card.name,
            source=source,
            card=card.model_dump(mode="json"),
            catalogue=catalogue,
            at=datetime.now(UTC),
            by=by,
        )
    return Published(card.name, version, new, _warnings(card, registry))


def publish_folder(
    database: Database, registry: Mapping[str, Operation], folder: Path, *, by: Actor
) -> list[Published]:
    """Publish every card of a folder, in the order of their names.

    A card that a person has published since is left alone: a folder must not take back what its owner changed.
    """
    if not folder.is_dir():
        raise BrokenCard("There is no such folder of cards.", where=str(folder), todo="Correct ASSENT_CARDS.")
    files = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    return [_publish_file(database, registry, file, by) for file in files]


def _publish_file(database: Database, registry: Mapping[str, Operation], file: Path, by: Actor) -> Published:
    source = file.read_text(encoding="utf-8")
    name = read_card(source, where=str(file)).name
    with database.read() as session:
        newest = cards.published_by(session, name)
    if newest is not None and newest[1] != by.name:
        return Published(name, newest[0], new=False, warnings=[], kept=newest[1])
    return publish_card(database, registry, source, where=str(file), by=by)


def _warnings(card: AgentCard, registry: Mapping[str, Operation]) -> list[str]:
    """What the card grants that admission will not give."""
    warnings = []
    for name, rule in card.actions.items():
        type = registry[name].type
        if rule.tier is not Tier.AUTO or not type.risks:
            continue
        risks = ", ".join(sorted(type.risks))
        if type.undo is None:
            warnings.append(f"{name} is {risks} and cannot be undone, so a person will approve it all the same.")
        elif not rule.limits:
            warnings.append(f"{name} is {risks} and has no limits, so a person will approve it all the same.")
    return warnings

"""Publishing agent cards: read, check against the catalogue, store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from assent.domain.errors import BrokenCard, Conflict
from assent.domain.people import SYSTEM, Actor
from assent.domain.tiers import Tier
from assent.gateway.undo_proofs import flagged_undos, irreversible
from assent.policy.approval_block import CONTACTS, ON_CALL
from assent.policy.breakers_block import catalogue_faults
from assent.policy.cards import AgentCard, read_card
from assent.runtime.card_gates import NotDrilled, drills_allow, require_own_name
from assent.store import cards, checks, groups
from assent.store.database import Database
from assent_activities.connectors import Operation, probes_of


@dataclass(frozen=True, slots=True)
class Published:
    """What came of publishing a card."""

    agent: str
    version: int
    new: bool
    warnings: list[str]
    kept: str = ""
    """Who published the version in force, if that is why this card was left alone."""


def checked_card(registry: Mapping[str, Operation], source: str, *, where: str) -> tuple[AgentCard, list[str]]:
    """A card that could be published, and what it grants that admission will not give.

    Raises:
        BrokenCard: It cannot be read, or lists what no connector offers.
    """
    card = read_card(source, where=where)
    require_own_name(card, where=where)
    unknown = sorted(set(card.actions) - set(registry))
    if unknown:
        raise BrokenCard(
            f"No connector offers {', '.join(unknown)}.",
            where=where,
            todo="Correct the names, or add the connector to ASSENT_CONNECTORS.",
        )
    types = {name: registry[name].type for name in card.actions}
    if faults := catalogue_faults(card.breakers, types, probes_of(registry)):
        raise BrokenCard(
            " ".join(faults),
            where=where,
            todo="Correct the card's breakers and publish it again; the version in force was not touched.",
        )
    if faults := irreversible(card, types):
        raise BrokenCard(
            " ".join(faults),
            where=where,
            todo="Let people approve it (`tier: approve`), or have its connector declare an undo that works by itself; "
            "the version in force was not touched.",
        )
    return card, _warnings(card, registry)


def publish_card(
    database: Database,
    registry: Mapping[str, Operation],
    source: str,
    *,
    where: str,
    by: Actor,
    only_after: tuple[int | None] | None = None,
) -> Published:
    """Publish a card; the same card again changes nothing.

    Args:
        database: Assent's database.
        registry: Operations by action type.
        source: The card in YAML.
        where: Its file, for errors.
        by: Who publishes it.
        only_after: The version that must be in force for it, in a tuple; ``None`` in it if there must be none.

    Raises:
        BrokenCard: It cannot be read, or lists what no connector offers. The version in force stays.
        Conflict: Another version is in force than the one it was written for.
        NotDrilled: Its card says that no version with automatic tiers goes live before a drill has passed.
        Unavailable: The database is away.
    """
    card, warnings = checked_card(registry, source, where=where)
    catalogue = {name: registry[name].type.model_dump(mode="json") for name in sorted(card.actions)}
    with database.write() as session:
        if only_after is not None and (now := cards.version_in_force(session, card.name)) != only_after[0]:
            raise Conflict(
                f"Version {now} of {card.name} came into force meanwhile.",
                where="version",
                todo="Look at what is different now, and publish again.",
            )
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
        if new:
            warnings = [*warnings, *drills_allow(session, card, now=datetime.now(UTC))]
        if card.checks is None:
            checks.end(session, card.name, at=datetime.now(UTC), by=by)
        else:
            checks.announce(
                session, card.name, one_in=card.checks.one_in, a_day=card.checks.a_day, at=datetime.now(UTC), by=by
            )
        nobody = [] if by == SYSTEM else _groups_of_nobody(session, card)
        flagged = flagged_undos(session, card, [registry[name].type for name in card.actions], datetime.now(UTC))
    return Published(card.name, version, new, [*warnings, *flagged, *nobody])


def _groups_of_nobody(session: Session, card: AgentCard) -> list[str]:
    """A warning for each group that the card asks and that is empty, or not there."""
    asked = {who for name in card.actions for who in card.approving(name).asked}
    return [
        f"Nobody is in the group {name}, which the card asks to decide."
        for name in sorted(filter(_is_group, asked))
        if not groups.members(session, name)
    ]


def _is_group(expression: str) -> bool:
    return "@" not in expression and ":" not in expression and expression not in (*CONTACTS, ON_CALL)


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
    try:
        return publish_card(database, registry, source, where=str(file), by=by)
    except NotDrilled as error:
        # A process must start all the same: the version in force stays, and the reason is told.
        assert newest is not None
        return Published(name, newest[0], new=False, warnings=[str(error)])


def _warnings(card: AgentCard, registry: Mapping[str, Operation]) -> list[str]:
    """What the card grants that admission will not give."""
    warnings = []
    for name, rule in card.actions.items():
        type = registry[name].type
        if rule.tier is not Tier.AUTO or not type.risks:
            continue
        risks = ", ".join(sorted(type.risks))
        if not type.undoes_itself:
            warnings.append(f"{name} is {risks} and cannot be undone, so a person will approve it all the same.")
        elif not rule.limits:
            warnings.append(f"{name} is {risks} and has no limits, so a person will approve it all the same.")
    return warnings

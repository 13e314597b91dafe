"""Folders of cards: published at start, and never against what a person published since."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.domain.errors import BrokenCard
from assent.domain.people import SYSTEM
from assent.runtime.cards import publish_card, publish_folder
from assent.runtime.settings import Settings
from assent.store import groups, people
from assent.store.cards import version_in_force
from assent.store.database import Database
from assent_activities.connectors import build_registry
from tests.databases import prepare
from tests.desk import CARD, Desk
from tests.world import ANN

REGISTRY = build_registry([Desk()])


@pytest.fixture
def database(settings: Settings) -> Database:
    database = Database(settings.database_url)
    prepare(database)
    return database


def in_force(database: Database) -> int | None:
    with database.read() as session:
        return version_in_force(session, "desk-clerk")


def test_a_folder_follows_its_files_until_a_person_publishes(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(CARD)
    assert [card.new for card in publish_folder(database, REGISTRY, tmp_path, by=SYSTEM)] == [True]
    assert [card.new for card in publish_folder(database, REGISTRY, tmp_path, by=SYSTEM)] == [False]
    file.write_text(CARD.replace("max: 5", "max: 6"))
    assert [card.version for card in publish_folder(database, REGISTRY, tmp_path, by=SYSTEM)] == [2]
    publish_card(database, REGISTRY, CARD.replace("max: 5", "max: 7"), where="by hand", by=ANN)
    (kept,) = publish_folder(database, REGISTRY, tmp_path, by=SYSTEM)
    assert (kept.kept, kept.version, in_force(database)) == (ANN.name, 3, 3)


def test_a_card_with_an_unknown_action_type_leaves_the_old_one_in_force(database: Database) -> None:
    publish_card(database, REGISTRY, CARD, where="good", by=ANN)
    with pytest.raises(BrokenCard, match=r"desk\.burn"):
        publish_card(database, REGISTRY, CARD.replace("desk.idea:", "desk.burn:"), where="bad", by=ANN)
    assert in_force(database) == 1


def test_a_grant_that_admission_will_not_give_is_warned_of(database: Database) -> None:
    generous = CARD.replace("  desk.pay:\n    tier: approve\n    expires: 1h\n", "  desk.pay: {tier: auto}\n")
    done = publish_card(database, REGISTRY, generous, where="generous", by=ANN)
    assert done.warnings == ["desk.pay is money and has no limits, so a person will approve it all the same."]


def test_a_group_that_is_asked_and_empty_is_warned_of(database: Database) -> None:
    asks = CARD + "approval: {need: [{of: finance}, {of: 'role:approver'}], escalate: [{after: 1h, to: [duty]}]}\n"
    done = publish_card(database, REGISTRY, asks, where="asks", by=ANN)
    assert done.warnings == [
        f"Nobody is in the group {name}, which the card asks to decide." for name in ("duty", "finance")
    ]
    with database.write() as session:
        ann = people.add(session, email="ann@example.com", at=datetime.now(UTC))
        for name in ("duty", "finance"):
            groups.create(session, name, at=datetime.now(UTC), by=ANN)
            groups.add(session, name, ann.id, at=datetime.now(UTC), by=ANN)
    assert publish_card(database, REGISTRY, asks, where="asks", by=ANN).warnings == []


def test_a_missing_folder_is_named(database: Database, tmp_path: Path) -> None:
    with pytest.raises(BrokenCard, match="no such folder"):
        publish_folder(database, REGISTRY, tmp_path / "nowhere", by=SYSTEM)

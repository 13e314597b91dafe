"""The shop's people: whoever administers the installation can decide, and what needs two people needs two."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assent.domain.actions import ProposedAction
from assent.domain.ballots import Ballot, weigh
from assent.domain.canonical import Json
from assent.domain.people import SYSTEM, Assurance, Role
from assent.domain.voting import why_not_approve
from assent.policy.approving import resolve
from assent.policy.cards import read_card
from assent.runtime.settings import Settings
from assent.store import electorate, groups, people
from assent.store.database import Database
from assent_shop import sample
from assent_shop.team import LEADS, SUPPORT
from tests.databases import prepare


@pytest.fixture
def database(settings: Settings) -> Database:
    """Migrated, with nobody in it yet."""
    database = Database(settings.database_url)
    prepare(database)
    return database


def gathered(settings: Settings) -> list[str]:
    said: list[str] = []
    sample.prepare(settings, said.append)
    return said


def test_the_first_person_is_in_both_groups_and_nothing_is_done_twice(settings: Settings, database: Database) -> None:
    assert gathered(settings) == [
        "Shop: the group support is Noor Haddad, You",
        "Shop: the group support-leads is Marta Lindqvist, You",
    ]
    assert gathered(settings) == []
    with database.write() as session:
        you = people.named(session, "you@localhost")
        groups.remove(session, SUPPORT, you.id, at=datetime.now(UTC), by=SYSTEM)
    assert gathered(settings) == []
    with database.read() as session:
        assert groups.groups_of(session, you.id) == {LEADS}


def test_an_installation_that_has_people_keeps_them(settings: Settings, database: Database) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        people.add(session, email="ada@example.com", name="Ada", roles=[Role.ADMIN], at=now)
        people.add(session, email="bea@example.com", name="Bea", roles=[Role.APPROVER], at=now)
        people.add(session, email="cy@example.com", name="Cy", roles=[Role.AUDITOR], at=now)
    assert gathered(settings) == [
        "Shop: the group support is Ada, Bea, Noor Haddad",
        "Shop: the group support-leads is Ada, Marta Lindqvist",
    ]


@pytest.mark.parametrize(
    ("type", "arguments", "alone"),
    [
        ("shop.cancel_pending_order", {"order_id": "#A1001", "reason": "no longer needed"}, True),
        ("shop.return_delivered_order_items", {"order_id": "#A1001", "item_ids": ["1", "2"]}, True),
        ("shop.return_delivered_order_items", {"order_id": "#A1001", "item_ids": ["1", "2", "3"]}, False),
        ("shop.give_store_credit", {"amount": 25.0}, True),
        ("shop.give_store_credit", {"amount": 40.0}, True),
    ],
)
def test_one_person_decides_all_but_large_returns(
    settings: Settings,
    database: Database,
    type: str,
    arguments: dict[str, Json],
    alone: bool,
) -> None:
    gathered(settings)
    action = ProposedAction(key="a", type=type, arguments=arguments)
    card = read_card((sample.CARDS / "shop-support.yaml").read_text("utf-8"))
    rules = resolve(card, action, run_id="run-1", requester="shop-support")
    now = datetime.now(UTC)
    with database.read() as session:
        voters = []
        for email in ("you@localhost", "noor.haddad@shop.example"):
            voter = electorate.voter(session, people.named(session, email).id, now, electorate=rules.electorate)
            assert voter is not None
            voters.append(voter)
    you, noor = voters
    assert why_not_approve(rules.electorate, you, Assurance.SESSION) == ""
    assert weigh(rules.electorate, [Ballot("1", you)]).met is alone
    if not alone:
        assert weigh(rules.electorate, [Ballot("1", you), Ballot("2", noor)]).met

"""Proving undos: on scratch records of real connectors, kept with a date, and flagged when they are missing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.domain.canonical import Json
from assent.domain.effects import Performed
from assent.domain.people import SYSTEM
from assent.domain.proving import TriedUndo
from assent.gateway.undo_proofs import states_of
from assent.policy.cards import read_card
from assent.runtime.cards import publish_card
from assent.runtime.proving import prove_undos
from assent.store import proofs
from assent.store.database import Database
from assent.store.proofs import Proof
from assent_activities.connectors import Call, Connector, ConnectorEnvironment, build_registry
from assent_activities.connectors.sql_rows import Row, build
from assent_activities.proving import CannotTry, NotProven, prove
from assent_shop import rules
from assent_shop.connector import build as build_shop
from assent_shop.rules import Changed
from tests.activities.stage import Stage
from tests.databases import KINDS, empty_database, prepare
from tests.desk import CARD
from tests.settling.crm import clerk_card, run
from tests.world import ANN

NOW = datetime(2030, 6, 1, tzinfo=UTC)
_TABLES = """
CREATE TABLE customers (id VARCHAR(9) PRIMARY KEY, name VARCHAR(4) NOT NULL, vip BOOLEAN, born DATE,
                        rating NUMERIC(4,1), region VARCHAR(2) NOT NULL DEFAULT 'EU');
CREATE TABLE stock (shelf VARCHAR(5), item VARCHAR(5), amount INTEGER NOT NULL, PRIMARY KEY (shelf, item));
CREATE TABLE empty (id VARCHAR(9) PRIMARY KEY, word VARCHAR(9));
INSERT INTO customers (id, name, born, region) VALUES ('a', 'Anna', '2000-02-29', 'EU'), ('b', 'Bob', NULL, 'US');
INSERT INTO stock VALUES ('A', 'x', 5)
"""
_OPTIONS: dict[str, Json] = {
    "name": "crm",
    "tables": {
        "customers": {"allow": ["get", "insert", "update"], "columns": ["id", "name", "vip"], "only": {"region": "EU"}},
        "stock": {"allow": ["update", "delete"], "columns": ["amount"]},
        "empty": {"allow": ["update"], "columns": ["word"]},
    },
}
_CRM = clerk_card("customers.get", "customers.insert", "customers.update", "stock.delete", "empty.update")


@pytest.fixture(params=KINDS)
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connector]:
    """Rows in a database of each kind."""
    with empty_database(request.param, request, tmp_path) as url:
        run(url, *filter(str.strip, _TABLES.split(";")))
        connector = build(ConnectorEnvironment(tmp_path, {**_OPTIONS, "url": url}))
        yield connector
        connector.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Assent's own database."""
    made = Database(f"sqlite:///{tmp_path / 'own' / 'assent.db'}")
    prepare(made)
    yield made
    made.close()


def tried(database: Database, connector: Connector, agent: str, *, type: str | None = None) -> dict[str, TriedUndo]:
    registry = build_registry([connector])
    found = prove_undos(database, registry, agent, type=type, by=ANN, clock=lambda: NOW, progress=lambda each: None)
    return {each.type: each for each in found}


def content(connector: Connector) -> list[Json]:
    """Everything that an agent can see of the customers."""
    [get] = [each for each in connector.operations() if each.type.name == "crm.customers.get"]
    return [get.perform(Call(f"look-{row}", {"row": row}, "a", "r")).result for row in ("a",)]


def test_rows_are_tried_in_a_transaction_that_is_taken_back(database: Database, crm: Connector) -> None:
    before = content(crm)
    publish_card(database, build_registry([crm]), _CRM, where="card", by=SYSTEM)
    found = tried(database, crm, "crm-clerk")
    assert {name: each.worked for name, each in found.items()} == {
        "crm.customers.insert": True,
        "crm.customers.update": True,
        "crm.stock.delete": True,
        "crm.empty.update": None,
    }
    assert "crm/customers/a" in found["crm.customers.update"].said
    assert "no empty to try it on" in found["crm.empty.update"].said
    assert content(crm) == before
    again = tried(database, crm, "crm-clerk", type="crm.stock.delete")
    assert again["crm.stock.delete"].worked


def test_proofs_are_kept_with_their_date_and_missing_ones_are_flagged(database: Database, crm: Connector) -> None:
    registry = build_registry([crm])
    first = publish_card(database, registry, _CRM, where="card", by=SYSTEM)
    assert [each for each in first.warnings if "never seen to work" in each]
    tried(database, crm, "crm-clerk")
    types = [registry[name].type for name in read_card(_CRM).actions]
    with database.read() as session:
        now = {each.type: each for each in states_of(session, read_card(_CRM), types, NOW + timedelta(days=29))}
        later = {each.type: each for each in states_of(session, read_card(_CRM), types, NOW + timedelta(days=31))}
    assert [name for name, each in now.items() if each.fault] == ["crm.empty.update"]
    assert now["crm.stock.delete"].proven.worked_at == NOW
    assert "31 days ago" in later["crm.stock.delete"].fault
    assert "every 30d" in later["crm.stock.delete"].fault


def test_every_change_of_the_shop_can_be_tried(tmp_path: Path) -> None:
    shop = build_shop(ConnectorEnvironment(tmp_path, {"mail_seconds": 0}))
    try:
        said = {}
        for operation in shop.operations():
            if not operation.type.reads_only:
                said[operation.type.name] = prove(operation, agent="shop-support")
        assert len(said) == 10
        assert "the counter-message was written once" in said.pop("shop.send_customer_mail")
        assert "balanced once" in said.pop("shop.give_store_credit")
        assert all("afterwards everything was as before" in each for each in said.values())
    finally:
        shop.close()


def test_an_undo_that_does_not_restore_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = build_shop(ConnectorEnvironment(tmp_path, {"mail_seconds": 0}))
    [move] = [each for each in shop.operations() if each.type.name == "shop.modify_user_address"]
    kind = type(move)
    lies = Performed(changes=[])
    try:
        monkeypatch.setattr(kind, "undo", lambda self, call, data: lies)
        with pytest.raises(NotProven, match="changed nothing"):
            prove(move, agent="a")
        monkeypatch.undo()
        real = kind.undo

        def half(self: object, call: Call, data: Json) -> Performed:
            done = real(self, call, data)  # type: ignore[arg-type]
            self.perform(dataclasses.replace(call, key=call.key + "again"))  # type: ignore[attr-defined]
            return done

        monkeypatch.setattr(kind, "undo", half)
        with pytest.raises(NotProven, match="is not what it was"):
            prove(move, agent="a")
    finally:
        shop.close()


def test_a_charge_that_does_not_balance_a_credit_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = build_shop(ConnectorEnvironment(tmp_path, {"mail_seconds": 0}))
    [credit] = [each for each in shop.operations() if each.type.name == "shop.give_store_credit"]
    real = rules.charge_back

    def half(user: Row, *, gift_card_id: str, amount: float) -> Changed:
        return real(user, gift_card_id=gift_card_id, amount=amount / 2)

    monkeypatch.setattr(rules, "charge_back", half)
    try:
        with pytest.raises(NotProven, match=r"shop/users/\S+ is not what it was"):
            prove(credit, agent="a")
    finally:
        shop.close()


def test_a_failed_proof_is_flagged_whatever_the_card_says(stage: Stage) -> None:
    card = read_card(CARD)
    types = [stage.registry[name].type for name in card.actions]
    with stage.database.write() as session:
        proofs.note(session, Proof("desk.note", NOW, True, proofs.TRIAL, ANN))
        proofs.note(session, Proof("desk.note", NOW + timedelta(days=1), False, proofs.TRIAL, ANN, said="It is glued."))
    with stage.database.read() as session:
        faults = [each.fault for each in states_of(session, card, types, NOW) if each.fault]
    assert faults == ["The undo of desk.note failed when it was last tried (2030-06-02): It is glued."]
    assert stage.events()[-2:] == ["undo.proven", "undo.not_proven"]


def test_what_offers_no_scratch_records_cannot_be_tried(stage: Stage) -> None:
    with pytest.raises(CannotTry, match="offers no scratch records"):
        prove(stage.registry["desk.note"], agent="desk-clerk")
    with pytest.raises(CannotTry, match="no undo that works by itself"):
        prove(stage.registry["desk.idea"], agent="desk-clerk")

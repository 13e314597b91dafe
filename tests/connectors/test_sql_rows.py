"""The generic connector: what a connectors file allows, with schemas from the database itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import create_engine, text

from assent.domain.canonical import Json
from assent.domain.catalogue import SECRET
from assent.domain.errors import InvalidInput, Unavailable
from assent.domain.paths import matches
from assent.domain.tiers import Risk
from assent.policy.sentences import fill, redacted
from assent_activities.connectors.contract import (
    ActionFailed,
    Call,
    ConnectorEnvironment,
    Operation,
    UndoConflict,
    build_registry,
)
from assent_activities.connectors.sql_rows import build

_TABLES = """
CREATE TABLE customers (id NUMBERED, name VARCHAR(40) NOT NULL, email VARCHAR(60), vip BOOLEAN,
                        region VARCHAR(2) NOT NULL DEFAULT 'EU', rating NUMERIC(4,1), secret VARCHAR(9));
CREATE TABLE stock (shelf VARCHAR(5), item VARCHAR(5), amount INTEGER NOT NULL, PRIMARY KEY (shelf, item));
CREATE TABLE plain (word VARCHAR(9));
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id) ON DELETE CASCADE);
INSERT INTO customers (id, name, email, region, rating) VALUES (-1, 'Anna', 'anna@example.com', 'EU', 4.5);
INSERT INTO customers (id, name, region) VALUES (-2, 'Bob', 'US');
INSERT INTO stock VALUES ('A', 'x', 5);
"""

_OPTIONS: dict[str, Json] = {
    "name": "crm",
    "tables": {
        "customers": {
            "title": "customer",
            "allow": ["get", "insert", "update"],
            "columns": ["name", "email", "vip", "rating"],
            "readable": ["id", "name", "email", "region", "rating"],
            "only": {"region": "EU"},
            "risks": ["customer_facing"],
        },
        "shelves": {"table": "stock", "allow": ["update", "delete"], "columns": ["amount"], "undo_within": 3600},
    },
}


@pytest.fixture
def url(database_url: str) -> str:
    engine = create_engine(database_url)
    number = "INTEGER PRIMARY KEY" if engine.dialect.name == "sqlite" else "SERIAL PRIMARY KEY"
    with engine.begin() as connection:
        for statement in filter(str.strip, _TABLES.replace("NUMBERED", number).split(";")):
            connection.execute(text(statement))
    engine.dispose()
    return database_url


@pytest.fixture
def operations(url: str, tmp_path: Path) -> Iterator[dict[str, Operation]]:
    connector = build(ConnectorEnvironment(tmp_path, {**_OPTIONS, "url": url}))
    yield dict(build_registry([connector]))
    connector.close()


def _call(key: str = "r:1", **arguments: Json) -> Call:
    return Call(key=key, arguments=arguments, agent="a", run_id="r")


def test_only_what_is_allowed_is_offered(operations: dict[str, Operation]) -> None:
    assert set(operations) == {
        "crm.customers.get",
        "crm.customers.insert",
        "crm.customers.update",
        "crm.shelves.update",
        "crm.shelves.delete",
    }
    get, update = operations["crm.customers.get"].type, operations["crm.customers.update"].type
    assert get.reads_only
    assert get.undo is None
    assert not get.risks
    assert update.risks == {Risk.CUSTOMER_FACING}
    assert update.undo is not None
    assert update.sentence == "Change the customer {row}: set {set}."


def test_schemas_come_from_the_columns(operations: dict[str, Operation]) -> None:
    insert = operations["crm.customers.insert"].type.arguments
    assert insert["properties"]["values"]["required"] == ["name"]
    assert insert["properties"]["values"]["properties"]["email"] == {"type": ["string", "null"], "maxLength": 60}
    delete = Draft202012Validator(operations["crm.shelves.delete"].type.arguments)
    assert delete.is_valid({"row": {"shelf": "A", "item": "x"}, "expected": {"amount": 5}})
    assert not delete.is_valid({"row": {"shelf": "A"}})
    update = Draft202012Validator(operations["crm.customers.update"].type.arguments)
    assert update.is_valid({"row": -1, "set": {"vip": True, "rating": "3.5"}})
    for wrong in ({"row": -1, "set": {}}, {"row": -1, "set": {"region": "US"}}, {"row": "1", "set": {"name": "x"}}):
        assert not update.is_valid(wrong)


def test_get_answers_with_readable_columns(operations: dict[str, Operation]) -> None:
    done = operations["crm.customers.get"].perform(_call(row=-1))
    assert done.result == {"id": -1, "name": "Anna", "email": "anna@example.com", "region": "EU", "rating": "4.5"}
    assert done.changes == []
    with pytest.raises(ActionFailed, match="There is no customer 7"):
        operations["crm.customers.get"].perform(_call(row=7))


def test_insert_update_delete_and_their_undo(operations: dict[str, Operation]) -> None:
    insert, update = operations["crm.customers.insert"], operations["crm.customers.update"]
    added = insert.perform(_call("r:1", values={"name": "Cleo"}))
    row = added.result["id"]
    assert added.result["region"] == "EU"
    changed = update.perform(_call("r:2", row=row, set={"rating": 2}, expected={"name": "Cleo"}))
    assert changed.result["rating"] == "2.0"
    with pytest.raises(UndoConflict, match="rating is different"):
        insert.undo(_call("r:1"), added.undo_data)
    update.undo(_call("r:2"), changed.undo_data)
    assert insert.undo_preview(_call("r:1"), added.undo_data)[0].after is None
    insert.undo(_call("r:1"), added.undo_data)

    delete = operations["crm.shelves.delete"]
    gone = delete.perform(_call("r:3", row={"shelf": "A", "item": "x"}))
    assert gone.changes[0].resource == "crm/shelves/A,x"
    assert delete.lookup(_call("r:3")) == gone
    assert delete.undo(_call("r:3"), gone.undo_data).changes[0].after == {"shelf": "A", "item": "x", "amount": 5}


def test_guards_hold(operations: dict[str, Operation]) -> None:
    update = operations["crm.customers.update"]
    with pytest.raises(ActionFailed, match="Only a customer whose region is 'EU'"):
        update.perform(_call(row=-2, set={"name": "Rob"}))
    with pytest.raises(ActionFailed, match="Only a customer"):
        operations["crm.customers.get"].perform(_call(row=-2))
    with pytest.raises(ActionFailed, match=r"not as expected: email is 'anna@example.com', not empty"):
        update.preview(_call(row=-1, set={"name": "Rob"}, expected={"email": None}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Bad Name"}, "name: String should match"),
        ({"colour": 1}, "colour: Extra inputs"),
        ({"url": "oracle://x"}, "cannot be used"),
        ({"url": "no url"}, "cannot be used"),
        ({"tables": {"nowhere": {}}}, "no table nowhere"),
        ({"tables": {"plain": {}}}, "no primary key"),
        ({"tables": {"stock": {"columns": ["height"]}}}, "no column height"),
        ({"tables": {"stock": {"allow": ["update"]}}}, "at least one writable column"),
        ({"tables": {"customers": {"allow": ["delete"]}}}, r"would also change orders \(ON DELETE CASCADE\)"),
        ({"tables": {"stock": {"allow": ["insert"], "columns": ["amount"]}}}, "needs item, shelf"),
        ({"tables": {}}, "at least 1 item"),
    ],
)
def test_wrong_options_are_refused_in_words(url: str, tmp_path: Path, change: dict[str, Json], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        build(ConnectorEnvironment(tmp_path, {**_OPTIONS, "url": url, **change}))


def test_a_database_that_is_away_is_said_without_its_password(tmp_path: Path) -> None:
    options = {**_OPTIONS, "url": "postgresql+psycopg://me:hush@127.0.0.1:1/none"}
    with pytest.raises(Unavailable, match="does not answer") as caught:
        build(ConnectorEnvironment(tmp_path, options))
    assert "hush" not in str(caught.value)


def test_what_a_table_declares_for_people(url: str, tmp_path: Path) -> None:
    customers = {
        **_OPTIONS["tables"]["customers"],
        "columns": ["name", "secret", "rating"],
        "secret": ["secret"],
        "money": ["rating"],
        "currency": "EUR",
    }
    tables = {**_OPTIONS["tables"], "customers": customers}
    connector = build(ConnectorEnvironment(tmp_path, {**_OPTIONS, "url": url, "tables": tables}))
    try:
        types = {name: operation.type for name, operation in build_registry([connector]).items()}
    finally:
        connector.close()
    update = types["crm.customers.update"]
    assert fill(update.sentence, update, {"row": -1, "set": {"secret": "s3cret", "name": "Ann"}}) == (
        f'Change the customer -1: set {{"name":"Ann","secret":"{SECRET}"}}.'
    )
    assert redacted(update, {"row": -1, "set": {"secret": "x"}, "expected": {"secret": "y", "name": "n"}}) == {
        "row": -1,
        "set": {"secret": SECRET},
        "expected": {"secret": SECRET, "name": "n"},
    }
    assert matches(["rating"], update.money)
    assert matches(["values", "rating"], types["crm.customers.insert"].money)
    assert update.currency == "EUR"
    assert update.target is not None
    assert fill(update.target.resource, update, {"row": -1}) == "crm/customers/-1"
    assert [(each.unit, each.each) for each in update.blast] == [("rows", 1)]
    assert types["crm.customers.get"].blast == ()
    shelves = types["crm.shelves.update"].target
    assert shelves is not None
    assert shelves.resource == ""


@pytest.mark.parametrize("option", ["secret", "money"])
def test_a_column_that_is_not_there_cannot_be_declared(url: str, tmp_path: Path, option: str) -> None:
    tables = {"customers": {"allow": ["get"], option: ["pin"]}}
    with pytest.raises(InvalidInput, match="no column pin"):
        build(ConnectorEnvironment(tmp_path, {"name": "crm", "url": url, "tables": tables}))

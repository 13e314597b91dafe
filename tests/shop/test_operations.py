"""The shop's tools through the connector contract: previewed, done once, taken back, refused without effect."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from assent.domain.canonical import Json
from assent.domain.effects import Performed
from assent.domain.tiers import Speed
from assent.domain.undo_kinds import UndoKind
from assent_activities.connectors.contract import ActionFailed, Call, Operation, UndoConflict, build_registry
from assent_activities.connectors.sql_rows import Row, RowTransaction
from assent_shop.connector import Shop
from assent_shop.stock import sample_shop
from benchmarks.tau2_retail.rows import content

HOME = {"address1": "1 Mill Lane", "address2": "", "city": "Elmswick", "state": "OR", "country": "USA", "zip": "97001"}
STOCK = sample_shop()


def orders(status: str) -> list[Row]:
    """Orders of the sample shop in a status."""
    return [order for order in STOCK["orders"].values() if order["status"] == status]


def call(key: str = "r:1", heartbeat: Any = None, **arguments: Json) -> Call:
    """A call of an operation, with arguments that fit its schema."""
    return Call(key=key, arguments=arguments, agent="a", run_id="r", heartbeat=heartbeat or (lambda *_: None))


@pytest.fixture
def shop(shop_on_any_database: Shop) -> Shop:
    return shop_on_any_database


@pytest.fixture
def tools(shop: Shop) -> dict[str, Operation]:
    return {name.removeprefix("shop."): operation for name, operation in build_registry([shop]).items()}


def test_every_kind_of_action_exists(tools: dict[str, Operation]) -> None:
    kinds = {(o.type.speed, o.type.reads_only, o.type.undo is not None) for o in tools.values()}
    assert kinds == {(Speed.QUICK, True, False), (Speed.QUICK, False, True), (Speed.LONG, False, True)}
    for operation in tools.values():
        Draft202012Validator.check_schema(operation.type.arguments)
        words = f"{operation.type.sentence} {operation.type.undo.sentence if operation.type.undo else ''}"
        for name in {part.split("}")[0] for part in words.split("{")[1:]}:
            assert name in operation.type.arguments["properties"], (operation.type.name, name)


def test_a_customer_is_found_however_they_write_their_name(tools: dict[str, Operation]) -> None:
    user = next(iter(STOCK["users"].values()))
    by_mail = tools["find_user_id_by_email"].perform(call(email=user["email"].upper()))
    name = {key: value.upper() for key, value in user["name"].items()}
    by_name = tools["find_user_id_by_name_zip"].perform(call(**name, zip=user["address"]["zip"]))
    assert by_mail.result == by_name.result == user["user_id"]
    details = tools["get_user_details"].perform(call(user_id=user["user_id"])).result
    assert details == user


def test_products_and_items_are_found(tools: dict[str, Operation]) -> None:
    listed = tools["list_all_product_types"].perform(call()).result
    assert len(listed) == 25
    product = tools["get_product_details"].perform(call(product_id=listed["Tea Kettle"])).result
    item_id = next(iter(product["variants"]))
    item = tools["get_item_details"].perform(call(item_id=item_id)).result
    assert item["name"] == "Tea Kettle"
    assert item["price"] == product["variants"][item_id]["price"]
    assert tools["calculate"].perform(call(expression="1.10 + 2.205")).result == "3.31"


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("get_order_details", {"order_id": "#none"}, "Order not found"),
        ("get_user_details", {"user_id": "none"}, "User not found"),
        ("get_product_details", {"product_id": "none"}, "Product not found"),
        ("get_item_details", {"item_id": "none"}, "Item not found"),
        ("find_user_id_by_email", {"email": "none@example.com"}, "User not found"),
        ("cancel_pending_order", {"order_id": "#none", "reason": "no longer needed"}, "Order not found"),
        ("modify_user_address", {"user_id": "none", **HOME}, "User not found"),
        ("add_order_note", {"order_id": "#none", "text": "x"}, "Order not found"),
        ("send_customer_mail", {"user_id": "none", "subject": "x", "body": "x"}, "User not found"),
    ],
)
def test_what_does_not_exist_is_refused_without_effect(
    shop: Shop, tools: dict[str, Operation], tool: str, arguments: dict[str, Json], reason: str
) -> None:
    before = content(shop.store)
    with pytest.raises(ActionFailed, match=reason):
        tools[tool].perform(call(**arguments))
    assert content(shop.store) == before


def test_a_cancellation_is_previewed_done_once_and_taken_back(shop: Shop, tools: dict[str, Operation]) -> None:
    cancel, before = tools["cancel_pending_order"], content(shop.store)
    order_id = orders("pending")[0]["order_id"]
    asked = call(order_id=order_id, reason="no longer needed")
    preview = cancel.preview(asked)
    assert content(shop.store) == before

    done = cancel.perform(asked)
    assert done.changes == preview
    assert done.changes[0].resource.startswith(("shop/orders/#A", "shop/users/"))
    assert done.result["status"] == "cancelled"
    assert cancel.perform(asked) == done == cancel.lookup(asked)

    cancel.undo(asked, done.undo_data)
    assert content(shop.store) == before


def test_undo_does_not_clobber_what_came_after(shop: Shop, tools: dict[str, Operation]) -> None:
    order_id = orders("pending")[0]["order_id"]
    move = tools["modify_pending_order_address"]
    first = move.perform(call("r:1", order_id=order_id, **HOME))
    second = move.perform(call("r:2", order_id=order_id, **{**HOME, "city": "Lakemere"}))
    with pytest.raises(UndoConflict, match=f"shop/orders/{order_id} was changed after this action: address is"):
        move.undo(call("r:1"), first.undo_data)
    move.undo(call("r:2"), second.undo_data)
    move.undo(call("r:1"), first.undo_data)


def test_a_note_can_be_written_and_removed(shop: Shop, tools: dict[str, Operation]) -> None:
    asked = call(order_id=orders("pending")[0]["order_id"], text="Called twice")
    done = tools["add_order_note"].perform(asked)
    assert done.result["text"] == "Called twice"
    assert done.changes[0].resource == f"shop/notes/{done.result['note_id']}"
    tools["add_order_note"].undo(asked, done.undo_data)
    assert shop.store.read(lambda rows: rows.find("notes")) == []


def test_store_credit_is_balanced_by_a_charge_of_its_own(shop: Shop, tools: dict[str, Operation]) -> None:
    user, card = gift_card()
    credit = tools["give_store_credit"]
    assert credit.type.undo is not None
    assert (credit.type.undo.kind, credit.type.undo.within) == (UndoKind.INVERSE, timedelta(days=30))
    asked = call(user_id=user["user_id"], gift_card_id=card["id"], amount=5.0, because="A late parcel.")
    given = credit.perform(asked)
    assert balance(shop, user, card) == round(card["balance"] + 5, 2)
    assert credit.perform(asked) == given == credit.lookup(asked)
    spend(shop, user, card, 2.0)
    undo = dataclasses.replace(asked, key=f"{asked.key}#undo")
    preview = credit.undo_preview(undo, given.undo_data)
    charged = credit.undo(undo, given.undo_data)
    assert [change.resource for change in charged.changes] == [change.resource for change in preview]
    assert credit.undo(undo, given.undo_data) == charged
    assert balance(shop, user, card) == round(card["balance"] - 2, 2)
    booked, back = sorted(shop.store.read(lambda rows: rows.find("bookings")), key=lambda row: -row["amount"])
    assert (booked["amount"], back["amount"]) == (5.0, -5.0)
    assert (booked["balances"], back["balances"]) == (None, booked["booking_id"])
    with pytest.raises(UndoConflict, match=f"charged back already, as {back['booking_id']}"):
        credit.undo_preview(undo, given.undo_data)


def test_store_credit_that_was_spent_is_charged_once_it_is_there_again(shop: Shop, tools: dict[str, Operation]) -> None:
    user, card = gift_card()
    credit = tools["give_store_credit"]
    asked = call(user_id=user["user_id"], gift_card_id=card["id"], amount=5.0, because="A late parcel.")
    given = credit.perform(asked)
    spend(shop, user, card, balance(shop, user, card) - 4.0)
    undo = dataclasses.replace(asked, key=f"{asked.key}#undo")
    for take_back in (credit.undo_preview, credit.undo):
        with pytest.raises(UndoConflict, match=r"holds \$4\.00 by now, so \$5\.00 cannot be charged"):
            take_back(undo, given.undo_data)
    assert balance(shop, user, card) == 4.0
    spend(shop, user, card, -1.5)
    credit.undo(undo, given.undo_data)
    assert balance(shop, user, card) == 0.5
    with pytest.raises(UndoConflict, match="how this credit was booked"):
        credit.undo_preview(dataclasses.replace(asked, key="r:2#undo"), None)


def gift_card() -> tuple[Row, Row]:
    """A customer of the sample shop who has a gift card."""
    return next(
        (user, method)
        for user in STOCK["users"].values()
        for method in user["payment_methods"].values()
        if method["source"] == "gift_card"
    )


def balance(shop: Shop, user: Row, card: Row) -> float:
    """What a gift card holds now."""
    there = shop.store.read(lambda rows: rows.get("users", user["user_id"]))
    assert there is not None
    return float(there["payment_methods"][card["id"]]["balance"])


def spend(shop: Shop, user: Row, card: Row, amount: float) -> None:
    """The customer buys something with a gift card."""

    def work(rows: RowTransaction) -> Json:
        there = rows.get("users", user["user_id"])
        assert there is not None
        method = there["payment_methods"][card["id"]]
        method["balance"] = round(method["balance"] - amount, 2)
        return rows.put("users", user["user_id"], there)

    shop.store.perform(f"a purchase of {amount}", work)


def test_a_mail_shows_signs_of_life_and_is_sent_once(shop: Shop, tools: dict[str, Operation]) -> None:
    beats: list[Json] = []
    user = next(iter(STOCK["users"].values()))
    asked = call(heartbeat=beats.append, user_id=user["user_id"], subject="Your order", body="It is on its way.")
    sent = tools["send_customer_mail"].perform(asked)
    assert sent.result["recipient"] == user["email"]
    assert len(beats) >= 5
    assert tools["send_customer_mail"].perform(asked) == sent == tools["send_customer_mail"].lookup(asked)
    assert len(shop.store.read(lambda rows: rows.find("outgoing_mail"))) == 1
    undo = dataclasses.replace(asked, key=f"{asked.key}#undo")
    corrected = tools["send_customer_mail"].undo(undo, sent.undo_data)
    assert tools["send_customer_mail"].undo(undo, sent.undo_data) == corrected
    mails = shop.store.read(lambda rows: rows.find("outgoing_mail"))
    assert sorted(mail["subject"] for mail in mails) == ["Correction: Your order", "Your order"]
    assert {mail["recipient"] for mail in mails} == {user["email"]}


_pending = st.sampled_from([order["order_id"] for order in orders("pending")[:6]])
_delivered = st.sampled_from([order["order_id"] for order in orders("delivered")[:6]])
_users = st.sampled_from([order["user_id"] for order in orders("pending")[:6]])
_anything = st.one_of(
    st.tuples(
        st.just("cancel_pending_order"),
        st.fixed_dictionaries({"order_id": _pending, "reason": st.just("no longer needed")}),
    ),
    st.tuples(
        st.just("modify_pending_order_address"),
        st.fixed_dictionaries(
            {"order_id": _pending, **{k: st.just(v) for k, v in HOME.items()}, "city": st.text(max_size=5)}
        ),
    ),
    st.tuples(
        st.just("modify_user_address"),
        st.fixed_dictionaries(
            {"user_id": _users, **{k: st.just(v) for k, v in HOME.items()}, "city": st.text(max_size=5)}
        ),
    ),
    st.tuples(st.just("return_delivered_order_items"), st.fixed_dictionaries({"order_id": _delivered})),
    st.tuples(st.just("modify_pending_order_payment"), st.fixed_dictionaries({"order_id": _pending})),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_anything, min_size=1, max_size=8), st.integers())
def test_whatever_was_done_newest_first_undo_restores_everything(
    shop: Shop, wanted: list[tuple[str, dict[str, Json]]], salt: int
) -> None:
    tools, before = build_registry([shop]), content(shop.store)
    done: list[tuple[Operation, Call, Performed]] = []
    for number, (tool, arguments) in enumerate(wanted):
        operation = tools[f"shop.{tool}"]
        asked = call(f"{salt}:{number}:{len(_used)}", **{**arguments, **_rest(tool, arguments)})
        _used.append(asked.key)
        try:
            done.append((operation, asked, operation.perform(asked)))
        except ActionFailed:
            continue
    for operation, asked, performed in reversed(done):
        operation.undo(asked, performed.undo_data)
    assert content(shop.store) == before


_used: list[str] = []


def _rest(tool: str, arguments: dict[str, Json]) -> dict[str, Json]:
    order = STOCK["orders"].get(arguments.get("order_id", ""), {})
    if tool == "return_delivered_order_items":
        method = order["payment_history"][0]["payment_method_id"]
        return {"item_ids": [order["items"][0]["item_id"]], "payment_method_id": method}
    if tool == "modify_pending_order_payment":
        return {"payment_method_id": list(STOCK["users"][order["user_id"]]["payment_methods"])[-1]}
    return {}

"""What the shop says of a change before anybody decides on it: money moved, items reached, and money as money."""

from __future__ import annotations

import pytest

from assent.domain.canonical import Json
from assent.domain.card_records import Money
from assent.domain.catalogue import ActionType
from assent_activities.connectors import Call, Extent, Measuring, Operation, build_registry
from assent_activities.connectors.sql_rows import Row
from assent_shop.connector import Shop
from assent_shop.stock import sample_shop

STOCK = sample_shop()


def order(status: str) -> Row:
    """An order of the sample shop."""
    return next(each for each in STOCK["orders"].values() if each["status"] == status)


def extent(shop: Shop, name: str, **arguments: Json) -> tuple[Extent, ActionType]:
    """What an operation says of a call."""
    operation: Operation = build_registry([shop])[f"shop.{name}"]
    assert isinstance(operation, Measuring)
    call = Call(key="r:1", arguments=arguments, agent="a", run_id="r")
    return operation.extent(call, operation.preview(call)), operation.type


def test_a_cancelled_order_moves_what_was_paid_and_reaches_its_items(shop: Shop) -> None:
    pending = order("pending")
    said, type = extent(shop, "cancel_pending_order", order_id=pending["order_id"], reason="no longer needed")
    assert said.amount == pytest.approx(sum(paid["amount"] for paid in pending["payment_history"]))
    assert said.reaches == {"items": len(pending["items"])}
    assert type.target is not None
    assert type.target.resource == "shop/orders/{order_id}"


def test_a_return_moves_the_prices_of_what_comes_back(shop: Shop) -> None:
    delivered = order("delivered")
    item = delivered["items"][0]
    said, type = extent(
        shop,
        "return_delivered_order_items",
        order_id=delivered["order_id"],
        item_ids=[item["item_id"]],
        payment_method_id=delivered["payment_history"][0]["payment_method_id"],
    )
    assert said.amount == pytest.approx(item["price"])
    assert [each.argument for each in type.blast] == ["item_ids"]


def test_another_address_moves_nothing(shop: Shop) -> None:
    user = next(iter(STOCK["users"].values()))
    said, _ = extent(shop, "modify_user_address", user_id=user["user_id"], **user["address"])
    assert said == Extent()


def test_balances_and_prices_are_money(shop: Shop) -> None:
    type = build_registry([shop])["shop.cancel_pending_order"].type
    money = Money(type.money, type.currency)
    assert money.written(["payment_methods", "gift_card_1", "balance"], 4.969999999999999) == "4.97"
    assert money.written(["payment_history", "2", "amount"], 12) == "12.00"
    assert money.written(["items", "1", "quantity"], 2) == "2"

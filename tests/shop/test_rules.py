"""The shop's own rules, on a few rows of the tests' own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row
from assent_shop import rules
from assent_shop.rules.outcome import Changed

KETTLES = {
    "small": {"item_id": "small", "options": {"size": "1 l"}, "available": True, "price": 40.1},
    "large": {"item_id": "large", "options": {"size": "2 l"}, "available": True, "price": 52.35},
    "gold": {"item_id": "gold", "options": {"size": "3 l"}, "available": False, "price": 99.0},
}
PRODUCTS: dict[str, Row] = {
    "kettle": {"product_id": "kettle", "name": "Kettle", "variants": KETTLES},
    "cup": {"product_id": "cup", "name": "Cup", "variants": {"cup": {"item_id": "cup", "available": True, "price": 5}}},
}


def order(status: str = "pending", **changes: Any) -> Row:
    """An order of two small kettles and a cup, paid by gift card."""
    kettle = {"name": "Kettle", "product_id": "kettle", "item_id": "small", "price": 40.1, "options": {"size": "1 l"}}
    cup = {"name": "Cup", "product_id": "cup", "item_id": "cup", "price": 5.0, "options": {}}
    return {
        "order_id": "#1",
        "user_id": "ada",
        "status": status,
        "address": {"city": "Elmswick"},
        "items": [kettle, kettle, cup],
        "payment_history": [{"transaction_type": "payment", "amount": 85.2, "payment_method_id": "gift"}],
        **changes,
    }


def user(balance: float = 10.1) -> Row:
    """A customer with a gift card and a credit card."""
    methods = {"gift": {"source": "gift_card", "id": "gift", "balance": balance}, "card": {"source": "credit_card"}}
    return {"user_id": "ada", "payment_methods": methods, "address": {"city": "Elmswick"}}


def balance(changed: Changed) -> float:
    assert changed.user is not None
    return float(changed.user["payment_methods"]["gift"]["balance"])


def test_a_cancelled_order_is_refunded_to_where_each_payment_came_from() -> None:
    second = {"transaction_type": "payment", "amount": 3.0, "payment_method_id": "card"}
    before = order(payment_history=[*order()["payment_history"], second])
    untouched = copy.deepcopy(before)
    changed = rules.cancel(before, user(), reason="no longer needed")
    assert changed.order is not None
    assert before == untouched
    assert changed.order["status"] == "cancelled"
    assert changed.order["cancel_reason"] == "no longer needed"
    assert [(line["amount"], line["payment_method_id"]) for line in changed.order["payment_history"][2:]] == [
        (85.2, "gift"),
        (3.0, "card"),
    ]
    assert balance(changed) == 95.3


def test_a_changed_order_settles_the_difference_at_once() -> None:
    changed = rules.modify_items(
        order(),
        user(30),
        PRODUCTS,
        item_ids=["small", "small"],
        new_item_ids=["large", "large"],
        payment_method_id="gift",
    )
    assert changed.order is not None
    assert [item["item_id"] for item in changed.order["items"]] == ["large", "large", "cup"]
    assert changed.order["items"][1]["options"] == {"size": "2 l"}
    assert changed.order["items"][1]["price"] == 52.35
    assert changed.order["status"] == "pending (item modified)"
    assert changed.order["payment_history"][-1]["transaction_type"] == "payment"
    assert changed.order["payment_history"][-1]["amount"] == pytest.approx(24.5)
    assert balance(changed) == 5.5


def test_a_cheaper_item_is_refunded() -> None:
    dear = order(items=[{**order()["items"][0], "item_id": "large", "price": 52.35}])
    changed = rules.modify_items(
        dear, user(), PRODUCTS, item_ids=["large"], new_item_ids=["small"], payment_method_id="gift"
    )
    assert changed.order is not None
    assert changed.order["payment_history"][-1]["transaction_type"] == "refund"
    assert balance(changed) == 22.35


def test_an_exchange_moves_no_money_yet() -> None:
    changed = rules.exchange(
        order("delivered"), user(), PRODUCTS, item_ids=["small"], new_item_ids=["large"], payment_method_id="card"
    )
    assert changed.user is None
    assert changed.order is not None
    assert changed.order["status"] == "exchange requested"
    assert changed.order["exchange_price_difference"] == 12.25
    assert len(changed.order["payment_history"]) == 1


def test_another_payment_method_swaps_the_money() -> None:
    changed = rules.change_payment(order(), user(), payment_method_id="card")
    assert changed.order is not None
    assert [line["transaction_type"] for line in changed.order["payment_history"]] == ["payment", "payment", "refund"]
    assert balance(changed) == 95.3


def test_a_return_goes_to_the_first_method_or_a_gift_card() -> None:
    changed = rules.take_back(order("delivered"), user(), item_ids=["small", "cup"], payment_method_id="gift")
    assert changed.order is not None
    assert changed.order["return_items"] == ["cup", "small"]
    with pytest.raises(ActionFailed, match="original payment method"):
        rules.take_back(order("delivered"), user(), item_ids=["cup"], payment_method_id="card")


def test_store_credit_goes_to_gift_cards_in_cents() -> None:
    assert balance(rules.give_credit(user(), gift_card_id="gift", amount=7.25)) == 17.35
    with pytest.raises(ActionFailed, match="gift card"):
        rules.give_credit(user(), gift_card_id="card", amount=5)
    with pytest.raises(ActionFailed, match="whole cents"):
        rules.give_credit(user(), gift_card_id="gift", amount=1.005)


def test_a_credit_is_charged_back_as_far_as_the_gift_card_goes() -> None:
    assert balance(rules.charge_back(user(), gift_card_id="gift", amount=7.25)) == 2.85
    with pytest.raises(ActionFailed, match=r"gift holds \$10\.10 by now"):
        rules.charge_back(user(), gift_card_id="gift", amount=10.11)
    with pytest.raises(ActionFailed, match="not found"):
        rules.charge_back(user(), gift_card_id="gone", amount=1)


def _swap(rule: Callable[..., Changed], status: str, old: list[str], new: list[str], method: str = "card") -> Changed:
    return rule(order(status), user(), PRODUCTS, item_ids=old, new_item_ids=new, payment_method_id=method)


@pytest.mark.parametrize(("rule", "status"), [(rules.modify_items, "pending"), (rules.exchange, "delivered")])
@pytest.mark.parametrize(
    ("old", "new", "method", "reason"),
    [
        (["spoon"], ["large"], "card", "Number of spoon not found"),
        (["small"] * 3, ["large"] * 3, "card", "Number of small not found"),
        (["small"], ["large", "large"], "card", "number of items"),
        (["small"], ["small"], "card", "different"),
        (["small"], ["cup"], "card", "New item cup not found or available"),
        (["small"], ["gold"], "card", "New item gold not found or available"),
        (["small"], ["large"], "gift", "Insufficient gift card balance"),
        (["small"], ["large"], "purse", "Payment method not found"),
    ],
)
def test_a_swap_that_does_not_fit_is_refused(
    rule: Callable[..., Changed], status: str, old: list[str], new: list[str], method: str, reason: str
) -> None:
    with pytest.raises(ActionFailed, match=reason):
        _swap(rule, status, old, new, method)


@pytest.mark.parametrize("status", ["processed", "cancelled", "delivered", "pending (item modified)"])
def test_only_pending_orders_are_cancelled_or_changed(status: str) -> None:
    with pytest.raises(ActionFailed, match="cannot be cancelled"):
        rules.cancel(order(status), user(), reason="no longer needed")
    with pytest.raises(ActionFailed, match="cannot be modified"):
        _swap(rules.modify_items, status, ["small"], ["large"])


def test_an_order_with_changed_items_still_moves() -> None:
    address = {"address1": "2", "address2": "", "city": "B", "state": "OR", "country": "USA", "zip": "1"}
    changed = rules.move_order(order("pending (item modified)"), {**address, "order_id": "#1"})
    assert changed.order is not None
    assert changed.order["address"] == address
    with pytest.raises(ActionFailed, match="cannot be modified"):
        rules.move_order(order("delivered"), address)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (lambda: rules.cancel(order(), user(), reason="bored"), "Invalid reason"),
        (lambda: _swap(rules.exchange, "pending", ["small"], ["large"]), "Non-delivered"),
        (lambda: rules.take_back(order(), user(), item_ids=["cup"], payment_method_id="gift"), "Non-delivered"),
        (lambda: rules.change_payment(order(), user(), payment_method_id="gift"), "different"),
        (lambda: rules.change_payment(order("processed"), user(), payment_method_id="card"), "Non-pending"),
        (lambda: rules.change_payment(order(payment_history=[]), user(), payment_method_id="card"), "exactly one"),
    ],
)
def test_other_refusals(rule: Callable[[], Changed], reason: str) -> None:
    with pytest.raises(ActionFailed, match=reason):
        rule()


def test_a_gift_card_must_cover_the_whole_order() -> None:
    paid = [{"transaction_type": "payment", "amount": 85.2, "payment_method_id": "card"}]
    with pytest.raises(ActionFailed, match="Insufficient gift card balance to pay for the order"):
        rules.change_payment(order(payment_history=paid), user(85.1), payment_method_id="gift")
    assert balance(rules.change_payment(order(payment_history=paid), user(85.2), payment_method_id="gift")) == 0

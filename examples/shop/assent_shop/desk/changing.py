"""Changes: they apply a rule to rows and answer with the row that the customer asked about."""

from __future__ import annotations

import hashlib

from assent.domain.canonical import Json
from assent_activities.connectors.contract import Call
from assent_activities.connectors.sql_rows import Row, RowTransaction
from assent_shop import rules
from assent_shop.desk.finding import order_of, product_of, user_of


def cancel_pending_order(rows: RowTransaction, call: Call) -> Json:
    """Cancel and refund."""
    order, user = _order_and_user(rows, call)
    return _save(rows, rules.cancel(order, user, reason=call.arguments["reason"]))


def modify_pending_order_address(rows: RowTransaction, call: Call) -> Json:
    """Another address for one order."""
    return _save(rows, rules.move_order(order_of(rows, call.arguments["order_id"]), call.arguments))


def modify_user_address(rows: RowTransaction, call: Call) -> Json:
    """Another default address for a customer."""
    return _save(rows, rules.move_user(user_of(rows, call.arguments["user_id"]), call.arguments))


def modify_pending_order_payment(rows: RowTransaction, call: Call) -> Json:
    """Another payment method for one order."""
    order, user = _order_and_user(rows, call)
    method = call.arguments["payment_method_id"]
    return _save(rows, rules.change_payment(order, user, payment_method_id=method))


def modify_pending_order_items(rows: RowTransaction, call: Call) -> Json:
    """Other variants in an order that is still in the house."""
    order, user = _order_and_user(rows, call)
    asked = call.arguments
    return _save(
        rows,
        rules.modify_items(
            order,
            user,
            _products(rows, order),
            item_ids=asked["item_ids"],
            new_item_ids=asked["new_item_ids"],
            payment_method_id=asked["payment_method_id"],
        ),
    )


def exchange_delivered_order_items(rows: RowTransaction, call: Call) -> Json:
    """Other variants for items that were delivered."""
    order, user = _order_and_user(rows, call)
    asked = call.arguments
    return _save(
        rows,
        rules.exchange(
            order,
            user,
            _products(rows, order),
            item_ids=asked["item_ids"],
            new_item_ids=asked["new_item_ids"],
            payment_method_id=asked["payment_method_id"],
        ),
    )


def return_delivered_order_items(rows: RowTransaction, call: Call) -> Json:
    """Items that come back."""
    order, user = _order_and_user(rows, call)
    asked = call.arguments
    return _save(
        rows,
        rules.take_back(order, user, item_ids=asked["item_ids"], payment_method_id=asked["payment_method_id"]),
    )


def give_store_credit(rows: RowTransaction, call: Call) -> Json:
    """A little more on a gift card, and its booking."""
    asked = call.arguments
    user = user_of(rows, asked["user_id"])
    saved = _save(rows, rules.give_credit(user, gift_card_id=asked["gift_card_id"], amount=asked["amount"]))
    booked = {name: asked[name] for name in ("user_id", "gift_card_id", "amount", "because")}
    rows.put("bookings", record_id("CR", call), booked)
    return saved


def add_order_note(rows: RowTransaction, call: Call) -> Json:
    """A note that colleagues see with the order."""
    order_of(rows, call.arguments["order_id"])
    note = {"order_id": call.arguments["order_id"], "text": call.arguments["text"]}
    return rows.put("notes", record_id("N", call), note)


def record_id(letters: str, call: Call) -> str:
    """An id that is the same for every repetition of a call."""
    return f"{letters}-{hashlib.sha256(call.key.encode()).hexdigest()[:12]}"


def _order_and_user(rows: RowTransaction, call: Call) -> tuple[Row, Row]:
    order = order_of(rows, call.arguments["order_id"])
    return order, user_of(rows, order["user_id"])


def _products(rows: RowTransaction, order: Row) -> dict[str, Row]:
    return {item["product_id"]: product_of(rows, item["product_id"]) for item in order["items"]}


def _save(rows: RowTransaction, changed: rules.Changed) -> Json:
    user = rows.put("users", changed.user["user_id"], changed.user) if changed.user else None
    order = rows.put("orders", changed.order["order_id"], changed.order) if changed.order else None
    return order or user

"""Paying an order by another method."""

from __future__ import annotations

from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row
from assent_shop.rules.outcome import Changed
from assent_shop.rules.wallet import covers, credited, entry, payment_method


def change_payment(order: Row, user: Row, *, payment_method_id: str) -> Changed:
    """Charge the order's one payment to another method and refund the first one.

    Raises:
        ActionFailed: The order is not pending, was not paid exactly once, the method is the same or not the
            customer's, or a gift card does not cover the order.
    """
    if "pending" not in order["status"]:
        raise ActionFailed("Non-pending order cannot be modified")
    method = payment_method(user, payment_method_id)
    history = order["payment_history"]
    if len(history) != 1 or history[0]["transaction_type"] != "payment":
        raise ActionFailed("There should be exactly one payment for a pending order")
    paid = history[0]
    if paid["payment_method_id"] == payment_method_id:
        raise ActionFailed("The new payment method should be different from the current one")
    if not covers(method, paid["amount"]):
        raise ActionFailed("Insufficient gift card balance to pay for the order")
    lines = [
        entry("payment", paid["amount"], payment_method_id),
        entry("refund", paid["amount"], paid["payment_method_id"]),
    ]
    user = credited(user, payment_method_id, -paid["amount"])
    user = credited(user, paid["payment_method_id"], paid["amount"])
    return Changed(order={**order, "payment_history": [*history, *lines]}, user=user)

"""Cancelling an order before it is packed."""

from __future__ import annotations

from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row
from assent_shop.rules.outcome import Changed
from assent_shop.rules.wallet import credited, entry

REASONS = ("no longer needed", "ordered by mistake")


def cancel(order: Row, user: Row, *, reason: str) -> Changed:
    """Cancel an order and refund every entry of its payment history to where it came from.

    Raises:
        ActionFailed: The order is not ``pending``, or the reason is not one the shop accepts.
    """
    if order["status"] != "pending":
        raise ActionFailed("Non-pending order cannot be cancelled")
    if reason not in REASONS:
        raise ActionFailed("Invalid reason")
    refunds = [entry("refund", paid["amount"], paid["payment_method_id"]) for paid in order["payment_history"]]
    for refund in refunds:
        user = credited(user, refund["payment_method_id"], refund["amount"])
    history = [*order["payment_history"], *refunds]
    cancelled = {**order, "status": "cancelled", "cancel_reason": reason, "payment_history": history}
    return Changed(order=cancelled, user=user)

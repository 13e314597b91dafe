"""Payment methods of a customer, and the balance of gift cards."""

from __future__ import annotations

from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row

GIFT_CARD = "gift_card"


def payment_method(user: Row, method_id: str) -> Row:
    """A payment method of this customer.

    Raises:
        ActionFailed: The customer has no such method.
    """
    method = user["payment_methods"].get(method_id)
    if method is None:
        raise ActionFailed("Payment method not found")
    return dict(method)


def is_gift_card(method: Row) -> bool:
    """Whether money moves on it at once."""
    return bool(method["source"] == GIFT_CARD)


def covers(method: Row, amount: float) -> bool:
    """Whether a gift card holds this amount; other methods are not limited by us."""
    return not is_gift_card(method) or method["balance"] >= amount


def credited(user: Row, method_id: str, amount: float) -> Row:
    """The customer after ``amount`` went to a method: a gift card's balance grows, others are settled by the bank.

    Args:
        user: The customer.
        method_id: A method of theirs.
        amount: In dollars; negative takes it away.

    Raises:
        ActionFailed: The customer has no such method.
    """
    method = payment_method(user, method_id)
    if not is_gift_card(method):
        return user
    method["balance"] = round(method["balance"] + amount, 2)
    return {**user, "payment_methods": {**user["payment_methods"], method_id: method}}


def entry(kind: str, amount: float, method_id: str) -> Row:
    """A line of an order's payment history; ``kind`` is ``payment`` or ``refund``."""
    return {"transaction_type": kind, "amount": amount, "payment_method_id": method_id}

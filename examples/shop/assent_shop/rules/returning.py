"""Sending items back for a refund."""

from __future__ import annotations

from collections.abc import Sequence

from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row
from assent_shop.rules.outcome import Changed
from assent_shop.rules.variants import must_contain
from assent_shop.rules.wallet import is_gift_card, payment_method


def take_back(order: Row, user: Row, *, item_ids: Sequence[str], payment_method_id: str) -> Changed:
    """Note which items come back and where their refund goes: the first method or a gift card of the customer.

    Raises:
        ActionFailed: The order was not delivered, the refund may not go there, or an item is not in the order.
    """
    if order["status"] != "delivered":
        raise ActionFailed("Non-delivered order cannot be returned")
    method = payment_method(user, payment_method_id)
    if not is_gift_card(method) and payment_method_id != order["payment_history"][0]["payment_method_id"]:
        raise ActionFailed("Payment method should be the original payment method")
    must_contain(order, item_ids)
    return Changed(
        order={
            **order,
            "status": "return requested",
            "return_items": sorted(item_ids),
            "return_payment_method_id": payment_method_id,
        }
    )

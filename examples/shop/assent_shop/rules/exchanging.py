"""Exchanging items that the customer already has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row
from assent_shop.rules.outcome import Changed
from assent_shop.rules.variants import price_difference, swaps
from assent_shop.rules.wallet import covers, payment_method


def exchange(
    order: Row,
    user: Row,
    products: Mapping[str, Row],
    *,
    item_ids: Sequence[str],
    new_item_ids: Sequence[str],
    payment_method_id: str,
) -> Changed:
    """Note which items come back and which go out; no money moves until they have.

    Raises:
        ActionFailed: The order was not delivered, an item or variant does not fit, or a gift card does not cover
            the difference.
    """
    if order["status"] != "delivered":
        raise ActionFailed("Non-delivered order cannot be exchanged")
    difference = round(price_difference(swaps(order, products, item_ids, new_item_ids)), 2)
    if not covers(payment_method(user, payment_method_id), difference):
        raise ActionFailed("Insufficient gift card balance to pay for the price difference")
    return Changed(
        order={
            **order,
            "status": "exchange requested",
            "exchange_items": sorted(item_ids),
            "exchange_new_items": sorted(new_item_ids),
            "exchange_payment_method_id": payment_method_id,
            "exchange_price_difference": difference,
        }
    )

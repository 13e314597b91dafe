"""Changing the items of an order before it is packed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row
from assent_shop.rules.outcome import Changed
from assent_shop.rules.variants import price_difference, swaps
from assent_shop.rules.wallet import covers, credited, entry, payment_method


def modify_items(
    order: Row,
    user: Row,
    products: Mapping[str, Row],
    *,
    item_ids: Sequence[str],
    new_item_ids: Sequence[str],
    payment_method_id: str,
) -> Changed:
    """Replace items by other variants and settle the difference at once; it can be done once for an order.

    Raises:
        ActionFailed: The order is not ``pending``, an item or variant does not fit, or a gift card does not cover
            the difference.
    """
    if order["status"] != "pending":
        raise ActionFailed("Non-pending order cannot be modified")
    found = swaps(order, products, item_ids, new_item_ids)
    difference = price_difference(found)
    if not covers(payment_method(user, payment_method_id), difference):
        raise ActionFailed("Insufficient gift card balance to pay for the new item")
    items = list(order["items"])
    for swap in found:
        new = {"item_id": swap.new["item_id"], "price": swap.new["price"], "options": swap.new["options"]}
        items[swap.position] = {**swap.old, **new}
    line = entry("payment" if difference > 0 else "refund", abs(difference), payment_method_id)
    changed = {
        **order,
        "items": items,
        "payment_history": [*order["payment_history"], line],
        "status": "pending (item modified)",
    }
    return Changed(order=changed, user=credited(user, payment_method_id, -difference))

"""How much a change of the shop moves and reaches, read off the records before and after."""

from __future__ import annotations

import math
from collections.abc import Sequence

from assent.domain.effects import ResourceChange
from assent_activities.connectors import Extent
from assent_activities.connectors.sql_rows import Row

ORDERS = "shop/orders/"


def extent_of(changes: Sequence[ResourceChange]) -> Extent:
    """Money that moves now or will when items arrive, and the items of an order that is cancelled."""
    for change in changes:
        if change.resource.startswith(ORDERS) and change.before is not None and change.after is not None:
            return _of_order(change.before, change.after)
    return Extent()


def _of_order(before: Row, after: Row) -> Extent:
    lines = after["payment_history"][len(before["payment_history"]) :]
    by_kind = [
        math.fsum(line["amount"] for line in lines if line["transaction_type"] == kind)
        for kind in ("payment", "refund")
    ]
    later = _settled_later(before, after)
    amount = max(*by_kind, later)
    cancelled = before["status"] != after["status"] == "cancelled"
    return Extent(amount=amount or None, reaches={"items": len(before["items"])} if cancelled else {})


def _settled_later(before: Row, after: Row) -> float:
    """What is paid back or charged once items have arrived."""
    if returned := after.get("return_items"):
        prices = {item["item_id"]: item["price"] for item in before["items"]}
        return math.fsum(prices[item_id] for item_id in returned)
    return abs(float(after.get("exchange_price_difference") or 0.0))

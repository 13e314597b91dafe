"""Where an order goes, and where a customer lives."""

from __future__ import annotations

from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row
from assent_shop.rules.outcome import Changed

FIELDS = ("address1", "address2", "city", "state", "country", "zip")


def move_order(order: Row, address: Row) -> Changed:
    """Send an order that is still in the house to another address, which replaces the old one whole.

    Raises:
        ActionFailed: The order is on its way or done.
    """
    if "pending" not in order["status"]:
        raise ActionFailed("Non-pending order cannot be modified")
    return Changed(order={**order, "address": {name: address[name] for name in FIELDS}})


def move_user(user: Row, address: Row) -> Changed:
    """Give a customer another default address, which replaces the old one whole."""
    return Changed(user={**user, "address": {name: address[name] for name in FIELDS}})

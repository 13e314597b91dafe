"""Swapping items of an order for other variants of the same product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row


@dataclass(frozen=True, slots=True)
class Swap:
    """One item of an order and the variant that takes its place.

    Attributes:
        position: Index of the item in the order.
        old: The item as ordered.
        new: The variant of the same product.
    """

    position: int
    old: Row
    new: Row


def swaps(order: Row, products: Mapping[str, Row], item_ids: Sequence[str], new_item_ids: Sequence[str]) -> list[Swap]:
    """Match each item with its new variant; an item that is listed twice must be in the order twice.

    Raises:
        ActionFailed: An item is not in the order, the lists differ in length, or a new variant is unknown, of
            another product, not in stock, or no change at all.
    """
    must_contain(order, item_ids)
    if len(item_ids) != len(new_item_ids):
        raise ActionFailed("The number of items to be exchanged should match")
    found: list[Swap] = []
    taken: set[int] = set()
    for old_id, new_id in zip(item_ids, new_item_ids, strict=True):
        if old_id == new_id:
            raise ActionFailed("The new item id should be different from the old item id")
        position = next(
            index for index, item in enumerate(order["items"]) if item["item_id"] == old_id and index not in taken
        )
        taken.add(position)
        item = order["items"][position]
        variant = products[item["product_id"]]["variants"].get(new_id)
        if variant is None or not variant["available"]:
            raise ActionFailed(f"New item {new_id} not found or available")
        found.append(Swap(position, item, variant))
    return found


def must_contain(order: Row, item_ids: Sequence[str]) -> None:
    """Check that each item is in the order as often as it is listed.

    Raises:
        ActionFailed: It is not.
    """
    ordered = [item["item_id"] for item in order["items"]]
    for item_id in item_ids:
        if item_ids.count(item_id) > ordered.count(item_id):
            raise ActionFailed(f"Number of {item_id} not found")


def price_difference(found: Sequence[Swap]) -> float:
    """What the new variants cost more than the old ones, in dollars, summed as listed and not rounded."""
    difference = 0.0
    for swap in found:
        difference += swap.new["price"] - swap.old["price"]
    return difference

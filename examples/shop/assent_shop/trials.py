"""Calls with which each of the shop's changes can be tried, made from the orders and customers that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from assent.domain.canonical import Json
from assent_activities.connectors import ActionFailed, Call, Operation
from assent_activities.connectors.sql_rows import Row, RowStore
from assent_shop.rules.cancelling import REASONS

MOST_ROWS = 200
"""Rows of a table that are looked at for one that fits."""

Arguments = dict[str, Json]
_ADDRESS = {
    "address1": "1 Proof Lane",
    "address2": "",
    "city": "Springfield",
    "state": "IL",
    "country": "USA",
    "zip": "62701",
}


class Stock:
    """What the shop has, as far as trials need it."""

    def __init__(self, store: RowStore) -> None:
        read = store.read
        self.orders: list[Row] = read(lambda rows: rows.find("orders", limit=MOST_ROWS))
        self.users: dict[str, Row] = {
            row["user_id"]: row for row in read(lambda rows: rows.find("users", limit=MOST_ROWS))
        }
        self.products: dict[str, Row] = {
            row["product_id"]: row for row in read(lambda rows: rows.find("products", limit=MOST_ROWS))
        }

    def with_status(self, status: str) -> Iterator[Row]:
        """Orders whose customer is known."""
        return (order for order in self.orders if order["status"] == status and order["user_id"] in self.users)

    def methods(self, order: Row) -> list[str]:
        """Payment methods of whoever placed an order."""
        return list(self.users[order["user_id"]]["payment_methods"])


def call_for(operation: Operation, store: RowStore, agent: str = "proof") -> Arguments:
    """Arguments that a change takes as the shop is now.

    Raises:
        ActionFailed: Nothing in the shop fits.
    """
    candidates = _CANDIDATES.get(operation.type.name)
    for arguments in candidates(Stock(store)) if candidates else ():
        try:
            if operation.preview(Call("proof", arguments, agent, "proof")):
                return arguments
        except ActionFailed:
            continue
    raise ActionFailed(f"Nothing in the shop fits to try {operation.type.title.lower()} on.")


def _cancel(stock: Stock) -> Iterator[Arguments]:
    return ({"order_id": order["order_id"], "reason": REASONS[0]} for order in stock.with_status("pending"))


def _move_order(stock: Stock) -> Iterator[Arguments]:
    return ({"order_id": order["order_id"], **_ADDRESS} for order in stock.with_status("pending"))


def _move_user(stock: Stock) -> Iterator[Arguments]:
    return ({"user_id": user_id, **_ADDRESS} for user_id in stock.users)


def _pay(stock: Stock) -> Iterator[Arguments]:
    for order in stock.with_status("pending"):
        for method in stock.methods(order):
            yield {"order_id": order["order_id"], "payment_method_id": method}


def _swap(status: str) -> Callable[[Stock], Iterator[Arguments]]:
    def swap(stock: Stock) -> Iterator[Arguments]:
        for order in stock.with_status(status):
            for item in order["items"]:
                variants = stock.products.get(item["product_id"], {}).get("variants", {})
                for variant in variants.values():
                    if variant["available"] and variant["item_id"] != item["item_id"]:
                        yield {
                            "order_id": order["order_id"],
                            "item_ids": [item["item_id"]],
                            "new_item_ids": [variant["item_id"]],
                            "payment_method_id": stock.methods(order)[0],
                        }

    return swap


def _return(stock: Stock) -> Iterator[Arguments]:
    for order in stock.with_status("delivered"):
        for method in stock.methods(order):
            yield {
                "order_id": order["order_id"],
                "item_ids": [order["items"][0]["item_id"]],
                "payment_method_id": method,
            }


def _credit(stock: Stock) -> Iterator[Arguments]:
    for user in stock.users.values():
        for method in user["payment_methods"].values():
            if method["source"] == "gift_card":
                yield {
                    "user_id": user["user_id"],
                    "gift_card_id": method["id"],
                    "amount": 1.0,
                    "because": "A trial of the undo.",
                }


def _note(stock: Stock) -> Iterator[Arguments]:
    return ({"order_id": order["order_id"], "text": "A trial of the undo."} for order in stock.orders)


def _mail(stock: Stock) -> Iterator[Arguments]:
    return ({"user_id": user_id, "subject": "A trial", "body": "A trial of the undo."} for user_id in stock.users)


_CANDIDATES: Mapping[str, Callable[[Stock], Iterator[Arguments]]] = {
    "shop.cancel_pending_order": _cancel,
    "shop.modify_pending_order_address": _move_order,
    "shop.modify_user_address": _move_user,
    "shop.modify_pending_order_payment": _pay,
    "shop.modify_pending_order_items": _swap("pending"),
    "shop.exchange_delivered_order_items": _swap("delivered"),
    "shop.return_delivered_order_items": _return,
    "shop.give_store_credit": _credit,
    "shop.add_order_note": _note,
    "shop.send_customer_mail": _mail,
}

"""Look-ups: they answer with rows and change nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func

from assent.domain.canonical import Json
from assent_activities.connectors.contract import ActionFailed, Call
from assent_activities.connectors.sql_rows import Row, RowTransaction
from assent_shop.arithmetic import calculate
from assent_shop.tables import users

MOST_PRODUCTS = 10_000
"""Products a listing goes through."""


def order_of(rows: RowTransaction, order_id: str) -> Row:
    """An order by its id, ``#W…``."""
    return _found(rows.get("orders", order_id), "Order not found")


def user_of(rows: RowTransaction, user_id: str) -> Row:
    """A customer by their id."""
    return _found(rows.get("users", user_id), "User not found")


def product_of(rows: RowTransaction, product_id: str) -> Row:
    """A product by its id, with all its variants."""
    return _found(rows.get("products", product_id), "Product not found")


def get_order_details(rows: RowTransaction, call: Call) -> Json:
    """The whole order."""
    return order_of(rows, call.arguments["order_id"])


def get_user_details(rows: RowTransaction, call: Call) -> Json:
    """The whole customer."""
    return user_of(rows, call.arguments["user_id"])


def get_product_details(rows: RowTransaction, call: Call) -> Json:
    """The whole product."""
    return product_of(rows, call.arguments["product_id"])


def get_item_details(rows: RowTransaction, call: Call) -> Json:
    """A variant by its id, with the name of its product."""
    item_id = call.arguments["item_id"]
    for product in rows.find("products", limit=MOST_PRODUCTS):
        if item_id in product["variants"]:
            variant: Row = product["variants"][item_id]
            return {**variant, "product_id": product["product_id"], "name": product["name"]}
    raise ActionFailed("Item not found")


def list_all_product_types(rows: RowTransaction, call: Call) -> Json:
    """Ids of all products by name, in the order of the alphabet."""
    return dict(sorted((row["name"], row["product_id"]) for row in rows.find("products", limit=MOST_PRODUCTS)))


def find_user_id_by_email(rows: RowTransaction, call: Call) -> Json:
    """Id of the customer with this address, in upper or lower case."""
    return _only_user(rows, func.lower(users.c.email) == call.arguments["email"].lower())


def find_user_id_by_name_zip(rows: RowTransaction, call: Call) -> Json:
    """Id of the customer with this name, in upper or lower case, who lives at this postal code."""
    asked = call.arguments
    return _only_user(
        rows,
        func.lower(users.c.name["first_name"].as_string()) == asked["first_name"].lower(),
        func.lower(users.c.name["last_name"].as_string()) == asked["last_name"].lower(),
        users.c.address["zip"].as_string() == asked["zip"],
    )


def work_out(rows: RowTransaction, call: Call) -> Json:
    """The value of a sum, to cents, as text."""
    return str(round(calculate(call.arguments["expression"]), 2))


def hand_over(rows: RowTransaction, call: Call) -> Json:
    """Tell the agent that people take over; the summary stands in the run's timeline, where they find it."""
    return "Transfer successful"


def _only_user(rows: RowTransaction, *where: Any) -> str:
    found = rows.find("users", *where, limit=1)
    if not found:
        raise ActionFailed("User not found")
    return str(found[0]["user_id"])


def _found(row: Row | None, otherwise: str) -> Row:
    if row is None:
        raise ActionFailed(otherwise)
    return row

"""The shop's own small content, made up, and the same every time: customers, products and orders."""

from __future__ import annotations

import itertools
import random

from assent_activities.connectors.sql_rows import Row
from assent_shop.data import ShopData
from assent_shop.words import FIRST_NAMES, LAST_NAMES, PRODUCTS, STREETS, TOWNS

CUSTOMERS = 60
ORDERS = 150

_STATUSES = (
    "pending",
    "pending",
    "pending",
    "pending",
    "delivered",
    "delivered",
    "delivered",
    "processed",
    "cancelled",
)


def sample_shop(seed: int = 1) -> ShopData:
    """Make the shop's content.

    Args:
        seed: The same seed gives the same shop.
    """
    chance = random.Random(seed)
    products = {product["product_id"]: product for product in _products(chance)}
    users = {user["user_id"]: user for user in _users(chance)}
    orders: dict[str, Row] = {}
    for number in range(ORDERS):
        user = users[list(users)[number % CUSTOMERS]] if number < CUSTOMERS else chance.choice(list(users.values()))
        order = _order(chance, f"#A{1001 + number}", user, products)
        orders[order["order_id"]] = order
        user["orders"].append(order["order_id"])
    return {"users": users, "products": products, "orders": orders}


def _products(chance: random.Random) -> list[Row]:
    made: list[Row] = []
    for name, price, options in PRODUCTS:
        product_id = _slug(name)
        variants: dict[str, Row] = {}
        for values in itertools.product(*options.values()):
            item_id = "-".join([product_id, *map(_slug, values)])
            variants[item_id] = {
                "item_id": item_id,
                "options": dict(zip(options, values, strict=True)),
                "available": chance.random() < 0.85,
                "price": round(price * chance.uniform(0.9, 1.2), 2),
            }
        made.append({"product_id": product_id, "name": name, "variants": variants})
    return made


def _users(chance: random.Random) -> list[Row]:
    names = list(itertools.product(FIRST_NAMES, LAST_NAMES))
    made: list[Row] = []
    for number, (first, last) in enumerate(chance.sample(names, CUSTOMERS)):
        made.append(
            {
                "user_id": f"{first}_{last}_{1100 + number}".lower(),
                "name": {"first_name": first, "last_name": last},
                "address": some_address(chance),
                "email": f"{first}.{last}{number}@example.com".lower(),
                "payment_methods": _methods(chance, number),
                "orders": [],
            }
        )
    return made


def some_address(chance: random.Random) -> Row:
    """A made-up address."""
    town, state, code = chance.choice(TOWNS)
    return {
        "address1": f"{chance.randint(1, 240)} {chance.choice(STREETS)}",
        "address2": chance.choice(["", "", f"Flat {chance.randint(1, 40)}", f"Floor {chance.randint(1, 9)}"]),
        "city": town,
        "country": "USA",
        "state": state,
        "zip": f"{code}{chance.randint(0, 99):02}",
    }


def _methods(chance: random.Random, number: int) -> dict[str, Row]:
    card, paypal, gift = f"credit_card_{3000 + number}", f"paypal_{5000 + number}", f"gift_card_{7000 + number}"
    kinds: dict[str, Row] = {
        card: {
            "source": "credit_card",
            "id": card,
            "brand": chance.choice(["visa", "mastercard"]),
            "last_four": f"{chance.randint(0, 9999):04}",
        },
        paypal: {"source": "paypal", "id": paypal},
        gift: {"source": "gift_card", "id": gift, "balance": float(chance.randint(0, 120))},
    }
    return {name: kinds[name] for name in sorted(chance.sample(list(kinds), chance.choice([1, 2, 2, 3])))}


def _order(chance: random.Random, order_id: str, user: Row, products: dict[str, Row]) -> Row:
    items: list[Row] = []
    for product in chance.sample(list(products.values()), chance.choice([1, 1, 2, 2, 3, 4])):
        variant = chance.choice(list(product["variants"].values()))
        items.append(
            {
                "name": product["name"],
                "product_id": product["product_id"],
                "item_id": variant["item_id"],
                "price": variant["price"],
                "options": variant["options"],
            }
        )
    method = chance.choice([name for name in user["payment_methods"] if "gift" not in name] or [_only(user)])
    total = round(sum(item["price"] for item in items), 2)
    status = chance.choice(_STATUSES)
    history = [{"transaction_type": "payment", "amount": total, "payment_method_id": method}]
    order: Row = {
        "order_id": order_id,
        "user_id": user["user_id"],
        "address": user["address"],
        "items": items,
        "status": status,
        "fulfillments": [],
        "payment_history": history,
    }
    if status in ("delivered", "processed"):
        tracking = [f"{chance.randint(10**11, 10**12 - 1)}"]
        order["fulfillments"] = [{"tracking_id": tracking, "item_ids": [item["item_id"] for item in items]}]
    if status == "cancelled":
        history.append({**history[0], "transaction_type": "refund"})
        order["cancel_reason"] = "no longer needed"
    return order


def _only(user: Row) -> str:
    return str(next(iter(user["payment_methods"])))


def _slug(words: str) -> str:
    return words.lower().replace(" ", "-").replace(".", "-")

"""What customers write: letters about things that are in the shop, in a few people's words."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from assent_activities.connectors.sql_rows import Row
from assent_shop.data import ShopData
from assent_shop.stock import some_address


class Subject(StrEnum):
    """What a letter is about."""

    CANCEL = "Cancel my order"
    ADDRESS = "New address for my order"
    MOVED = "I have moved"
    SWAP = "Another size or colour"
    RETURN = "Sending something back"
    PAYMENT = "Paying another way"
    LATE = "Still waiting"
    ANGRY = "This is not good enough"
    WHERE = "Where is my order?"
    STOCK = "Do you have it?"
    NOTE = "A word for the driver"


AUTOMATIC = (Subject.ADDRESS, Subject.MOVED, Subject.STOCK, Subject.NOTE, Subject.LATE)
"""Subjects that the agent settles without a person, as the card stands."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A customer's letter.

    Attributes:
        sender: Mail address.
        name: As they sign.
        zip: Postal code, as they sign.
        subject: Subject line.
        text: What they say.
    """

    sender: str
    name: str
    zip: str
    subject: str
    text: str

    @property
    def received(self) -> dict[str, str]:
        """The letter as a run receives it."""
        return {"from": f"{self.name} <{self.sender}>", "subject": self.subject, "text": self.text}


_TEXTS: dict[Subject, tuple[str, ...]] = {
    Subject.CANCEL: (
        "Hello, please cancel order {order}. I clicked twice, so it was ordered by mistake.",
        "Could you cancel {order} for me? I found one at my sister's and no longer need it.",
        "I am sorry for the trouble: my order {order} was a mistake. Please cancel it and give me my money back.",
    ),
    Subject.ADDRESS: (
        "I gave you the wrong address for {order}. Please send it to: {address}.",
        "Nobody will be home when {order} comes. Can it go to my office? The address is: {address}.",
    ),
    Subject.MOVED: (
        "We have moved! Please keep our new address for the future: {address}.",
        "Just to let you know that I have moved. My address from now on: {address}.",
    ),
    Subject.SWAP: (
        "The {item} of order {order} is not right for me. May I exchange it for {option}?",
        "About {order}: I would rather have the {item} in {option}. Can you swap it?",
    ),
    Subject.RETURN: (
        "I would like to send back the {item} from order {order}. It is not what I hoped for.",
        "The {item} in my order {order} does not suit me. How do I return it?",
    ),
    Subject.PAYMENT: (
        "Could you charge order {order} to my {method} instead?",
        "My first card is nearly full. Please let me pay {order} with my {method}.",
    ),
    Subject.LATE: (
        "My order {order} is late and I am still waiting. The birthday was on Sunday.",
        "I am still waiting for {order}. You said three days, and that was last week.",
    ),
    Subject.ANGRY: (
        "Order {order} has cost me a whole afternoon on the telephone. I want ${amount} back for that, or I am gone.",
        "This is the second time. {order} is a disgrace, and I expect ${amount} on my gift card.",
    ),
    Subject.WHERE: (
        "Where is my order {order}? Is there a tracking number?",
        "Good morning, could you tell me where {order} is right now?",
    ),
    Subject.STOCK: (
        "Do you have the {item} in {option}? And what does it cost?",
        "Quick question: do you have a {item}, {option}, in stock?",
    ),
    Subject.NOTE: (
        "For {order}: please tell the driver that the bell is broken. Knocking is best.",
        "Please note on {order} that the dog is friendly and the gate sticks.",
    ),
}

_STATUSES: dict[Subject, tuple[str, ...]] = {
    Subject.CANCEL: ("pending",),
    Subject.ADDRESS: ("pending",),
    Subject.SWAP: ("pending", "delivered"),
    Subject.RETURN: ("delivered",),
    Subject.PAYMENT: ("pending",),
    Subject.LATE: ("processed", "pending"),
    Subject.ANGRY: ("delivered", "processed"),
    Subject.WHERE: ("processed",),
    Subject.NOTE: ("pending",),
}
LOOKS_FIRST = 0.9
"""Share of customers who ask for something that is in stock."""

_METHODS = {"paypal": "PayPal account", "credit_card": "credit card", "gift_card": "gift card"}


class LetterWriter:
    """Writes letters of the sample shop's customers.

    Args:
        shop: The shop as it was at the start; customers do not know what happened since.
        chance: Decides who writes what.
    """

    def __init__(self, shop: ShopData, chance: random.Random) -> None:
        self._shop = shop
        self._chance = chance
        self._told: set[str] = set()

    def write(self, subject: Subject) -> Letter:
        """A letter about a subject, about an order that nobody wrote about yet, as long as there is one."""
        order = self._order(subject)
        user = self._shop["users"][order["user_id"]]
        item = self._chance.choice(order["items"])
        address = some_address(self._chance)
        words = {
            "order": order["order_id"],
            "item": item["name"],
            "option": self._option(item),
            "address": _line(address),
            "method": self._method(order, user),
            "amount": self._chance.choice([25, 40, 80]),
        }
        name = f"{user['name']['first_name']} {user['name']['last_name']}"
        text = self._chance.choice(_TEXTS[subject]).format(**words)
        return Letter(user["email"], name, user["address"]["zip"], subject.value, text)

    def _order(self, subject: Subject) -> Row:
        fitting = [
            order
            for order in self._shop["orders"].values()
            if order["status"] in _STATUSES.get(subject, (order["status"],)) and self._makes_sense(subject, order)
        ]
        fresh = [order for order in fitting if order["order_id"] not in self._told]
        order = self._chance.choice(fresh or fitting)
        self._told.add(order["order_id"])
        return order

    def _makes_sense(self, subject: Subject, order: Row) -> bool:
        methods = self._shop["users"][order["user_id"]]["payment_methods"]
        if subject is Subject.PAYMENT:
            return len(methods) > 1
        if subject in (Subject.LATE, Subject.ANGRY):
            return any(method["source"] == "gift_card" for method in methods.values())
        return True

    def _option(self, item: Row) -> str:
        variants = self._shop["products"][item["product_id"]]["variants"].values()
        others = [variant for variant in variants if variant["item_id"] != item["item_id"]]
        near = [variant for variant in others if _distance(variant, item) == 1] or others
        # The shop's pages show what is in stock, but not everybody looks.
        if self._chance.random() < LOOKS_FIRST:
            near = [variant for variant in near if variant["available"]] or near
        wanted = self._chance.choice(near)["options"]
        return " and ".join(f"{name} {value}" for name, value in wanted.items() if value != item["options"].get(name))

    def _method(self, order: Row, user: Row) -> str:
        paid = order["payment_history"][0]["payment_method_id"]
        others = [method for name, method in user["payment_methods"].items() if name != paid]
        return _METHODS[self._chance.choice(others)["source"]] if others else "credit card"


def _line(address: Row) -> str:
    parts = [address["address1"], address["address2"], address["city"], f"{address['state']} {address['zip']}"]
    return ", ".join(part for part in parts if part)


def _distance(variant: Row, item: Row) -> int:
    return sum(value != item["options"].get(name) for name, value in variant["options"].items())

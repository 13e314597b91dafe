"""Understanding a letter: what the customer wants, from their words alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from assent.domain.canonical import Json
from assent_activities.connectors.sql_rows import Row


class Wish(StrEnum):
    """What a customer wants."""

    CANCEL = "to cancel an order"
    SWAP = "another variant of an item"
    RETURN = "to send an item back"
    PAY = "to pay another way"
    MOVED = "a new default address"
    MOVE_ORDER = "an order sent elsewhere"
    MONEY = "money for their trouble"
    LATE = "to know why an order is late"
    WHERE = "to know where an order is"
    STOCK = "to know whether something is in stock"
    NOTE = "something noted on an order"
    UNCLEAR = "something I do not understand"


_SIGNS: tuple[tuple[Wish, str], ...] = (
    (Wish.CANCEL, r"\bcancel\b"),
    (Wish.SWAP, r"\b(exchange|swap)\b"),
    (Wish.RETURN, r"\b(send back|return)\b"),
    (Wish.PAY, r"\b(charge|pay)\b.*\b(card|paypal)\b"),
    (Wish.MOVED, r"\bmoved\b"),
    (Wish.MOVE_ORDER, r"\baddress\b"),
    (Wish.MONEY, r"\$\d"),
    (Wish.LATE, r"\b(late|still waiting)\b"),
    (Wish.WHERE, r"\bwhere\b"),
    (Wish.STOCK, r"\bdo you have\b"),
    (Wish.NOTE, r"\b(driver|note)\b"),
)
_SOURCES = {"paypal": "paypal", "credit card": "credit_card", "gift card": "gift_card"}
_ADDRESS = re.compile(r": (?P<street>[^,]+), (?:(?P<more>[^,]+), )?(?P<city>[^,]+), (?P<state>[A-Z]{2}) (?P<zip>\d{5})")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood.

    Attributes:
        wish: What they want.
        order_id: The order they name.
        address: The address they give.
        source: The kind of payment method they name.
        amount: The dollars they ask for.
        by_mistake: They say that they ordered by mistake.
    """

    wish: Wish
    order_id: str | None
    address: dict[str, Json] | None
    source: str | None
    amount: float | None
    by_mistake: bool


def read(text: str) -> Reading:
    """Understand a letter."""
    plain = text.lower()
    order = re.search(r"#[A-Z]\d+", text)
    amount = re.search(r"\$(\d+(?:\.\d\d)?)", text)
    return Reading(
        wish=next((wish for wish, sign in _SIGNS if re.search(sign, plain)), Wish.UNCLEAR),
        order_id=order[0] if order else None,
        address=_address(text),
        source=next((source for words, source in _SOURCES.items() if words in plain), None),
        amount=float(amount[1]) if amount else None,
        by_mistake="mistake" in plain,
    )


def named_item(text: str, items: Sequence[Row]) -> Row | None:
    """The item of an order whose name stands in the letter."""
    return next((item for item in items if item["name"].lower() in text.lower()), None)


def named_variant(text: str, product: Row, options: Mapping[str, Json]) -> Row | None:
    """The variant of a product that differs from ``options`` as the letter asks; ``None`` if there is none such."""
    wanted = dict(options)
    for variant in product["variants"].values():
        for name, value in variant["options"].items():
            if re.search(rf"\b{re.escape(f'{name} {value}'.lower())}\b", text.lower()):
                wanted[name] = value
    if wanted == options:
        return None
    return next((variant for variant in product["variants"].values() if variant["options"] == wanted), None)


def _address(text: str) -> dict[str, Json] | None:
    found = _ADDRESS.search(text)
    if found is None:
        return None
    return {
        "address1": found["street"],
        "address2": found["more"] or "",
        "city": found["city"],
        "state": found["state"],
        "zip": found["zip"],
        "country": "USA",
    }

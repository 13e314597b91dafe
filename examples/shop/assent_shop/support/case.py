"""One customer's case: the letter, what was understood, and what is known by now."""

from __future__ import annotations

from dataclasses import dataclass

from assent_activities.connectors.sql_rows import Row
from assent_shop.support.conversation import Conversation, GaveUp, Outcome
from assent_shop.support.letters import Letter
from assent_shop.support.reading import Reading


@dataclass(frozen=True, slots=True)
class Case:
    """What a handler works with.

    Attributes:
        talk: To act.
        letter: What the customer wrote.
        reading: What was understood of it.
        user: The customer.
    """

    talk: Conversation
    letter: Letter
    reading: Reading
    user: Row

    @property
    def first_name(self) -> str:
        """What to call them."""
        return str(self.user["name"]["first_name"])

    def order(self) -> Row:
        """The order they write about, after making sure that it is theirs.

        Raises:
            GaveUp: They name none, or somebody else's.
        """
        if self.reading.order_id is None:
            raise GaveUp("the letter names no order")
        order: Row = self.talk.look_up(
            "get_order_details", f"{self.first_name} writes about this order.", order_id=self.reading.order_id
        )
        if order["user_id"] != self.user["user_id"]:
            raise GaveUp(f"order {order['order_id']} belongs to another customer")
        return order

    def gift_card(self) -> str | None:
        """A gift card of theirs."""
        methods = self.user["payment_methods"]
        return next((name for name, method in methods.items() if method["source"] == "gift_card"), None)

    def suggest_note(self, order: Row, text: str, why: str) -> Outcome:
        """Suggest a note for colleagues."""
        return self.talk.act("add_order_note", why, order_id=order["order_id"], text=text)


def outcome_words(outcome: Outcome) -> str:
    """Why something did not happen, as the end of a sentence."""
    reason = outcome.message.strip().rstrip(".")
    return f"{outcome.status}: {reason}" if reason else str(outcome.status)


def item_words(item: Row) -> str:
    """An item with its options, for people."""
    options = ", ".join(str(value) for value in item["options"].values())
    return f"{item['name']} ({options})" if options else str(item["name"])

"""Wishes about money: pay another way, and apologies."""

from __future__ import annotations

from assent_shop.support.case import Case, outcome_words
from assent_shop.support.conversation import Outcome, done, turned_down

SMALL = 5.0
"""Dollars of a small apology."""


def pay_otherwise(case: Case) -> str:
    """Charge a pending order to another method of the customer."""
    order = case.order()
    paid = order["payment_history"][0]["payment_method_id"]
    methods = case.user["payment_methods"]
    other = next(
        (name for name, method in methods.items() if method["source"] == case.reading.source and name != paid), None
    )
    if other is None:
        return f"Told {case.first_name} that we know no such other payment method of theirs."
    if "pending" not in order["status"]:
        return f"Told {case.first_name} that order {order['order_id']} is {order['status']} and paid."
    amount = order["payment_history"][0]["amount"]
    outcome = case.talk.act(
        "modify_pending_order_payment",
        f"{case.first_name} asks to pay the ${amount:.2f} with {other} instead of {paid}.",
        order_id=order["order_id"],
        payment_method_id=other,
    )
    if done(outcome):
        return f"Order {order['order_id']} is now paid with {other}."
    return f"Order {order['order_id']} stays paid with {paid}: {outcome_words(outcome)}."


def make_up_for_it(case: Case) -> str:
    """Propose what an unhappy customer demands; if that is too much, a small apology."""
    order, demanded = case.order(), case.reading.amount or SMALL
    outcome = _credit(
        case, demanded, f"{case.first_name} demands ${demanded:g} for trouble with order {order['order_id']}."
    )
    if outcome is None:
        return _no_card(case)
    if turned_down(outcome):
        smaller = _credit(
            case, SMALL, f"${demanded:g} was too much ({outcome_words(outcome)}), but a small apology is due."
        )
        given = smaller is not None and done(smaller)
        return f"Offered {case.first_name} ${SMALL:g} instead of ${demanded:g}." if given else _no_card(case)
    if done(outcome):
        return f"Gave {case.first_name} ${demanded:g} of store credit."
    return f"No store credit for {case.first_name}: {outcome_words(outcome)}."


def late(case: Case) -> str:
    """A small apology for an order that is late, and a word to colleagues."""
    order = case.order()
    if order["status"] == "delivered":
        return f"Told {case.first_name} that order {order['order_id']} was delivered."
    outcome = _credit(case, SMALL, f"Order {order['order_id']} is {order['status']} and late; a small apology is due.")
    case.suggest_note(
        order,
        f"{case.letter.name} is still waiting. Please ask the carrier.",
        "The customer says it is late, and only a colleague can ask the carrier.",
    )
    if outcome is not None and done(outcome):
        return f"Gave {case.first_name} ${SMALL:g} for the wait, and suggested to ask the carrier."
    return f"Suggested to ask the carrier about order {order['order_id']}."


def _credit(case: Case, amount: float, reason: str) -> Outcome | None:
    card = case.gift_card()
    if card is None:
        return None
    return case.talk.act(
        "give_store_credit",
        reason,
        user_id=case.user["user_id"],
        gift_card_id=card,
        amount=amount,
        because="An apology for the trouble.",
    )


def _no_card(case: Case) -> str:
    return f"Apologised to {case.first_name}; no store credit was given."

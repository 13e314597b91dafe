"""Store credit: a small apology on a customer's gift card, and the charge that balances it."""

from __future__ import annotations

from assent_activities.connectors.contract import ActionFailed
from assent_activities.connectors.sql_rows import Row
from assent_shop.rules.outcome import Changed
from assent_shop.rules.wallet import covers, credited, is_gift_card, payment_method


def give_credit(user: Row, *, gift_card_id: str, amount: float) -> Changed:
    """Add an amount to a gift card.

    Args:
        user: The customer.
        gift_card_id: A gift card of theirs.
        amount: Dollars, more than nothing, in whole cents.

    Raises:
        ActionFailed: It is no gift card of the customer, or the amount is not one.
    """
    if not is_gift_card(payment_method(user, gift_card_id)):
        raise ActionFailed("Store credit goes to a gift card")
    if amount <= 0 or round(amount, 2) != amount:
        raise ActionFailed("Store credit is a positive amount in whole cents")
    return Changed(user=credited(user, gift_card_id, amount))


def charge_back(user: Row, *, gift_card_id: str, amount: float) -> Changed:
    """Take a credit off a gift card again.

    Raises:
        ActionFailed: The gift card is no longer the customer's, or does not hold that much.
    """
    method = payment_method(user, gift_card_id)
    if not covers(method, amount):
        raise ActionFailed(f"{gift_card_id} holds ${method['balance']:.2f} by now, so ${amount:.2f} cannot be charged")
    return Changed(user=credited(user, gift_card_id, -amount))

"""Questions and small wishes: where is it, is it in stock, we have moved, please note."""

from __future__ import annotations

from assent_activities.connectors.sql_rows import Row
from assent_shop.support.case import Case, item_words, outcome_words
from assent_shop.support.conversation import GaveUp, done
from assent_shop.support.reading import named_variant


def moved(case: Case) -> str:
    """Keep a customer's new default address."""
    address = case.reading.address
    if address is None:
        raise GaveUp("I cannot make out the new address")
    outcome = case.talk.act(
        "modify_user_address",
        f"{case.first_name} has moved and gives the new address.",
        user_id=case.user["user_id"],
        **address,
    )
    if done(outcome):
        return f"{case.first_name}'s default address is now {address['address1']}, {address['city']}."
    return f"{case.first_name}'s address stays as it is: {outcome_words(outcome)}."


def where(case: Case) -> str:
    """Say where an order is, by mail."""
    order = case.order()
    tracking = [number for parcel in order["fulfillments"] for number in parcel["tracking_id"]]
    news = (
        f"It is {order['status']}, and its tracking number is {tracking[0]}."
        if tracking
        else f"It is {order['status']} and has no tracking number yet."
    )
    outcome = case.talk.act(
        "send_customer_mail",
        f"{case.first_name} asks where order {order['order_id']} is, and this is what we know.",
        user_id=case.user["user_id"],
        subject=f"Your order {order['order_id']}",
        body=f"Dear {case.first_name},\n\nthank you for asking about order {order['order_id']}. {news}\n\nYour shop",
    )
    if done(outcome):
        return f"Wrote to {case.first_name} where order {order['order_id']} is."
    return f"No mail to {case.first_name}: {outcome_words(outcome)}. What we know: {news}"


def stock(case: Case) -> str:
    """Say whether something is in stock, and its price."""
    listed: dict[str, str] = case.talk.look_up("list_all_product_types", "To find the product they ask about.")
    text = case.letter.text.lower()
    name = max((name for name in listed if name.lower() in text), key=len, default=None)
    if name is None:
        raise GaveUp("I do not know the product in the letter")
    product: Row = case.talk.look_up("get_product_details", "To see variants and prices.", product_id=listed[name])
    variant = next(
        (
            found
            for one in product["variants"].values()
            if (found := named_variant(case.letter.text, product, one["options"])) is not None
        ),
        None,
    )
    if variant is None:
        return f"Answered {case.first_name}: there is no such {name}."
    words = item_words({"name": name, **variant})
    if variant["available"]:
        return f"Answered {case.first_name}: the {words} is in stock and costs ${variant['price']:.2f}."
    return f"Answered {case.first_name}: the {words} is sold out at the moment."


def note(case: Case) -> str:
    """Suggest a note on an order."""
    order = case.order()
    outcome = case.suggest_note(
        order, case.letter.text, f"{case.first_name} asks to pass this on; a colleague decides."
    )
    return f"Suggested a note on order {order['order_id']} ({outcome.status})."

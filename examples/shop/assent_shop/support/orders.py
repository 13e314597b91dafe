"""Wishes about an order: cancel it, move it, swap an item, send one back."""

from __future__ import annotations

from assent_activities.connectors.sql_rows import Row
from assent_shop.support.case import Case, item_words, outcome_words
from assent_shop.support.conversation import GaveUp, done, turned_down
from assent_shop.support.reading import named_item, named_variant


def cancel(case: Case) -> str:
    """Cancel a pending order; for one that left already, offer what is left."""
    order = case.order()
    if order["status"] != "pending":
        return f"Told {case.first_name} that order {order['order_id']} is {order['status']} and cannot be cancelled."
    total = sum(line["amount"] for line in order["payment_history"] if line["transaction_type"] == "payment")
    reason = "ordered by mistake" if case.reading.by_mistake else "no longer needed"
    outcome = case.talk.act(
        "cancel_pending_order",
        f"{case.first_name} asks for it, the order is still pending, and ${total:.2f} go back the way they came.",
        order_id=order["order_id"],
        reason=reason,
    )
    if done(outcome):
        return f"Cancelled order {order['order_id']} for {case.first_name} and refunded ${total:.2f}."
    if turned_down(outcome):
        case.suggest_note(
            order,
            f"{case.letter.name} wanted to cancel ({reason}); that was {outcome_words(outcome)}. Please call them.",
            "The cancellation was turned down, so a colleague should talk to the customer before it ships.",
        )
        return f"Did not cancel order {order['order_id']} ({outcome_words(outcome)}); suggested a call instead."
    return f"Order {order['order_id']} could not be cancelled: {outcome_words(outcome)}."


def move(case: Case) -> str:
    """Send a pending order somewhere else."""
    order, address = case.order(), case.reading.address
    if address is None:
        raise GaveUp("I cannot make out the new address")
    if "pending" not in order["status"]:
        return f"Told {case.first_name} that order {order['order_id']} is {order['status']} and cannot be redirected."
    outcome = case.talk.act(
        "modify_pending_order_address",
        f"{case.first_name} gives another address, and the order has not left yet.",
        order_id=order["order_id"],
        **address,
    )
    if done(outcome):
        return f"Order {order['order_id']} now goes to {address['address1']}, {address['city']}."
    return f"The address of {order['order_id']} stays as it is: {outcome_words(outcome)}."


def swap(case: Case) -> str:
    """Exchange an item that was delivered, or change one that has not left."""
    order = case.order()
    item = named_item(case.letter.text, order["items"])
    if item is None:
        raise GaveUp(f"no item of order {order['order_id']} is the one in the letter")
    tool = {"pending": "modify_pending_order_items", "delivered": "exchange_delivered_order_items"}.get(order["status"])
    if tool is None:
        return f"Told {case.first_name} that items of {order['order_id']} cannot be swapped: it is {order['status']}."
    product: Row = case.talk.look_up(
        "get_product_details", "To see which variants there are.", product_id=item["product_id"]
    )
    variant = named_variant(case.letter.text, product, item["options"])
    if variant is None or not variant["available"]:
        return _not_available(case, order, item)
    difference = variant["price"] - item["price"]
    words = f"${abs(difference):.2f} {'more' if difference > 0 else 'less'}"
    outcome = case.talk.act(
        tool,
        f"{case.first_name} wants {item_words({**item, **variant})} instead of {item_words(item)}. "
        f"It is in stock and costs {words}.",
        order_id=order["order_id"],
        item_ids=[item["item_id"]],
        new_item_ids=[variant["item_id"]],
        payment_method_id=order["payment_history"][0]["payment_method_id"],
    )
    if done(outcome):
        return f"Swapped the {item_words(item)} in order {order['order_id']} for {item_words({**item, **variant})}."
    if turned_down(outcome) and order["status"] == "delivered":
        return f"The exchange was {outcome_words(outcome)}. {_take_back(case, order, item, 'The exchange was no.')}"
    return f"The {item['name']} in order {order['order_id']} stays as it is: {outcome_words(outcome)}."


def send_back(case: Case) -> str:
    """Take an item back."""
    order = case.order()
    item = named_item(case.letter.text, order["items"])
    if item is None:
        raise GaveUp(f"no item of order {order['order_id']} is the one in the letter")
    if order["status"] != "delivered":
        return f"Told {case.first_name} that order {order['order_id']} is {order['status']}; nothing to send back yet."
    return _take_back(case, order, item, f"{case.first_name} does not want to keep it.")


def _not_available(case: Case, order: Row, item: Row) -> str:
    case.suggest_note(
        order,
        f"{case.letter.name} would like another variant of {item_words(item)}, which is not in stock now.",
        "What the customer wants is not in stock; a colleague can tell them when it is.",
    )
    return f"What {case.first_name} wants instead of {item_words(item)} is not in stock; suggested a note."


def _take_back(case: Case, order: Row, item: Row, why: str) -> str:
    outcome = case.talk.act(
        "return_delivered_order_items",
        f"{why} Order {order['order_id']} was delivered, and ${item['price']:.2f} would go back to where it was paid.",
        order_id=order["order_id"],
        item_ids=[item["item_id"]],
        payment_method_id=order["payment_history"][0]["payment_method_id"],
    )
    if done(outcome):
        return f"{case.first_name} may send back the {item_words(item)}; the refund follows when it arrives."
    return f"The {item['name']} was not taken back: {outcome_words(outcome)}."

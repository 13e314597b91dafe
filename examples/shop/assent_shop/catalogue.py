"""What each tool of the shop declares: its arguments, a sentence that approvers read, risks, and how it is undone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType, BlastUnit, TargetDeclaration, UndoDeclaration
from assent.domain.tiers import Risk, Speed
from assent.domain.undo_kinds import CounterMessage, UndoKind
from assent_shop.rules.address import FIELDS
from assent_shop.rules.cancelling import REASONS

ORDER = {"order_id": {"type": "string", "maxLength": 40, "description": "Id of the order, such as #W0000001."}}
USER = {"user_id": {"type": "string", "maxLength": 80, "description": "Id of the customer, such as ada_moss_1204."}}
METHOD = {"payment_method_id": {"type": "string", "maxLength": 80, "description": "One of the customer's methods."}}
ITEMS = {"type": "array", "items": {"type": "string", "maxLength": 40}, "minItems": 1, "maxItems": 100}
ADDRESS = {name: {"type": "string", "maxLength": 200} for name in FIELDS}
CURRENCY = "USD"
MONEY = frozenset(
    {
        "items.*.price",
        "payment_history.*.amount",
        "exchange_price_difference",
        "payment_methods.*.balance",
        "amount",
    }
)
"""Money in the shop's records."""

_THE_ORDER = TargetDeclaration(words="order {order_id}", resource="shop/orders/{order_id}")
_THE_CUSTOMER = TargetDeclaration(words="customer {user_id}", resource="shop/users/{user_id}")
_PLACE = "{address1}, {city}, {state} {zip}, {country}"


def _object(properties: dict[str, Json], optional: tuple[str, ...] = ()) -> dict[str, Json]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _look_up(name: str, title: str, sentence: str, **properties: Json) -> ActionType:
    return ActionType(
        name=f"shop.{name}",
        title=title,
        sentence=sentence,
        arguments=_object(properties),
        idempotent=True,
        reads_only=True,
        target=_target(properties),
    )


def _change(name: str, title: str, sentence: str, undo: str, *risks: Risk, **properties: Json) -> ActionType:
    return ActionType(
        name=f"shop.{name}",
        title=title,
        sentence=sentence,
        arguments=_object(properties),
        idempotent=True,
        risks=frozenset(risks),
        undo=UndoDeclaration(
            sentence=undo,
            precondition="Order, customer and balances still are as this action left them.",
            kind=UndoKind.BEFORE_IMAGE,
        ),
        how_to_find_out="Open the shop's own page of what it is about and look whether the change is there. If it was "
        "done, the table assent_journal of the shop's database has a row with this action's key.",
        currency=CURRENCY,
        money=MONEY,
        target=_target(properties),
        blast=(BlastUnit(unit="items", argument="item_ids"),) if "item_ids" in properties else (),
    )


def _target(properties: Mapping[str, Json]) -> TargetDeclaration | None:
    """The order or the customer that a tool names."""
    return _THE_ORDER if "order_id" in properties else _THE_CUSTOMER if "user_id" in properties else None


def _text(most: int) -> Json:
    return {"type": "string", "minLength": 1, "maxLength": most}


LOOK_UPS = (
    _look_up("get_order_details", "Look up an order", "Look up order {order_id}.", **ORDER),
    _look_up("get_user_details", "Look up a customer", "Look up the customer {user_id}.", **USER),
    _look_up("get_product_details", "Look up a product", "Look up product {product_id}.", product_id=_text(40)),
    _look_up("get_item_details", "Look up an item", "Look up item {item_id}.", item_id=_text(40)),
    _look_up("list_all_product_types", "List products", "List all products."),
    _look_up(
        "find_user_id_by_email", "Find a customer", "Find the customer with the address {email}.", email=_text(200)
    ),
    _look_up(
        "find_user_id_by_name_zip",
        "Find a customer",
        "Find the customer {first_name} {last_name} in {zip}.",
        first_name=_text(80),
        last_name=_text(80),
        zip=_text(20),
    ),
    _look_up("calculate", "Work out a sum", "Work out {expression}.", expression=_text(500)),
    _look_up(
        "transfer_to_human_agents",
        "Hand over to a colleague",
        "Hand over to a colleague: {summary}",
        summary=_text(4000),
    ),
)

CANCEL = _change(
    "cancel_pending_order",
    "Cancel an order",
    "Cancel order {order_id} because it was {reason}, and refund everything paid for it.",
    "Order {order_id} is pending again, and its refunds are withdrawn.",
    Risk.MONEY,
    **ORDER,
    reason={"type": "string", "enum": list(REASONS)},
)
MOVE_ORDER = _change(
    "modify_pending_order_address",
    "Change where an order goes",
    f"Send order {{order_id}} to {_PLACE}.",
    "Order {order_id} goes to its earlier address again.",
    **ORDER,
    **ADDRESS,
)
MOVE_USER = _change(
    "modify_user_address",
    "Change a customer's address",
    f"Change the default address of {{user_id}} to {_PLACE}.",
    "{user_id} has the earlier default address again.",
    **USER,
    **ADDRESS,
)
CHANGE_PAYMENT = _change(
    "modify_pending_order_payment",
    "Change how an order is paid",
    "Charge order {order_id} to {payment_method_id} instead, and refund the earlier payment.",
    "Order {order_id} is paid by its earlier method again.",
    Risk.MONEY,
    **ORDER,
    **METHOD,
)
MODIFY_ITEMS = _change(
    "modify_pending_order_items",
    "Change items of an order",
    "In order {order_id}, replace {item_ids} by {new_item_ids}; {payment_method_id} settles the difference now.",
    "Order {order_id} has its earlier items again, and the difference is settled back.",
    Risk.MONEY,
    **ORDER,
    item_ids=ITEMS,
    new_item_ids=ITEMS,
    **METHOD,
)
EXCHANGE = _change(
    "exchange_delivered_order_items",
    "Exchange delivered items",
    "From order {order_id}, exchange {item_ids} for {new_item_ids}; {payment_method_id} settles the difference later.",
    "The exchange is withdrawn; order {order_id} is delivered, as before.",
    Risk.MONEY,
    **ORDER,
    item_ids=ITEMS,
    new_item_ids=ITEMS,
    **METHOD,
)
RETURN = _change(
    "return_delivered_order_items",
    "Return delivered items",
    "Take back {item_ids} from order {order_id}, and refund them to {payment_method_id} once they arrive.",
    "The return is withdrawn; order {order_id} is delivered, as before.",
    Risk.MONEY,
    **ORDER,
    item_ids=ITEMS,
    **METHOD,
)
CREDIT = _change(
    "give_store_credit",
    "Give store credit",
    "Give {user_id} store credit of ${amount} on {gift_card_id}: {because}",
    "The credit is taken off {gift_card_id} again.",
    Risk.MONEY,
    **USER,
    gift_card_id=_text(80),
    amount={"type": "number", "exclusiveMinimum": 0, "maximum": 1000, "description": "Dollars."},
    because=_text(500),
).model_copy(
    update={
        "amount": "amount",
        "undo": UndoDeclaration(
            sentence="Charge ${amount} to {gift_card_id} again, with a booking of its own.",
            precondition="The gift card still is the customer's and holds that much.",
            within=timedelta(days=30),
            kind=UndoKind.INVERSE,
        ),
    }
)
NOTE = _change(
    "add_order_note",
    "Note something on an order",
    "Note on order {order_id}: {text}",
    "The note is removed.",
    **ORDER,
    text=_text(2000),
)
MAIL = ActionType(
    name="shop.send_customer_mail",
    title="Mail a customer",
    sentence="Mail {user_id}: “{subject}”",
    arguments=_object({**USER, "subject": _text(200), "body": _text(10_000)}),
    speed=Speed.LONG,
    idempotent=True,
    risks=frozenset({Risk.CUSTOMER_FACING, Risk.IRREVERSIBLE}),
    undo=UndoDeclaration(
        sentence="Write to {user_id} that the mail “{subject}” was sent in error.",
        precondition="The mail went out, and the customer still has that address.",
        within=timedelta(days=7),
        kind=UndoKind.COUNTER_MESSAGE,
        message=CounterMessage(
            subject="Correction: {subject}",
            text="Hello,\n\nour mail “{subject}” was sent to you in error. Please disregard what it says; we are sorry "
            "for the confusion.\n\nYour shop",
        ),
    ),
    how_to_find_out="Search the shop's sent mails (its table outgoing_mail) for the subject “{subject}” to {user_id}.",
    target=_THE_CUSTOMER,
    blast=(BlastUnit(unit="recipients"),),
)

"""The rules of the shop as pure functions: rows and arguments in, changed rows out, or a refusal in the shop's words.

Each rule takes rows as they are and returns new ones; it never changes what it was given. A refusal is an
``ActionFailed`` with a reason that a customer could be told.
"""

from assent_shop.rules.address import move_order, move_user
from assent_shop.rules.cancelling import cancel
from assent_shop.rules.credit import charge_back, give_credit
from assent_shop.rules.exchanging import exchange
from assent_shop.rules.items import modify_items
from assent_shop.rules.outcome import Changed
from assent_shop.rules.paying import change_payment
from assent_shop.rules.returning import take_back

__all__ = [
    "Changed",
    "cancel",
    "change_payment",
    "charge_back",
    "exchange",
    "give_credit",
    "modify_items",
    "move_order",
    "move_user",
    "take_back",
]

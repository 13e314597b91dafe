"""Store credit: booked, and balanced by a charge with a booking of its own where it must be taken back."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from assent.domain.canonical import Json
from assent.domain.effects import Performed, ResourceChange
from assent_activities.connectors import ActionFailed, Call, UndoConflict
from assent_activities.connectors.sql_rows import RowTransaction
from assent_shop import rules
from assent_shop.desk.changing import record_id
from assent_shop.desk.finding import user_of
from assent_shop.operations import Change

_BOOKINGS = "shop/bookings/"


class Booking(BaseModel):
    """What charging a credit back needs to know of it.

    Attributes:
        booking_id: The credit's own booking.
        user_id: Whose it is.
        gift_card_id: Where it went.
        amount: Dollars.
    """

    booking_id: str
    user_id: str
    gift_card_id: str
    amount: float


class GiveCredit(Change):
    """Gives store credit, and takes it back by the opposite: a charge of as much.

    Both bookings stay, as in any shop's books. Unlike putting the earlier balance back, that also works where the
    customer bought something meanwhile, as long as the gift card still holds enough.
    """

    def perform(self, call: Call) -> Performed:
        """See the contract."""
        return _booked(super().perform(call))

    def lookup(self, call: Call) -> Performed | bool | None:
        """See the contract."""
        found = super().lookup(call)
        return _booked(found) if isinstance(found, Performed) else found

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        """See the contract."""
        return self.store.preview(lambda rows: _charge_back(rows, call, undo_data))

    def undo(self, call: Call, undo_data: Json) -> Performed:
        """See the contract."""
        done = self.store.perform(call.key, lambda rows: _charge_back(rows, call, undo_data))
        return done.model_copy(update={"result": None, "undo_data": None})


def _booked(done: Performed) -> Performed:
    """What undoing needs is the booking, not how the rows looked before."""
    made = next((each.after for each in done.changes if each.resource.startswith(_BOOKINGS)), None)
    return done.model_copy(update={"undo_data": made and Booking.model_validate(made).model_dump()})


def _charge_back(rows: RowTransaction, call: Call, undo_data: Json) -> Json:
    # A conflict is not remembered as a refusal is: once the gift card holds enough, the same undo may be tried again.
    try:
        credit = Booking.model_validate(undo_data)
    except ValidationError as error:
        raise UndoConflict("It is not known how this credit was booked. Look into the shop's bookings.") from error
    charge_id = record_id("CB", call)
    if rows.get("bookings", charge_id) is not None:
        raise UndoConflict(f"It was charged back already, as {charge_id}.")
    try:
        user = user_of(rows, credit.user_id)
        charged = rules.charge_back(user, gift_card_id=credit.gift_card_id, amount=credit.amount)
    except ActionFailed as error:
        raise UndoConflict(str(error)) from error
    assert charged.user is not None
    rows.put("users", credit.user_id, charged.user)
    charge = {
        "user_id": credit.user_id,
        "gift_card_id": credit.gift_card_id,
        "amount": -credit.amount,
        "because": f"Charged back: {credit.booking_id}",
        "balances": credit.booking_id,
    }
    return rows.put("bookings", charge_id, charge)

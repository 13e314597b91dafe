"""Mail to customers: slow, and never to be taken back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.effects import Performed, ResourceChange
from assent_activities.connectors.contract import Call, UndoConflict
from assent_activities.connectors.sql_rows import RowStore, RowTransaction
from assent_shop.desk.changing import record_id
from assent_shop.desk.finding import user_of

STEPS = 8
"""Signs of life while a mail is on its way."""


@dataclass(frozen=True)
class SendMail:
    """Sends a mail: some seconds of talking to a mail server, then a row in ``outgoing_mail``.

    The row and the journal's are written together once the server has taken the mail, so repeating it with the same
    key sends nothing twice.

    Attributes:
        type: What it declares.
        store: The shop's tables.
        seconds: How long the mail server takes.
        sleep: Waits.
    """

    type: ActionType
    store: RowStore
    seconds: float = 2.0
    sleep: Callable[[float], None] = time.sleep

    def preview(self, call: Call) -> list[ResourceChange]:
        """See the contract."""
        return self.store.preview(lambda rows: self._write(rows, call))

    def perform(self, call: Call) -> Performed:
        """See the contract."""
        if self.lookup(call) is None:
            self.preview(call)
            for step in range(STEPS):
                call.heartbeat({"delivered_percent": 100 * step // STEPS})
                self.sleep(self.seconds / STEPS)
        done = self.store.perform(call.key, lambda rows: self._write(rows, call))
        return done.model_copy(update={"undo_data": None})

    def lookup(self, call: Call) -> Performed | bool | None:
        """See the contract."""
        found = self.store.lookup(call.key)
        return found.model_copy(update={"undo_data": None}) if isinstance(found, Performed) else found

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        """See the contract."""
        raise UndoConflict("A mail that was sent cannot be taken back. Write to the customer.")

    def undo(self, call: Call, undo_data: Json) -> Performed:
        """See the contract."""
        raise UndoConflict("A mail that was sent cannot be taken back. Write to the customer.")

    def _write(self, rows: RowTransaction, call: Call) -> Json:
        user = user_of(rows, call.arguments["user_id"])
        mail = {
            "user_id": user["user_id"],
            "recipient": user["email"],
            "subject": call.arguments["subject"],
            "body": call.arguments["body"],
        }
        rows.put("outgoing_mail", (mail_id := record_id("M", call)), mail)
        return {"mail_id": mail_id, "recipient": user["email"]}

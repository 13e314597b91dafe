"""Mail to customers: slow, and put right by another mail where it must be taken back."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.effects import Performed, ResourceChange
from assent_activities.connectors import ActionFailed, Call, CounterPost, UndoConflict, written
from assent_activities.connectors.sql_rows import RowStore, RowTransaction, RowTrial, rehearsed
from assent_shop.desk.changing import record_id
from assent_shop.desk.finding import user_of
from assent_shop.trials import call_for

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
        post: Assent's own mail, which takes corrections to the customer as well; ``None`` where none is set up.
    """

    type: ActionType
    store: RowStore
    seconds: float = 2.0
    sleep: Callable[[float], None] = time.sleep
    post: CounterPost | None = None

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
        return self._sent(self.store.perform(call.key, lambda rows: self._write(rows, call)))

    def lookup(self, call: Call) -> Performed | bool | None:
        """See the contract."""
        found = self.store.lookup(call.key)
        return self._sent(found) if isinstance(found, Performed) else found

    def undo_preview(self, call: Call, undo_data: Json) -> list[ResourceChange]:
        """See the contract."""
        return self.store.preview(lambda rows: self._correct(rows, call, undo_data))

    def undo(self, call: Call, undo_data: Json) -> Performed:
        """See the contract."""
        try:
            done = self.store.perform(call.key, lambda rows: self._correct(rows, call, undo_data))
        except ActionFailed as error:
            raise UndoConflict(str(error)) from error
        if self.post is not None:
            said, whom = done.changes[0].after, _recipient(undo_data)
            self.post.send(
                call.key, name=whom["user_id"], email=whom["recipient"], subject=said["subject"], text=said["body"]
            )
        return done.model_copy(update={"result": None, "undo_data": None})

    @contextlib.contextmanager
    def scratch(self) -> Iterator[RowTrial]:
        """The shop as it is, in a transaction that is taken back; nothing is mailed."""
        with rehearsed(self.store) as store:
            there = replace(self, store=store, seconds=0.0, post=None)
            yield RowTrial(there, call_for(there, store))

    def _sent(self, done: Performed) -> Performed:
        """What undoing needs is whom to write to; the row of the mail that went out stays."""
        after = done.changes[0].after if done.changes else None
        whom = {name: after[name] for name in ("user_id", "recipient")} if isinstance(after, dict) else None
        return done.model_copy(update={"undo_data": whom})

    def _correct(self, rows: RowTransaction, call: Call, undo_data: Json) -> Json:
        whom = _recipient(undo_data)
        if user_of(rows, whom["user_id"])["email"] != whom["recipient"]:
            raise ActionFailed(f"{whom['user_id']} has another address by now. Write to them yourself.")
        message = written(self.type, call.arguments)
        mail = {**whom, "subject": message.subject, "body": message.text}
        rows.put("outgoing_mail", record_id("C", call), mail)
        return None

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


def _recipient(undo_data: Json) -> dict[str, str]:
    if not isinstance(undo_data, dict) or not {"user_id", "recipient"} <= undo_data.keys():
        raise ActionFailed("It is not known to whom this mail went. Look into the shop's sent mails.")
    return {name: str(undo_data[name]) for name in ("user_id", "recipient")}

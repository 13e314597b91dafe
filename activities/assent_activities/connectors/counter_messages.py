"""Counter-messages: what cannot be taken back is put right by a mail from the template that its type declares."""

from __future__ import annotations

import hashlib
from typing import Protocol

from assent.domain.catalogue import ActionType
from assent.domain.effects import ResourceChange
from assent.domain.undo_kinds import CounterMessage
from assent.policy.sentences import fill


class CounterPost(Protocol):
    """Assent's own mail, as connectors are given it."""

    def send(self, key: str, *, name: str, email: str, subject: str, text: str) -> None:
        """Hand a mail to the queue that is delivered until the mail server has it; the same key sends it once.

        Raises:
            ConnectorUnavailable: The queue cannot be written now; nothing was sent.
        """
        ...


def written(type: ActionType, arguments: dict[str, object]) -> CounterMessage:
    """The counter-message of a call: its type's template with the arguments filled in, on one line for the subject.

    Raises:
        ValueError: The type declares none.
    """
    message = type.undo.message if type.undo else None
    if message is None:
        raise ValueError(f"{type.name} declares no counter-message.")
    subject = " ".join(fill(message.subject, type, arguments).split())
    return CounterMessage(subject=subject[:200] or "Correction", text=fill(message.text, type, arguments)[:10_000])


def mail_change(key: str, email: str, message: CounterMessage) -> ResourceChange:
    """The mail as a record that taking back made, for previews and the ledger."""
    name = hashlib.sha256(key.encode()).hexdigest()[:12]
    after = {"to": email, "subject": message.subject, "text": message.text}
    return ResourceChange(resource=f"mail/{name}", after=after)

"""The mail that connectors are given for their counter-messages: Assent's own queue."""

from __future__ import annotations

import hashlib

from assent.domain.clock import Clock
from assent.domain.errors import Unavailable
from assent.gateway import utc_now
from assent.store import notices
from assent.store.database import Database
from assent.store.notices import MAIL, Notice, NoticeKind
from assent_activities.connectors import ConnectorUnavailable


class QueuedPost:
    """Writes counter-messages into the outbox; whoever delivers mails sends them.

    Args:
        database: Where the outbox is.
        clock: The time.
    """

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def send(self, key: str, *, name: str, email: str, subject: str, text: str) -> None:
        """Queue a mail; one with the same key is queued once.

        Raises:
            ConnectorUnavailable: The database is away; nothing was queued.
        """
        notice = Notice(
            id=f"counter-{hashlib.sha256(key.encode()).hexdigest()[:24]}",
            kind=NoticeKind.COUNTER,
            subject=key,
            name=name,
            email=email,
            slack="",
            headline=subject,
            text=text,
            path="",
            at=self._clock(),
        )
        try:
            with self._database.write() as session:
                notices.tell(session, notice, (MAIL,))
        except Unavailable as error:
            raise ConnectorUnavailable(f"The mail cannot be queued: {error.what}") from error

"""What Assent's bot posted in a channel or a thread, read once for many questions and read on where it broke off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.errors import SlackApiError

from assent.domain.clock import Clock
from assent_slack.telling import why

EVENT_TYPE = "assent_approval_request"
"""Type of the metadata that a posted copy carries; it says which request it is, and which note on it."""

CLOCK_SKEW = timedelta(minutes=5)
"""How far this machine's clock and Slack's may be apart."""

PAGE = 200

Read = Callable[..., Awaitable[Any]]
"""Reads a page of messages: ``conversations.history``, or ``conversations.replies`` of a thread."""


@dataclass
class _Look:
    """One look at a channel, newest message first."""

    since: datetime
    began: datetime
    found: dict[tuple[str, str], str] = field(default_factory=dict)
    cursor: str | None = None
    over: bool = False


class History:
    """The history of one channel or thread.

    Args:
        read: Reads a page of it.
        bot_id: Assent's bot; what others post does not count, whatever it carries.
        clock: The time.
    """

    def __init__(self, read: Read, bot_id: str, clock: Clock) -> None:
        self._read = read
        self._bot_id = bot_id
        self._clock = clock
        self._look: _Look | None = None

    async def find(self, approval_id: str, note: str, *, since: datetime, after: datetime) -> str | None:
        """The copy of a request, or a note on it.

        Args:
            approval_id: The request.
            note: The note; empty for the request itself.
            since: When it was first to be posted.
            after: When it was last tried; a look that began before says nothing about that.

        Raises:
            SlackApiError: The history cannot be read now; what was read so far is kept.
        """
        look = self._look
        if look is None or look.since > since or look.began <= after:
            look = self._look = _Look(since, self._clock())
        while not look.over:
            await self._read_on(look)
        return look.found.get((approval_id, note))

    async def _read_on(self, look: _Look) -> None:
        try:
            answer = await self._read(
                oldest=f"{(look.since - CLOCK_SKEW).timestamp():.6f}",
                limit=PAGE,
                include_all_metadata=True,
                cursor=look.cursor,
            )
        except SlackApiError as error:
            if why(error) == "invalid_cursor":
                self._look = None
            raise
        for message in answer.get("messages") or []:
            metadata = message.get("metadata") or {}
            if message.get("bot_id") == self._bot_id and metadata.get("event_type") == EVENT_TYPE:
                told = metadata.get("event_payload") or {}
                look.found[str(told.get("approval")), str(told.get("note", ""))] = str(message["ts"])
        look.cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        look.over = look.cursor is None

"""What Assent's bot posted in a channel, read once for many questions and read on where a limit broke it off."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.clock import Clock
from assent_slack.telling import why

EVENT_TYPE = "assent_approval_request"
"""Type of the metadata that a posted copy carries; it says which request it is."""

CLOCK_SKEW = timedelta(minutes=5)
"""How far this machine's clock and Slack's may be apart."""

PAGE = 200


@dataclass
class _Look:
    """One look at a channel, newest message first."""

    since: datetime
    began: datetime
    found: dict[str, str] = field(default_factory=dict)
    cursor: str | None = None
    over: bool = False


class History:
    """The history of one channel.

    Args:
        client: With the workspace's token.
        channel_id: The channel.
        bot_id: Assent's bot; what others post does not count, whatever it carries.
        clock: The time.
    """

    def __init__(self, client: AsyncWebClient, channel_id: str, bot_id: str, clock: Clock) -> None:
        self._client = client
        self._channel_id = channel_id
        self._bot_id = bot_id
        self._clock = clock
        self._look: _Look | None = None

    async def find(self, approval_id: str, *, since: datetime, after: datetime) -> str | None:
        """The copy of a request.

        Args:
            approval_id: The request.
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
        return look.found.get(approval_id)

    async def _read_on(self, look: _Look) -> None:
        try:
            answer = await self._client.conversations_history(
                channel=self._channel_id,
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
                told = (metadata.get("event_payload") or {}).get("approval")
                look.found[str(told)] = str(message["ts"])
        look.cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        look.over = look.cursor is None

"""Finding the configured channel."""

from __future__ import annotations

import re
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import InvalidInput, NotFound
from assent_slack.telling import why

_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{2,}")

PAGE = 200


async def find_channel(client: AsyncWebClient, configured: str) -> dict[str, Any]:
    """What Slack says of a channel.

    Args:
        client: With the workspace's token.
        configured: Its id, or its name with or without ``#``.

    Raises:
        NotFound: There is no such channel, or the app does not see it.
        InvalidInput: It is archived.
        SlackApiError: Slack refused to say.
    """
    channel = await _by_id(client, configured) if _CHANNEL_ID.fullmatch(configured) else None
    channel = channel or await _by_name(client, configured.lstrip("#"))
    if channel is None:
        raise NotFound(
            f"There is no Slack channel {configured}, or the app does not see it.",
            where="slack_channel",
            todo="Name it by its id (channel name, About, at the bottom), and invite the app to it: /invite @Assent.",
        )
    if channel.get("is_archived"):
        raise InvalidInput(
            f"The Slack channel {configured} is archived.", where="slack_channel", todo="Name another one."
        )
    return channel


async def _by_id(client: AsyncWebClient, channel_id: str) -> dict[str, Any] | None:
    try:
        answer = await client.conversations_info(channel=channel_id)
    except SlackApiError as error:
        if why(error) == "channel_not_found":
            return None
        raise
    return dict(answer["channel"])


async def _by_name(client: AsyncWebClient, name: str) -> dict[str, Any] | None:
    cursor: str | None = None
    while True:
        answer = await client.conversations_list(
            types="public_channel,private_channel", exclude_archived=False, limit=PAGE, cursor=cursor
        )
        for channel in answer.get("channels") or []:
            if channel.get("name") == name:
                return dict(channel)
        cursor = (answer.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return None

"""Telling one person something, where nobody else sees it."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from assent_slack.blocks.pieces import Message
from assent_slack.clicks import Click

log = logging.getLogger(__name__)

FAILURES = (SlackClientError, aiohttp.ClientError, asyncio.TimeoutError, OSError)
"""What a call to Slack can fail with."""


async def tell(client: AsyncWebClient, click: Click, message: Message) -> bool:
    """Answer a click privately, by its response address or else as an ephemeral message.

    Returns:
        Whether Slack took it. What was done stays done if not; the message in the channel shows it.
    """
    if click.response_url and await _respond(client, click, message):
        return True
    if not click.channel_id:
        return False
    try:
        await client.chat_postEphemeral(
            channel=click.channel_id, user=click.user_id, text=message.text, blocks=message.blocks
        )
    except FAILURES as error:
        log.warning("Slack did not take an answer to %s: %s", click.user_id, why(error))
        return False
    return True


async def _respond(client: AsyncWebClient, click: Click, message: Message) -> bool:
    webhook = AsyncWebhookClient(
        click.response_url,
        timeout=client.timeout,
        session=client.session,
        logger=client.logger,
        proxy=client.proxy,
        retry_handlers=[],
    )
    try:
        answer = await webhook.send(
            text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=False
        )
    except FAILURES as error:
        log.info("A response address did not answer: %s", why(error))
        return False
    return answer.status_code == 200


def why(error: BaseException) -> str:
    """The cause of a failed call in a few words: Slack's own error code where there is one."""
    if isinstance(error, SlackApiError):
        answer = error.response
        code = answer.get("error") if hasattr(answer, "get") else None
        return str(code or f"HTTP status {status_of(error)}")
    return f"{type(error).__name__}: {error}".rstrip(": ")


def status_of(error: SlackApiError) -> int:
    """The HTTP status of a refused call; 0 if it is not known."""
    return int(getattr(error.response, "status_code", 0) or getattr(error.response, "status", 0))

"""Socket Mode: Slack's requests come over a connection that Assent opens, so that no public address is needed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

PING_SECONDS = 10.0
"""How often the connection is tested; a dead one is replaced after four times as long."""


@asynccontextmanager
async def listening(
    app: AsyncApp, *, client: AsyncWebClient, app_token: str, ping_seconds: float = PING_SECONDS
) -> AsyncIterator[None]:
    """Listen while the block runs; a connection that breaks is made again.

    Args:
        app: What answers.
        client: For the call that opens connections.
        app_token: The app-level token.
        ping_seconds: How often the connection is tested, and the pause between attempts to make it.
    """
    handler = AsyncSocketModeHandler(
        app,
        app_token,
        web_client=client,
        ping_interval=ping_seconds,
        logger=logging.getLogger("assent_slack.socket_mode"),
    )
    connecting = asyncio.create_task(handler.connect_async())  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        connecting.cancel()
        mine = handler.client
        tasks = [connecting, mine.message_processor, mine.current_session_monitor, mine.message_receiver]
        await handler.close_async()  # type: ignore[no-untyped-call]
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)

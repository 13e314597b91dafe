"""Buttons and menus that only open a page: Slack wants them acknowledged."""

from __future__ import annotations

from slack_bolt.async_app import AsyncAck, AsyncApp

from assent_slack.buttons import MENU, OPEN
from assent_slack.dependencies import Dependencies


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer them."""

    @app.action(MENU)
    @app.action(OPEN)
    async def opened(ack: AsyncAck) -> None:
        await ack()

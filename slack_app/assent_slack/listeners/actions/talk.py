"""The button Comment or ask: it opens the dialog; the dialog writes."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent_slack.blocks.dialogs import talk_dialog
from assent_slack.buttons import TALK
from assent_slack.dependencies import Dependencies
from assent_slack.opening import open_dialog


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the button."""

    @app.action(TALK)
    async def talk(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        deps.work.start(_open(deps, client, body, str(action.get("value", ""))))


async def _open(deps: Dependencies, client: AsyncWebClient, body: dict[str, Any], value: str) -> None:
    await open_dialog(deps, client, body, value, talk_dialog, "Comment or ask")

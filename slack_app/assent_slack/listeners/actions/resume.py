"""The button Resume beside a pause: a dialog opens at once, and is filled with what the pause asks for."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent_slack.buttons import RESUME
from assent_slack.clicks import Click
from assent_slack.dependencies import Dependencies
from assent_slack.resuming import open_resume


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the button."""

    @app.action(RESUME)
    async def resume(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        trigger, pause_id = str(body.get("trigger_id", "")), str(action.get("value", ""))
        deps.work.start(open_resume(deps, client, Click.on_button(body), trigger, pause_id))

"""The button Stop beside a message: it opens the dialog; the dialog stops."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent_slack.blocks.stopping import stop_dialog
from assent_slack.buttons import STOP, Opened, Stopping
from assent_slack.clicks import Click
from assent_slack.dependencies import Dependencies
from assent_slack.stopping import open_view


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the button."""

    @app.action(STOP)
    async def stop(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        click = Click.on_button(body)
        beside = Stopping.read(str(action.get("value", "")))
        opened = Opened(channel=click.channel_id, response_url=click.response_url, beside=beside)
        deps.work.start(_open(deps, client, click, str(body.get("trigger_id", "")), opened))


async def _open(deps: Dependencies, client: AsyncWebClient, click: Click, trigger: str, opened: Opened) -> None:
    await open_view(deps, client, click, trigger, stop_dialog(opened))

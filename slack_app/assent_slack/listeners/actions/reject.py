"""The buttons Reject and Object: they ask for the reason; the dialog decides."""

from __future__ import annotations

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent_slack.blocks.dialogs import reason_dialog
from assent_slack.buttons import OBJECT, REJECT
from assent_slack.dependencies import Dependencies
from assent_slack.opening import open_dialog


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the buttons."""

    @app.action(REJECT)
    async def reject(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        deps.work.start(_ask_why(deps, client, body, str(action.get("value", "")), objecting=False))

    @app.action(OBJECT)
    async def object_to(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        deps.work.start(_ask_why(deps, client, body, str(action.get("value", "")), objecting=True))


async def _ask_why(
    deps: Dependencies, client: AsyncWebClient, body: dict[str, Any], value: str, *, objecting: bool
) -> None:
    build = partial(reason_dialog, objecting=objecting)
    await open_dialog(deps, client, body, value, build, "Object" if objecting else "Reject")

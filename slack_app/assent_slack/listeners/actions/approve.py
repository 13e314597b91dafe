"""The button Approve: it decides."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.approvals import Verb
from assent.domain.errors import InvalidInput
from assent_slack.blocks.notices import refusal
from assent_slack.buttons import APPROVE, Deciding
from assent_slack.clicks import Click
from assent_slack.deciding import decide
from assent_slack.dependencies import Dependencies
from assent_slack.telling import tell


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the button."""

    @app.action(APPROVE)
    async def approve(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        deps.work.start(_approve(deps, client, Click.on_button(body), str(action.get("value", ""))))


async def _approve(deps: Dependencies, client: AsyncWebClient, click: Click, value: str) -> None:
    try:
        deciding = Deciding.read(value)
    except InvalidInput as error:
        await tell(client, click, refusal(error, "You decided nothing.", deps.links.inbox()))
        return
    await decide(deps, client, click, deciding, Verb.APPROVE)

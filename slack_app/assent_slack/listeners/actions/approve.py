"""The buttons that decide by themselves: Approve, and Take back my approval."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.approvals import Verb
from assent.domain.errors import InvalidInput
from assent_slack.blocks.notices import refusal
from assent_slack.buttons import APPROVE, TAKE_BACK, Deciding
from assent_slack.clicks import Click
from assent_slack.deciding import decide
from assent_slack.dependencies import Dependencies
from assent_slack.telling import tell


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the buttons."""

    @app.action(APPROVE)
    async def approve(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        deps.work.start(_decide(deps, client, Click.on_button(body), str(action.get("value", "")), Verb.APPROVE))

    @app.action(TAKE_BACK)
    async def take_back(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        deps.work.start(_decide(deps, client, Click.on_button(body), str(action.get("value", "")), Verb.WITHDRAW))


async def _decide(deps: Dependencies, client: AsyncWebClient, click: Click, value: str, verb: Verb) -> None:
    try:
        deciding = Deciding.read(value)
    except InvalidInput as error:
        await tell(client, click, refusal(error, "You decided nothing.", deps.links.inbox()))
        return
    await decide(deps, client, click, deciding, verb)

"""The button Reject: it asks for the reason; the dialog decides."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import InvalidInput
from assent_slack.blocks.dialogs import reason_dialog
from assent_slack.blocks.notices import notice, refusal
from assent_slack.buttons import REJECT, Deciding, Rejecting
from assent_slack.clicks import Click
from assent_slack.dependencies import Dependencies
from assent_slack.telling import FAILURES, tell, why

log = logging.getLogger(__name__)


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the button."""

    @app.action(REJECT)
    async def reject(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        deps.work.start(_ask_why(deps, client, body, str(action.get("value", ""))))


async def _ask_why(deps: Dependencies, client: AsyncWebClient, body: Mapping[str, Any], value: str) -> None:
    """Open the dialog at once: Slack takes the trigger of a click for three seconds."""
    click = Click.on_button(body)
    try:
        deciding = Deciding.read(value)
    except InvalidInput as error:
        await tell(client, click, refusal(error, "You decided nothing.", deps.links.inbox()))
        return
    rejecting = Rejecting(deciding=deciding, channel=click.channel_id, response_url=click.response_url)
    try:
        await client.views_open(
            trigger_id=str(body.get("trigger_id", "")), view=reason_dialog(rejecting, _headline(body, deciding))
        )
    except FAILURES as error:
        log.warning("The dialog for a reason did not open: %s", why(error))
        text = "✖ You decided nothing: Slack did not open the dialog in time. Press Reject again, or reject in Assent."
        await tell(client, click, notice(text, deps.links.request(deciding.approval_id)))


def _headline(body: Mapping[str, Any], deciding: Deciding) -> str:
    """The headline of the message as it was shown, with its marks; Slack sends it escaped."""
    for block in (body.get("message") or {}).get("blocks") or []:
        if block.get("type") == "header":
            shown = str(block["text"]["text"])
            return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return f"Request {deciding.approval_id}"

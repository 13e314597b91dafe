"""Opening a dialog: at once, because Slack takes the trigger of a click for three seconds only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import InvalidInput
from assent_slack.blocks.notices import notice, refusal
from assent_slack.buttons import Asking, Deciding
from assent_slack.clicks import Click
from assent_slack.dependencies import Dependencies
from assent_slack.telling import FAILURES, tell, why

log = logging.getLogger(__name__)

Build = Callable[[Asking, str], dict[str, Any]]
"""Makes a dialog of what it remembers and the headline that the message showed."""


async def open_dialog(
    deps: Dependencies, client: AsyncWebClient, body: Mapping[str, Any], value: str, build: Build, button: str
) -> tuple[Asking, str] | None:
    """Open a dialog for whoever clicked; asks neither the database nor the run.

    Args:
        deps: What listeners work with.
        client: With the workspace's token.
        body: The click.
        value: What its button carries.
        build: Makes the dialog.
        button: What the button says, to press again.

    Returns:
        What the dialog remembers, and its id; ``None`` if it did not open, of which the person was told.
    """
    click = Click.on_button(body)
    try:
        deciding = Deciding.read(value)
    except InvalidInput as error:
        await tell(client, click, refusal(error, "You decided nothing.", deps.links.inbox()))
        return None
    asking = Asking(deciding=deciding, channel=click.channel_id, response_url=click.response_url)
    try:
        answer = await client.views_open(
            trigger_id=str(body.get("trigger_id", "")), view=build(asking, shown_headline(body, deciding))
        )
    except FAILURES as error:
        log.warning("A dialog did not open: %s", why(error))
        text = (
            f"✖ You decided nothing: Slack did not open the dialog in time. Press {button} again, or do it in Assent."
        )
        await tell(client, click, notice(text, deps.links.request(deciding.approval_id)))
        return None
    return asking, str((answer.get("view") or {}).get("id", ""))


def shown_headline(body: Mapping[str, Any], deciding: Deciding) -> str:
    """The headline of the message as it was shown, with its marks; Slack sends it escaped."""
    for block in (body.get("message") or {}).get("blocks") or []:
        if block.get("type") == "header":
            shown = str(block["text"]["text"])
            return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return f"Request {deciding.approval_id}"

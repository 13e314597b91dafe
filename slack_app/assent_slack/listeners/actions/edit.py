"""The button Edit: a dialog opens at once, and is filled as soon as the database has said with what."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError, Conflict, Forbidden
from assent_slack.blocks.dialogs import telling_dialog, waiting_dialog
from assent_slack.blocks.form import edit_dialog
from assent_slack.buttons import EDIT, Asking
from assent_slack.checking import edit_form
from assent_slack.clicks import Click
from assent_slack.deciding import refused
from assent_slack.dependencies import Dependencies
from assent_slack.opening import open_dialog, shown_headline
from assent_slack.people import Known
from assent_slack.telling import FAILURES, why

log = logging.getLogger(__name__)

TITLE = "Edit the request"


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the button."""

    @app.action(EDIT)
    async def edit(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        deps.work.start(_open(deps, client, body, str(action.get("value", ""))))


async def _open(deps: Dependencies, client: AsyncWebClient, body: dict[str, Any], value: str) -> None:
    opened = await open_dialog(deps, client, body, value, lambda asking, _: waiting_dialog(asking, TITLE), "Edit")
    if opened is None:
        return
    asking, view_id = opened
    url = deps.links.request(asking.deciding.approval_id)
    try:
        known = await deps.people.recognise(Click.on_button(body))
        view = await _filled(deps, known, asking, shown_headline(body, asking.deciding))
    except AssentError as error:
        view = telling_dialog(TITLE, refused(error, "It cannot be edited here.", url).blocks)
    try:
        await client.views_update(view_id=view_id, view=view)
    except FAILURES as error:
        log.warning("A dialog was not filled: %s", why(error))


async def _filled(deps: Dependencies, known: Known, asking: Asking, headline: str) -> dict[str, Any]:
    start, form = await edit_form(deps, known.person, asking.deciding.approval_id)
    if not start.allowed:
        raise Forbidden(
            f"The card of {start.agent} lets nobody edit this.", where="arguments", todo="Reject it, and say why."
        )
    if start.digest != asking.deciding.digest:
        raise Conflict(
            "The request no longer shows what you saw.", where="digest", todo="Look at it again and edit that."
        )
    return edit_dialog(asking, form, headline, deps.links.request(asking.deciding.approval_id))

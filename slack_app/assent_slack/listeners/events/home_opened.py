"""Somebody opened the app's own page in Slack: show what waits for them."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError
from assent_slack.blocks.home import stranger_home
from assent_slack.clicks import Click
from assent_slack.dependencies import Dependencies
from assent_slack.telling import FAILURES, why

log = logging.getLogger(__name__)


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the event; Bolt acknowledges events by itself."""

    @app.event("app_home_opened")
    async def home_opened(body: dict[str, Any], event: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") == "home":
            deps.work.start(_show(deps, client, Click.at_home(body, str(event.get("user", "")))))


async def _show(deps: Dependencies, client: AsyncWebClient, click: Click) -> None:
    try:
        known = await deps.people.recognise(click)
        await deps.homes.show(known.user)
        return
    except AssentError as error:
        view = stranger_home(f"{error.what} {error.todo}", deps.links)
    try:
        await client.views_publish(user_id=click.user_id, view=view)
    except FAILURES as error:
        log.warning("Slack did not take the page of %s: %s", click.user_id, why(error))

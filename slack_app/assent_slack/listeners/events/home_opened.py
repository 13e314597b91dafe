"""Somebody opened the app's own page in Slack: show what waits."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError
from assent.store.queries import approvals
from assent.store.queries.paging import PageRequest
from assent_slack.blocks.lists import SHOWN, home, stranger_home
from assent_slack.clicks import Click
from assent_slack.dependencies import Dependencies
from assent_slack.people import recognise
from assent_slack.telling import FAILURES, why

log = logging.getLogger(__name__)


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the event; Bolt acknowledges events by itself."""

    @app.event("app_home_opened")
    async def home_opened(body: dict[str, Any], event: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") == "home":
            click = Click(team_id=str(body.get("team_id", "")), user_id=str(event.get("user", "")))
            deps.work.start(_show(deps, client, click))


async def _show(deps: Dependencies, client: AsyncWebClient, click: Click) -> None:
    try:
        view = await asyncio.to_thread(_home, deps, click)
    except AssentError as error:
        view = stranger_home(f"{error.what} {error.todo}", deps.links)
    try:
        await client.views_publish(user_id=click.user_id, view=view)
    except FAILURES as error:
        log.warning("Slack did not take the home page of %s: %s", click.user_id, why(error))


def _home(deps: Dependencies, click: Click) -> dict[str, Any]:
    with deps.database.read() as session:
        recognise(session, click, deps.workspaces)
        page = approvals.pending(session, request=PageRequest(limit=SHOWN))
        return home(page.items, approvals.count_pending(session), deps.links)

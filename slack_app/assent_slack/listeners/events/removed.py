"""The app was removed in a workspace: its token is thrown away, and nothing of it is listened to any more."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from slack_bolt.async_app import AsyncApp

from assent_slack.dependencies import Dependencies

log = logging.getLogger(__name__)


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer the events; Bolt acknowledges events by itself."""

    @app.event("app_uninstalled")
    async def uninstalled(body: dict[str, Any]) -> None:
        deps.work.start(_removed(deps, str(body.get("team_id", "")), "The app was removed in Slack."))

    @app.event("tokens_revoked")
    async def revoked(body: dict[str, Any], event: dict[str, Any]) -> None:
        if (event.get("tokens") or {}).get("bot"):
            deps.work.start(_removed(deps, str(body.get("team_id", "")), "Slack took the token back."))


async def _removed(deps: Dependencies, team_id: str, why: str) -> None:
    if await asyncio.to_thread(deps.installations.remove, team_id, why):
        log.warning("Assent was removed in the Slack workspace %s: %s", team_id, why)
    await deps.workspaces.refresh()

"""The Bolt app: it only puts together what it is given."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from assent_slack import listeners
from assent_slack.dependencies import Dependencies
from assent_slack.workspaces import Workspaces, with_token

log = logging.getLogger(__name__)

NOT_INSTALLED = "Assent is not installed in this workspace."

_WITHOUT_WORKSPACE = {"url_verification", "ssl_check"}


def build_app(deps: Dependencies, *, client: AsyncWebClient, signing_secret: str) -> AsyncApp:
    """Compose the app.

    Args:
        deps: What its listeners work with.
        client: For calls to Slack; its token is not used, each workspace has its own.
        signing_secret: What Slack signs HTTP requests with; not used in Socket Mode.
    """
    # Bolt logs whole requests at INFO, forged ones included.
    library_log = logging.getLogger("assent_slack.bolt")
    library_log.setLevel(logging.WARNING)
    app = AsyncApp(
        name="assent",
        logger=library_log,
        client=with_token(client, None),
        signing_secret=signing_secret,
        before_authorize=_refuse_strangers(deps),
        authorize=_authorize(deps.workspaces),
    )
    listeners.register(app, deps)
    return app


def _refuse_strangers(deps: Dependencies) -> Any:
    async def refuse_strangers(req: AsyncBoltRequest, resp: BoltResponse, next: Any) -> BoltResponse:
        team = req.context.team_id
        known = team is not None and await deps.workspaces.find(team) is not None
        if known or req.body.get("type") in _WITHOUT_WORKSPACE or "ssl_check" in req.body:
            await next()
            return resp
        log.warning("Refused a request of the workspace %r, in which Assent is not installed", team)
        deps.refused(NOT_INSTALLED, where=f"workspace {str(team)[:40]}")
        return BoltResponse(status=403, body={"error": NOT_INSTALLED})

    return refuse_strangers


def _authorize(workspaces: Workspaces) -> Any:
    async def authorize(team_id: str | None, user_id: str | None) -> AuthorizeResult | None:
        workspace = workspaces.get(team_id or "")
        if workspace is None:
            return None
        return AuthorizeResult(
            enterprise_id=None,
            team_id=workspace.team_id,
            bot_id=workspace.bot_id,
            bot_user_id=workspace.bot_user_id,
            bot_token=workspace.token,
            user_id=user_id,
        )

    return authorize

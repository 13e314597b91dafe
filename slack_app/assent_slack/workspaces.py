"""The Slack workspaces that Assent is installed in, and what it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from slack_sdk.web.async_client import AsyncWebClient


@dataclass(frozen=True, slots=True)
class Workspace:
    """One installation.

    Attributes:
        team_id: The workspace.
        name: Its name.
        bot_id: The bot that posts Assent's messages.
        bot_user_id: The same bot as a user.
        token: Its token.
        scopes: What the token may do.
    """

    team_id: str
    name: str
    bot_id: str
    bot_user_id: str
    token: str = field(repr=False)
    scopes: frozenset[str] = frozenset()


Workspaces = Mapping[str, Workspace]
"""By team id. A request from any other workspace is refused."""


async def identify(client: AsyncWebClient) -> Workspace:
    """Ask Slack whose token the client has.

    Raises:
        SlackApiError: Slack refuses the token or asks to wait.
        aiohttp.ClientError: Slack cannot be reached.
    """
    answer = await client.auth_test()
    granted = answer.headers.get("x-oauth-scopes", "")
    return Workspace(
        team_id=str(answer["team_id"]),
        name=str(answer.get("team", "")),
        bot_id=str(answer.get("bot_id", "")),
        bot_user_id=str(answer.get("user_id", "")),
        token=client.token or "",
        scopes=frozenset(scope.strip() for scope in granted.split(",") if scope.strip()),
    )

"""`assent slack check`: tokens, scopes, ways in and channels, looked at one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError
from assent_slack.channels import find_channel
from assent_slack.manifest import SCOPES
from assent_slack.telling import FAILURES, why
from assent_slack.workspaces import Workspace, client_of, identify


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        part: What it is.
        ok: Whether it is as it should be.
        found: What was found, one sentence.
        todo: What to do about it; empty if nothing.
    """

    part: str
    ok: bool
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Configured:
    """What is set; what is not set is empty.

    Attributes:
        bot_token: Whether a workspace's own token is set.
        app_token: For Socket Mode.
        signing_secret: For HTTP.
        channel: Of the workspace of the bot token.
        installable: Other workspaces can install the app.
    """

    bot_token: bool
    app_token: str
    signing_secret: str
    channel: str
    installable: bool = False


async def check(
    client: AsyncWebClient, configured: Configured, installed: Sequence[Workspace] = ()
) -> AsyncIterator[Finding]:
    """Look at everything that is needed; changes and posts nothing.

    Args:
        client: The connection to Slack, with the bot token if there is one.
        configured: What is set.
        installed: Workspaces that installed the app.
    """
    if configured.bot_token:
        async for finding in _workspace(client, configured.channel, "ASSENT_SLACK_CHANNEL"):
            yield finding
    yield await _way_in(client, configured)
    for workspace in installed:
        todo = f"assent slack channel {workspace.team_id} CHANNEL"
        async for finding in _workspace(client_of(client, workspace), workspace.channel_id, todo):
            yield replace(finding, part=f"{workspace.team_id} {finding.part}")
    if not configured.bot_token and not installed:
        yield Finding(
            "workspaces", False, "No workspace has installed the app yet.", "`assent slack install-link` makes a link."
        )


async def _workspace(client: AsyncWebClient, channel: str, how: str) -> AsyncIterator[Finding]:
    try:
        workspace = await identify(client)
    except FAILURES as error:
        yield Finding("token", False, f"Slack does not accept the bot token: {why(error)}.", "Install the app again.")
        return
    yield Finding("token", True, f"It belongs to the app's bot in {workspace.name} ({workspace.team_id}).")
    yield _scopes(workspace.scopes)
    yield await _channel(client, channel, how)


def _scopes(granted: frozenset[str]) -> Finding:
    missing = [scope for scope in SCOPES if scope not in granted]
    if not missing:
        return Finding("scopes", True, "The token has every scope it needs.")
    needed = "; ".join(f"{scope} ({SCOPES[scope]})" for scope in missing)
    return Finding(
        "scopes", False, f"Missing: {needed}.", "Update the app with `assent slack manifest` and install it again."
    )


async def _way_in(client: AsyncWebClient, configured: Configured) -> Finding:
    if configured.app_token:
        try:
            await client.apps_connections_open(app_token=configured.app_token)
        except FAILURES as error:
            return Finding(
                "clicks",
                False,
                f"Slack does not accept the app-level token: {why(error)}.",
                "Make one with the scope connections:write (Basic Information, App-Level Tokens).",
            )
        also = " Other workspaces install the app over HTTP." if configured.installable else ""
        return Finding("clicks", True, f"They come in by Socket Mode.{also}")
    if configured.signing_secret:
        return Finding("clicks", True, "They come in by HTTP, signed; whether Slack reaches it shows the first click.")
    return Finding(
        "clicks",
        False,
        "There is no way in for them.",
        "Set ASSENT_SLACK_APP_TOKEN (Socket Mode) or ASSENT_SLACK_SIGNING_SECRET (HTTP).",
    )


async def _channel(client: AsyncWebClient, configured: str, how: str) -> Finding:
    if not configured:
        return Finding("channel", False, "No channel is set.", f"Set it: {how}.")
    try:
        channel = await find_channel(client, configured)
    except AssentError as error:
        return Finding("channel", False, error.what, error.todo)
    except FAILURES as error:
        return Finding("channel", False, f"Slack does not say: {why(error)}.", "Try again.")
    name = channel.get("name", configured)
    if not channel.get("is_member"):
        return Finding("channel", False, f"The app is not in #{name}.", "Invite it: /invite @Assent.")
    return Finding("channel", True, f"Requests go to #{name} ({channel['id']}).")

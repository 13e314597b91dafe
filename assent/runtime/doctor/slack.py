"""Slack: on or off, and whether its token is accepted."""

from __future__ import annotations

from collections.abc import Iterator

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from assent.runtime.doctor.report import Finding
from assent.runtime.settings import Settings

TIMEOUT_SECONDS = 10


def look_at_slack(settings: Settings) -> Iterator[Finding]:
    """Say whether Slack is set up; asks Slack only if a bot token is set."""
    token = settings.slack_bot_token
    if token is None and settings.slack_installable:
        yield Finding(part="Slack", ok=True, found="On for workspaces that install the app; see `assent slack check`.")
        return
    if token is None:
        yield Finding(part="Slack", ok=True, found="Off: ASSENT_SLACK_BOT_TOKEN is not set.")
        return
    if not settings.slack_wanted:
        yield _wrong(
            "A bot token is set, and no way for clicks to come in.",
            "Set ASSENT_SLACK_APP_TOKEN (Socket Mode) or ASSENT_SLACK_SIGNING_SECRET (HTTP).",
        )
    if not settings.slack_channel:
        yield _wrong("No channel for approval requests is set.", "Set ASSENT_SLACK_CHANNEL.")
    client = WebClient(token=token.get_secret_value(), timeout=TIMEOUT_SECONDS)
    if settings.slack_base_url:
        client.base_url = settings.slack_base_url.rstrip("/") + "/"
    try:
        who = client.auth_test()
    except SlackApiError as error:
        yield _wrong(f"Slack refuses the token: {error.response['error']}.", "Install the app again, copy its token.")
    except OSError as error:
        yield _wrong(f"Slack cannot be reached: {error}.", "Check the network and proxy of this machine.")
    else:
        way = "Socket Mode" if settings.slack_app_token else "HTTP"
        yield Finding(part="Slack", ok=True, found=f"Signed in to {who.get('team')} as {who.get('user')}, {way}.")


def _wrong(found: str, todo: str) -> Finding:
    return Finding(part="Slack", ok=False, found=found, todo=todo)

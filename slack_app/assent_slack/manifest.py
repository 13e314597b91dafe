"""The app's manifest: what Slack is told when the app is created, and what Assent may do there."""

from __future__ import annotations

import json
from typing import Any

from assent_slack.web import PATH

SCOPES = {
    "chat:write": "post requests and keep them true",
    "commands": "the command /assent",
    "channels:read": "find the channel and see whether the app is in it",
    "groups:read": "the same for a private channel",
    "channels:history": "see whether a request was already posted, so that it is never posted twice",
    "groups:history": "the same for a private channel",
    "users:read": "check the user that `assent slack link` names",
    "users:read.email": "find a user by their address for `assent slack link`",
}
"""What the bot token may do, and what for."""

EVENTS = ["app_home_opened"]


def manifest(request_url: str | None = None) -> dict[str, Any]:
    """The manifest.

    Args:
        request_url: Public address of ``assent slack`` in HTTP mode, such as ``https://assent.example.com``; without
            one the app works in Socket Mode, which needs no public address.
    """
    url = None if request_url is None else request_url.rstrip("/") + PATH
    reached = {} if url is None else {"request_url": url}
    command = {
        "command": "/assent",
        "description": "Requests that wait, pause and resume, runs",
        "usage_hint": "pending | run ID | undo RUN | pause everything | resume ID",
        "should_escape": False,
        **({} if url is None else {"url": url}),
    }
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Assent",
            "description": "Approve what AI agents want to do, and stop or undo it.",
            "background_color": "#1f2937",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": False,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Assent", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": EVENTS, **reached},
            "interactivity": {"is_enabled": True, **reached},
            "org_deploy_enabled": False,
            "socket_mode_enabled": url is None,
            "token_rotation_enabled": False,
        },
    }


def written(request_url: str | None = None) -> str:
    """The manifest as Slack takes it, JSON."""
    return json.dumps(manifest(request_url), indent=2)

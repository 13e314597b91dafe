"""The app's manifest: what Slack is told when the app is created, and what Assent may do there."""

from __future__ import annotations

import json
from typing import Any

from assent_slack.web import PATH, REDIRECT_PATH

SCOPES = {
    "chat:write": "post requests and keep them true, in channels and direct messages",
    "commands": "the command /assent",
    "channels:read": "find the channel and see whether the app is in it",
    "groups:read": "the same for a private channel",
    "channels:history": "see whether a request was already posted, so that it is never posted twice",
    "groups:history": "the same for a private channel",
    "im:write": "open direct messages with whoever is asked to decide",
    "im:history": "see whether a request was already sent, so that it is never sent twice",
    "users:read": "refuse guests, bots, deactivated users and members of other workspaces",
    "users:read.email": "link people by the confirmed address of their Slack account",
}
"""What the bot token may do, and what for."""

EVENTS = ["app_home_opened", "app_uninstalled", "tokens_revoked"]


def manifest(request_url: str | None = None, *, socket: bool | None = None) -> dict[str, Any]:
    """The manifest.

    Args:
        request_url: Public address of ``assent slack`` in HTTP mode, such as ``https://assent.example.com``: requests
            are sent there, and other workspaces install the app there. Without one the app works in Socket Mode, which
            needs no public address.
        socket: Whether requests come by Socket Mode all the same, and the address is for installing only.
    """
    by_socket = request_url is None if socket is None else socket
    url = None if request_url is None or by_socket else request_url.rstrip("/") + PATH
    reached = {} if url is None else {"request_url": url}
    command = {
        "command": "/assent",
        "description": "What waits for you, pause and resume, runs, who you are",
        "usage_hint": "pending | run ID | undo RUN | pause everything | resume ID | link | help",
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
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Assent", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {
            **({} if request_url is None else {"redirect_urls": [request_url.rstrip("/") + REDIRECT_PATH]}),
            "scopes": {"bot": list(SCOPES)},
        },
        "settings": {
            "event_subscriptions": {"bot_events": EVENTS, **reached},
            "interactivity": {"is_enabled": True, **reached},
            "org_deploy_enabled": False,
            "socket_mode_enabled": by_socket,
            "token_rotation_enabled": False,
        },
    }


def written(request_url: str | None = None, *, socket: bool | None = None) -> str:
    """The manifest as Slack takes it, JSON."""
    return json.dumps(manifest(request_url, socket=socket), indent=2)

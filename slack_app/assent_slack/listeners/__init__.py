"""What the app answers: one folder a kind of request, one module a thing."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from assent_slack.dependencies import Dependencies
from assent_slack.listeners import actions, commands, events, views


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Let the app answer everything."""
    for kind in (actions, views, commands, events):
        kind.register(app, deps)

"""Events that Slack tells of."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from assent_slack.dependencies import Dependencies
from assent_slack.listeners.events import home_opened, removed


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer every event."""
    for event in (home_opened, removed):
        event.register(app, deps)

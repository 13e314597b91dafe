"""Submitted dialogs."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from assent_slack.dependencies import Dependencies
from assent_slack.listeners.views import reason


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer every dialog."""
    reason.register(app, deps)

"""Submitted dialogs."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from assent_slack.dependencies import Dependencies
from assent_slack.listeners.views import edited, reason, resumed, said, stopped


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer every dialog."""
    for dialog in (reason, edited, said, stopped, resumed):
        dialog.register(app, deps)

"""Buttons."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from assent_slack.dependencies import Dependencies
from assent_slack.listeners.actions import approve, open_page, reject


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer every button."""
    for button in (approve, reject, open_page):
        button.register(app, deps)

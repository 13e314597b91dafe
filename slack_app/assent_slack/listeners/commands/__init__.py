"""Slash commands."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from assent_slack.dependencies import Dependencies
from assent_slack.listeners.commands import assent


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer every command."""
    assent.register(app, deps)

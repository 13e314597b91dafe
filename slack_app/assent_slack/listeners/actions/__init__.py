"""Buttons."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from assent_slack.dependencies import Dependencies
from assent_slack.listeners.actions import (
    approve,
    checks_read,
    direct,
    edit,
    open_page,
    pause,
    reject,
    resume,
    stop,
    talk,
)


def register(app: AsyncApp, deps: Dependencies) -> None:
    """Answer every button."""
    for button in (approve, reject, edit, talk, pause, stop, resume, direct, checks_read, open_page):
        button.register(app, deps)

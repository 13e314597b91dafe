"""Asking Temporal to try an activity again, and knowing how often it has."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

MAX_ATTEMPTS = 5
"""Attempts at an effect whose system cannot be reached, or fails without an effect."""


def try_again(why: str, *, after: timedelta) -> ApplicationError:
    """An error that makes Temporal repeat the activity after a while."""
    return ApplicationError(why, type="TryAgain", next_retry_delay=after)


def attempt() -> int:
    """Which attempt of the activity this is, from one; one outside of an activity."""
    return activity.info().attempt if activity.in_activity() else 1

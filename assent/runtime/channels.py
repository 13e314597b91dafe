"""The ways that people are told of requests, as the settings choose them."""

from __future__ import annotations

from assent.runtime.settings import Settings


def channels_of(settings: Settings) -> tuple[str, ...]:
    """The outbox channels of this installation."""
    wanted = {"slack": settings.slack_wanted, "mail": settings.mail_wanted, "webhook": settings.webhooks}
    return tuple(name for name, on in wanted.items() if on)

"""Who did something in Slack, and where an answer reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assent_slack.buttons import Rejecting


@dataclass(frozen=True, slots=True)
class Click:
    """A person's click, command or submitted dialog.

    Attributes:
        team_id: The workspace the person belongs to, which can be another than where they clicked.
        user_id: The person, in Slack's terms.
        channel_id: Where they clicked; empty in a dialog.
        response_url: Where an answer can be sent to; empty if there is none.
    """

    team_id: str
    user_id: str
    channel_id: str = ""
    response_url: str = ""

    @classmethod
    def on_button(cls, body: Mapping[str, Any]) -> Click:
        """The click of a button in a message."""
        channel = body.get("channel") or {}
        return cls(*_person(body), str(channel.get("id", "")), str(body.get("response_url", "")))

    @classmethod
    def in_dialog(cls, body: Mapping[str, Any], rejecting: Rejecting) -> Click:
        """A submitted dialog, which answers where it was opened."""
        return cls(*_person(body), rejecting.channel, rejecting.response_url)

    @classmethod
    def by_command(cls, body: Mapping[str, Any]) -> Click:
        """A slash command."""
        given = (body.get(name, "") for name in ("team_id", "user_id", "channel_id", "response_url"))
        return cls(*map(str, given))


def _person(body: Mapping[str, Any]) -> tuple[str, str]:
    user, team = body.get("user") or {}, body.get("team") or {}
    return str(user.get("team_id") or team.get("id", "")), str(user.get("id", ""))

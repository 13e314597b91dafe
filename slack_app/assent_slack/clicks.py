"""Who did something in Slack, and where an answer reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Click:
    """A person's click, command or submitted dialog.

    Attributes:
        team_id: The workspace the person belongs to, which can be another than where they clicked.
        user_id: The person, in Slack's terms.
        channel_id: Where they clicked; empty in a dialog.
        response_url: Where an answer can be sent to; empty if there is none.
        workspace_id: The workspace whose installation of Assent was clicked.
    """

    team_id: str
    user_id: str
    channel_id: str = ""
    response_url: str = ""
    workspace_id: str = ""

    @classmethod
    def on_button(cls, body: Mapping[str, Any]) -> Click:
        """The click of a button in a message, a dialog or the app's own page."""
        channel = body.get("channel") or {}
        return cls(*_person(body), str(channel.get("id", "")), str(body.get("response_url", "")), _workspace(body))

    @classmethod
    def in_dialog(cls, body: Mapping[str, Any], *, channel_id: str, response_url: str) -> Click:
        """A submitted dialog, which answers where it was opened."""
        return cls(*_person(body), channel_id, response_url, _workspace(body))

    @classmethod
    def by_command(cls, body: Mapping[str, Any]) -> Click:
        """A slash command."""
        given = [str(body.get(name, "")) for name in ("team_id", "user_id", "channel_id", "response_url")]
        return cls(given[0], given[1], given[2], given[3], given[0])

    @classmethod
    def at_home(cls, body: Mapping[str, Any], user_id: str) -> Click:
        """A look at the app's own page."""
        team = str(body.get("team_id", ""))
        return cls(team, user_id, workspace_id=team)

    @property
    def foreign(self) -> bool:
        """Whether the person belongs to another workspace, as in a channel that two workspaces share."""
        return self.team_id != self.workspace_id


def _person(body: Mapping[str, Any]) -> tuple[str, str]:
    user, team = body.get("user") or {}, body.get("team") or {}
    return str(user.get("team_id") or team.get("id", "")), str(user.get("id", ""))


def _workspace(body: Mapping[str, Any]) -> str:
    return str((body.get("team") or {}).get("id", ""))

"""What the web pages know of Slack: codes that link people, and where workspaces install the app."""

from __future__ import annotations

from dataclasses import dataclass

from assent.store.slack_tickets import Tickets


@dataclass(frozen=True, slots=True)
class SlackDesk:
    """What the pages about Slack work with.

    Attributes:
        tickets: Makes and uses up codes and links.
        install_url: Address where a workspace installs the app, to which a ticket is appended; empty if none can.
    """

    tickets: Tickets
    install_url: str = ""

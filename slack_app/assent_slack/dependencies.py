"""What the Slack app is composed of; whoever starts it hands these in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from assent.domain.approvals import Decision, Verb
from assent.domain.pauses import Scope
from assent.domain.people import Actor
from assent.store.database import Database
from assent_slack.links import Links
from assent_slack.work import Work
from assent_slack.workspaces import Workspaces


class Gateway(Protocol):
    """What Slack needs of :class:`assent.gateway.Gateway`."""

    async def decide(
        self, approval_id: str, *, verb: Verb, digest: str, by: Actor, reason: str = "", decision_id: str | None = None
    ) -> Decision:
        """Send a person's verdict to the run."""
        ...

    async def pause(self, scope: Scope, *, by: Actor, cause: str = "") -> str:
        """Pause everything, an agent or a run."""
        ...

    async def resume(self, pause_id: str, *, by: Actor, note: str = "") -> None:
        """End a pause."""
        ...


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What listeners work with.

    Attributes:
        gateway: The door to running workflows.
        database: Assent's database; listeners read it, and never before they have acknowledged.
        workspaces: Where the app is installed.
        links: Where the web pages are.
        work: What goes on after an acknowledgement.
        verdict_patience_seconds: How long a click waits for the run's answer before it says that it waits.
    """

    gateway: Gateway
    database: Database
    workspaces: Workspaces
    links: Links
    work: Work = field(default_factory=Work)
    verdict_patience_seconds: float = 10.0

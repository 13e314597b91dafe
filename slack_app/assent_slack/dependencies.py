"""What the Slack app is composed of; whoever starts it hands these in."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from assent.domain.clock import Clock
from assent.domain.errors import Unavailable
from assent.domain.people import Via
from assent.gateway import Gateway
from assent.store.database import Database
from assent.store.refusals import Refusals
from assent.store.slack_tickets import Tickets
from assent_slack.homes import Homes
from assent_slack.installations import InstallationStore
from assent_slack.links import Links
from assent_slack.people import People
from assent_slack.posting import Posting
from assent_slack.work import Work
from assent_slack.workspaces import Workspaces

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What listeners work with.

    Attributes:
        gateway: The door to running workflows.
        database: Assent's database; listeners read it, and never before they have acknowledged.
        workspaces: Where the app is installed.
        people: Who somebody in Slack is.
        homes: People's pages of the app.
        posting: Calls to Slack that are not the answer to a click.
        links: Where the web pages are.
        tickets: Codes that link a person.
        installations: Where installed workspaces are kept.
        refusals: What was refused, for the ledger.
        clock: The time.
        work: What goes on after an acknowledgement.
        verdict_patience_seconds: How long a click waits for the run's answer before it says that it waits.
        answer_patience_seconds: How long a submitted dialog waits for what it is told while it is still open.
    """

    gateway: Gateway
    database: Database
    workspaces: Workspaces
    people: People
    homes: Homes
    posting: Posting
    links: Links
    tickets: Tickets
    installations: InstallationStore
    refusals: Refusals
    clock: Clock
    work: Work = field(default_factory=Work)
    verdict_patience_seconds: float = 10.0
    answer_patience_seconds: float = 2.0

    def refused(self, why: str, *, where: str = "") -> None:
        """Write a refusal into the ledger, without waiting for it."""
        self.work.start(self._record(why, where))

    async def _record(self, why: str, where: str) -> None:
        try:
            await asyncio.to_thread(self.refusals.record, "slack.refused", why, where=where, via=Via.SLACK)
        except Unavailable:
            log.warning("A refusal is missing in the ledger (%s): %s", where, why)

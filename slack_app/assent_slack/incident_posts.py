"""Texts about incidents: posted once in the channel of each workspace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from assent.domain.clock import Clock
from assent.store.database import Database
from assent.store.outbox import Notification
from assent.store.queries import incidents
from assent.store.queries.incidents import IncidentView, TellingView
from assent_slack.blocks.incident import incident_message
from assent_slack.delivery import Delivery, LeaseLost, Target
from assent_slack.links import Links
from assent_slack.pacing import LONGEST_PAUSE, Held
from assent_slack.posting import Place
from assent_slack.telling import FAILURES
from assent_slack.workspaces import Workspaces

POSTED = "told"
"""What a copy of such a text shows; it never changes."""

NO_CHANNEL = "No workspace has a channel to post in"


@dataclass(frozen=True, slots=True)
class IncidentPosts:
    """Posts what the outbox holds about incidents.

    Attributes:
        delivery: Posts each at most once in a place.
        workspaces: Where the app is installed.
        database: Where the texts are.
        links: Where the web pages are.
        clock: The time.
    """

    delivery: Delivery
    workspaces: Workspaces
    database: Database
    links: Links
    clock: Clock

    async def post(self, notification: Notification, lease: Callable[[], None]) -> None:
        """Post a text in every channel; one in trouble does not keep the others from it.

        Raises:
            LeaseLost: There was no time left.
            Held: Its time has not come, or there is no channel.
            SlackApiError: Slack refused it.
            aiohttp.ClientError: It is not known whether Slack has it.
        """
        found = await asyncio.to_thread(self._read, notification.subject)
        if found is None:
            return
        incident, telling = found
        message = incident_message(incident, telling, self.links.incident(incident.id))
        places = [(one, Place(one.team_id, one.channel_id)) for one in self.workspaces if one.channel_id]
        if not places:
            raise Held(self.clock() + LONGEST_PAUSE, NO_CHANNEL)
        failures: list[Exception] = []
        for workspace, place in places:
            try:
                await self.delivery.make_true(
                    telling.id, Target(workspace, place, message, POSTED, personal=False), lease
                )
            except LeaseLost:
                raise
            except (Held, *FAILURES) as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _read(self, telling_id: str) -> tuple[IncidentView, TellingView] | None:
        with self.database.read() as session:
            telling = incidents.telling(session, telling_id)
            return None if telling is None else (incidents.one(session, telling.incident_id), telling)

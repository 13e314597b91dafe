"""Digests: posted in somebody's direct messages when more requests came than they get one by one, and kept true."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from assent.domain.clock import Clock
from assent.store import copies, digests, slack_people
from assent.store.database import Database
from assent.store.direct_digests import DIGESTS
from assent.store.outbox import Notification
from assent_slack.blocks.digest import digest_message
from assent_slack.delivery import Delivery, Target
from assent_slack.links import Links
from assent_slack.posting import Place
from assent_slack.workspaces import Workspaces

POSTED = "digest"
"""What a copy of a digest shows."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DigestPosts:
    """Posts digests, and brings them up to date.

    Attributes:
        delivery: Posts each at most once.
        workspaces: Where the app is installed.
        database: Where people and requests are.
        links: Where the web pages are.
        clock: The time.
    """

    delivery: Delivery
    workspaces: Workspaces
    database: Database
    links: Links
    clock: Clock

    async def post(self, notification: Notification, lease: Callable[[], None]) -> None:
        """Make a digest say how many requests wait now.

        Raises:
            LeaseLost: There was no time left.
            Held: Its time has not come.
            SlackApiError: Slack refused it.
            aiohttp.ClientError: It is not known whether Slack has it.
        """
        target = await asyncio.to_thread(self._target, notification)
        if target is not None:
            await self.delivery.make_true(notification.subject, target, lease)

    def _target(self, notification: Notification) -> Target | None:
        """What it has to show; ``None`` if it was not posted and nobody needs it any more."""
        place, now = Place.named(notification.recipient), self.clock()
        workspace = self.workspaces.get(place.team_id)
        if workspace is None:
            log.warning("The digest in %s is in a workspace that is not installed", place.name)
            return None
        with self.database.read() as session:
            user = next(iter(slack_people.in_conversations(session, [place.channel_id])), None)
            if user is None:
                return None
            known = copies.one(session, notification.subject, channel=DIGESTS, place=place.name)
            waiting = digests.how_many_wait(session, user.person_id, now)
        unposted = known is None or known.shown_status == copies.KEPT_BACK
        if unposted and not (user.direct and waiting):
            return None
        message = digest_message(waiting, self.delivery.hourly, now, self.links)
        return Target(workspace, place, message, POSTED, personal=True, way=DIGESTS)

"""Notices to contacts: posted once, in the channel that the card names or else in that of each workspace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from slack_sdk.errors import SlackApiError

from assent.domain.clock import Clock
from assent.domain.errors import AssentError
from assent.store import notices
from assent.store.database import Database
from assent.store.notices import Notice
from assent.store.outbox import Notification
from assent_slack.blocks.excerpts import told
from assent_slack.blocks.notices import fallback
from assent_slack.blocks.pieces import Message, link, paragraph, words
from assent_slack.channels import find_channel
from assent_slack.delivery import Delivery, LeaseLost, Target
from assent_slack.links import Links
from assent_slack.pacing import LONGEST_PAUSE, Held
from assent_slack.posting import Place, Posting
from assent_slack.telling import FAILURES, why
from assent_slack.workspaces import Workspace, Workspaces, client_of

POSTED = "noticed"
"""What a copy of a notice shows; it never changes."""

ROOM = 2_600
"""Characters of a notice that are shown."""

NO_CHANNEL = "No workspace has a channel to post in"

log = logging.getLogger(__name__)


@dataclass
class NoticePosts:
    """Posts what the outbox holds for contacts.

    Attributes:
        delivery: Posts each at most once in a place.
        posting: Calls to Slack.
        workspaces: Where the app is installed.
        database: Where notices are.
        links: Where the web pages are.
        clock: The time.
    """

    delivery: Delivery
    posting: Posting
    workspaces: Workspaces
    database: Database
    links: Links
    clock: Clock
    _known: dict[tuple[str, str], str] = field(default_factory=dict)

    async def post(self, notification: Notification, lease: Callable[[], None]) -> None:
        """Post a notice.

        Raises:
            LeaseLost: There was no time left.
            Held: Its time has not come, or there is no channel.
            SlackApiError: Slack refused it.
            aiohttp.ClientError: It is not known whether Slack has it.
        """
        notice = await asyncio.to_thread(self._read, notification.subject)
        if notice is None:
            return
        places = await self._places(notice.slack)
        if not places:
            raise Held(self.clock() + LONGEST_PAUSE, NO_CHANNEL)
        message = notice_message(notice, f"{self.links.base}{notice.path}")
        failures: list[Exception] = []
        for workspace, place in places:
            try:
                await self.delivery.make_true(notice.id, Target(workspace, place, message, POSTED, False), lease)
            except LeaseLost:
                raise
            except (Held, *FAILURES) as error:
                failures.append(error)
        if failures:
            raise failures[0]

    async def _places(self, named: str) -> list[tuple[Workspace, Place]]:
        """The named channel, in every workspace that has it; else the channel of each workspace."""
        if named:
            found = [(each, await self._channel(each, named)) for each in self.workspaces]
            if there := [(each, Place(each.team_id, channel)) for each, channel in found if channel]:
                return there
            log.warning("No workspace has a channel %s that the app is in; the usual one is used", named)
        return [(each, Place(each.team_id, each.channel_id)) for each in self.workspaces if each.channel_id]

    async def _channel(self, workspace: Workspace, named: str) -> str:
        """Id of a channel that the app may post in; empty if there is none."""
        key = (workspace.team_id, named)
        if key not in self._known:
            try:
                channel = await find_channel(client_of(self.posting.base, workspace), named)
            except AssentError:
                return ""
            except SlackApiError as error:
                if why(error) in ("missing_scope", "channel_not_found"):
                    return ""
                raise
            if not channel.get("is_member"):
                return ""
            self._known[key] = str(channel["id"])
        return self._known[key]

    def _read(self, notice_id: str) -> Notice | None:
        with self.database.read() as session:
            return notices.one(session, notice_id)


def notice_message(notice: Notice, url: str) -> Message:
    """The notice, whole as far as Slack takes it, and the page that helps."""
    blocks = [paragraph(words(notice.headline, bold=True)), paragraph(*told(notice.text, ROOM, url))]
    if notice.path:
        blocks.append(paragraph(link(url, "Open in Assent")))
    return Message(fallback(notice.headline), blocks)

"""People's pages of the app: made when they look, and made again when what they show has changed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError

from assent.domain.clock import Clock
from assent.domain.people import Role
from assent.store import checks, electorate, people, slack_people
from assent.store.database import Database
from assent.store.queries import checks_shown, inbox, words_wanted
from assent.store.queries.inbox import Wanted
from assent.store.queries.paging import PageRequest
from assent.store.slack_people import SlackUser
from assent_slack.blocks.home import SHOWN, home
from assent_slack.links import Links
from assent_slack.pacing import EVERYTHING, Held
from assent_slack.posting import Posting
from assent_slack.telling import FAILURES, why
from assent_slack.workspaces import Workspaces

log = logging.getLogger(__name__)


@dataclass
class Homes:
    """Makes people's pages of the app.

    Attributes:
        posting: Calls to Slack.
        workspaces: Where the app is installed.
        database: Where links and requests are.
        links: Where the web pages are.
        clock: The time.
    """

    posting: Posting
    workspaces: Workspaces
    database: Database
    links: Links
    clock: Clock

    async def show(self, user: SlackUser) -> bool:
        """Set somebody's page; false if Slack did not take it now, and it is tried again.

        Raises:
            Unavailable: The database is away.
        """
        workspace = self.workspaces.get(user.team_id or self.workspaces.home)
        if workspace is None:
            await asyncio.to_thread(self._shown, user)
            return True
        view = await asyncio.to_thread(self._view, user)
        # Noted before the call: what changes meanwhile makes it stale again.
        await asyncio.to_thread(self._shown, user)
        try:
            await self.posting.show_home(workspace, user.user_id, view)
        except Held:
            await asyncio.to_thread(self._stale, user)
            return False
        except FAILURES as error:
            log.warning("Slack did not take the page of %s: %s", user.name, why(error))
            if not isinstance(error, SlackApiError):
                await asyncio.to_thread(self._stale, user)
            return False
        return True

    async def turn(self) -> bool:
        """Make some pages that show something old; false if there are none, or Slack takes none now.

        Raises:
            Unavailable: The database is away.
        """
        users = await asyncio.to_thread(self._stale_ones)
        results = [await self.show(user) for user in users if not self._held(user)]
        return any(results)

    def _held(self, user: SlackUser) -> bool:
        team = user.team_id or self.workspaces.home
        return self.posting.pacer.is_held((team, EVERYTHING)) or self.posting.pacer.is_held((team, "views_publish"))

    # What follows runs in threads: the database's sessions are synchronous.

    def _view(self, user: SlackUser) -> dict[str, Any]:
        with self.database.read() as session:
            person = people.one(session, user.person_id)
            tokens = electorate.tokens_of(session, user.person_id, self.clock())
            wanted = Wanted(tokens=tuple(sorted(tokens)))
            shown = inbox.page(session, wanted, request=PageRequest(limit=SHOWN)) if tokens and person else None
            total = inbox.count(session, wanted) if shown is not None else 0
            grants = len(words_wanted.grants_for(session, user.person_id, self.clock())) if person else 0
            mine = checks_shown.rows_for(session, user.person_id, wanted, "", self.clock()) if shown else []
            unread = checks.unread(session, user.person_id) if person and person.may(Role.APPROVER) else []
        rows = checks_shown.among(shown.items, mine, wanted.sort, last=shown.next_cursor is None) if shown else ()
        total += len(mine)
        shown_of, capped = max(total, len(rows)), total >= inbox.COUNTED
        return home(rows, shown_of, capped, self.links, direct=user.direct, grants=grants, unread=unread)

    def _stale_ones(self) -> list[SlackUser]:
        with self.database.read() as session:
            return list(slack_people.homes_to_show(session))

    def _shown(self, user: SlackUser) -> None:
        with self.database.write() as session:
            slack_people.home_shown(session, user)

    def _stale(self, user: SlackUser) -> None:
        with self.database.write() as session:
            slack_people.stale_homes(session, [user.person_id])

"""Where installed workspaces and OAuth states are kept: Slack's own store interfaces on Assent's database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from assent.domain.clock import Clock
from assent.domain.errors import Forbidden, InvalidInput, Unavailable
from assent.domain.people import SYSTEM, Actor, Role, Via
from assent.store import people, slack_workspaces
from assent.store.database import Database
from assent.store.sealing import Sealer
from assent.store.slack_tickets import Purpose, Ticket, Tickets
from assent.store.slack_workspaces import Installed
from assent_slack.workspaces import Workspace, scopes_of

log = logging.getLogger(__name__)

SEALED_FOR = "slack token"
"""Purpose that tokens are sealed for."""

AT_THE_COMMAND_LINE = Actor(id=SYSTEM.id, name="the command line", via=Via.CLI)


class InstallationStore(AsyncInstallationStore):
    """Installations in Assent's database, their tokens sealed.

    Only bots of single workspaces are kept: Assent asks for no user's token and for no whole organisation.

    Args:
        database: Assent's database.
        sealer: Seals tokens.
        clock: The time.
    """

    def __init__(self, database: Database, sealer: Sealer, clock: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock

    @property
    def logger(self) -> logging.Logger:
        """Where Slack's library writes what it does."""
        return log

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation that nobody in particular allowed."""
        await asyncio.to_thread(self.save, installation, AT_THE_COMMAND_LINE)

    def save(self, installation: Installation, by: Actor) -> Installed:
        """Keep an installation.

        Raises:
            InvalidInput: It is of a whole organisation, or has no bot.
        """
        if installation.is_enterprise_install or not installation.team_id:
            raise InvalidInput(
                "Assent is installed in single workspaces, not in a whole organisation.",
                where="workspace",
                todo="Choose a workspace where Slack asks for one.",
            )
        if not (installation.bot_token and installation.bot_id and installation.bot_user_id):
            raise InvalidInput("Slack gave no bot token for this workspace.", where="token", todo="Install it again.")
        installed = Installed(
            team_id=installation.team_id,
            name=installation.team_name or installation.team_id,
            app_id=installation.app_id or "",
            bot_id=installation.bot_id,
            bot_user_id=installation.bot_user_id,
            scopes=",".join(installation.bot_scopes or []),
            sealed_token=self._sealer.seal(installation.bot_token, owner=installation.team_id),
            channel_id="",
            channel_name="",
            installed_by=by.id,
            installed_at=self._clock(),
            removed_at=None,
        )
        with self._database.write() as session:
            return slack_workspaces.save(session, installed, by=by)

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """The bot of a workspace that the app is installed in."""
        installed = await asyncio.to_thread(self._find, team_id)
        if installed is None:
            return None
        return Bot(
            app_id=installed.app_id,
            team_id=installed.team_id,
            team_name=installed.name,
            bot_token=self._sealer.open(installed.sealed_token, owner=installed.team_id),
            bot_id=installed.bot_id,
            bot_user_id=installed.bot_user_id,
            bot_scopes=installed.scopes,
            installed_at=installed.installed_at.timestamp(),
        )

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        """The installation in a workspace, whoever made it."""
        bot = await self.async_find_bot(enterprise_id=enterprise_id, team_id=team_id)
        if bot is None:
            return None
        return Installation(
            app_id=bot.app_id,
            team_id=bot.team_id,
            team_name=bot.team_name,
            bot_token=bot.bot_token,
            bot_id=bot.bot_id,
            bot_user_id=bot.bot_user_id,
            bot_scopes=bot.bot_scopes,
            user_id=user_id or "",
            installed_at=bot.installed_at,
        )

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forget a workspace's token: the app was removed there."""
        await asyncio.to_thread(self.remove, team_id or "", "The app was removed in Slack.")

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """A single user took back what they allowed: Assent keeps nothing of users."""

    def remove(self, team_id: str, why: str, by: Actor = SYSTEM) -> bool:
        """Forget a workspace's token; false if the app was not installed there."""
        with self._database.write() as session:
            return slack_workspaces.remove(session, team_id, at=self._clock(), by=by, why=why)

    def workspaces(self) -> Sequence[Workspace]:
        """Every workspace that the app is installed in and whose token can be opened."""
        with self._database.read() as session:
            installed = slack_workspaces.every(session)
        return [made for made in map(self._workspace, installed) if made is not None]

    def _workspace(self, installed: Installed) -> Workspace | None:
        try:
            token = self._sealer.open(installed.sealed_token, owner=installed.team_id)
        except Unavailable as error:
            log.error("The Slack workspace %s is left out: %s", installed.team_id, error)
            return None
        return Workspace(
            team_id=installed.team_id,
            name=installed.name,
            bot_id=installed.bot_id,
            bot_user_id=installed.bot_user_id,
            token=token,
            scopes=scopes_of(installed.scopes),
            channel_id=installed.channel_id,
        )

    def _find(self, team_id: str | None) -> Installed | None:
        with self._database.read() as session:
            installed = slack_workspaces.one(session, team_id or "")
        return None if installed is None or installed.removed_at is not None else installed


class StateStore(AsyncOAuthStateStore):
    """OAuth states in Assent's database: each works once, for minutes, and knows who began.

    A state is bound to the link that an administrator was given; the link is used up with it.

    Args:
        database: Assent's database.
        tickets: Makes them.
        clock: The time.
    """

    def __init__(self, database: Database, tickets: Tickets, clock: Clock) -> None:
        self._database = database
        self._tickets = tickets
        self._clock = clock

    @property
    def logger(self) -> logging.Logger:
        """Where Slack's library writes what it does."""
        return log

    async def async_issue(self, *args: Any, link: str = "", **kwargs: Any) -> str:
        """A new state for somebody who opened an installation link.

        Raises:
            Forbidden: The link is unknown, used or too old.
        """
        return await asyncio.to_thread(self._issue, link)

    async def async_consume(self, state: str) -> bool:
        """Use a state and its link up; false if either is unknown, used or too old."""
        return await asyncio.to_thread(self._consume, state)

    def began(self, state: str) -> Actor:
        """Who began an installation, looked at again now.

        Raises:
            Forbidden: They may not install any more.
        """
        with self._database.read() as session:
            found = self._tickets.used(session, state, Purpose.STATE)
            if found is None:
                raise Forbidden("Nobody began this installation.", where="state")
            if not found.person_id:
                return AT_THE_COMMAND_LINE
            person = people.one(session, found.person_id)
        if person is None or person.disabled or not person.may(Role.ADMIN):
            raise Forbidden(
                "Whoever made this link is no administrator any more.",
                where="link",
                todo="Ask an administrator for a new one.",
            )
        return person.acting(Via.WEB)

    def _issue(self, link: str) -> str:
        at: datetime = self._clock()
        with self._database.write() as session:
            opened = self._tickets.look(session, link, Purpose.INSTALL, at=at)
            if opened is None:
                raise Forbidden(
                    "This installation link is unknown, was used or is too old.",
                    where="link",
                    todo="An administrator makes a new one: `assent slack install-link`.",
                )
            return self._tickets.make(
                session, Ticket(Purpose.STATE, opened.person_id, name=self._tickets.kept(link)), at=at
            )

    def _consume(self, state: str) -> bool:
        at = self._clock()
        with self._database.write() as session:
            used = self._tickets.use_up(session, state, Purpose.STATE, at=at)
            if used is None:
                return False
            return self._tickets.use_up_kept(session, used.name, Purpose.INSTALL, at=at) is not None

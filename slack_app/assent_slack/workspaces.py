"""The Slack workspaces that Assent is installed in, and what it is there."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError

REFRESH_SECONDS = 15.0
"""How often the installations in the database are read again."""

LOOK_SECONDS = 1.5
"""How long a request from a workspace that is not known here may wait for a look into the database."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workspace:
    """One installation.

    Attributes:
        team_id: The workspace.
        name: Its name.
        bot_id: The bot that posts Assent's messages.
        bot_user_id: The same bot as a user.
        token: Its token.
        scopes: What the token may do.
        channel_id: Where requests are posted; empty if nobody said so yet.
        configured: It is the workspace of the token in the settings, not one that was installed over the web.
    """

    team_id: str
    name: str
    bot_id: str
    bot_user_id: str
    token: str = field(repr=False)
    scopes: frozenset[str] = frozenset()
    channel_id: str = ""
    configured: bool = False


class Workspaces:
    """What is installed now, kept in memory so that no click waits for the database.

    Args:
        configured: The workspace of the token in the settings, if there is one.
        load: Reads the others from the database; called in a thread. May raise ``AssentError``.
    """

    def __init__(self, configured: Workspace | None, load: Callable[[], Sequence[Workspace]] = tuple) -> None:
        self._configured = configured
        self._load = load
        self._known: dict[str, Workspace] = {}
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()
        self._take(())

    @property
    def home(self) -> str:
        """Id of the workspace of the token in the settings; empty if there is none."""
        return self._configured.team_id if self._configured else ""

    def get(self, team_id: str) -> Workspace | None:
        """A workspace, if the app is installed there as far as is known."""
        return self._known.get(team_id)

    def __contains__(self, team_id: object) -> bool:
        return team_id in self._known

    def __iter__(self) -> Iterator[Workspace]:
        return iter(list(self._known.values()))

    def same(self, team_id: str) -> list[str]:
        """Every way in which links name a workspace."""
        return [team_id, ""] if team_id and team_id == self.home else [team_id]

    async def find(self, team_id: str) -> Workspace | None:
        """A workspace, with a short look into the database for one that was installed just now."""
        if team_id and team_id not in self._known and time.monotonic() - self._looked_at > 1.0:
            try:
                await asyncio.wait_for(self.refresh(), LOOK_SECONDS)
            except TimeoutError:
                log.warning("The database did not say in time whether Assent is installed in %r", team_id)
        return self._known.get(team_id)

    async def refresh(self) -> None:
        """Read the installations again; what was known stays known while the database is away."""
        async with self._looking:
            self._looked_at = time.monotonic()
            try:
                self._take(await asyncio.to_thread(self._load))
            except AssentError as error:
                log.warning("The installed Slack workspaces cannot be read: %s", error)

    async def keep_fresh(self, stop: asyncio.Event) -> None:
        """Read them again and again until told to stop."""
        while not stop.is_set():
            await self.refresh()
            try:
                await asyncio.wait_for(stop.wait(), REFRESH_SECONDS)
            except TimeoutError:
                continue

    def _take(self, installed: Sequence[Workspace]) -> None:
        known = {workspace.team_id: workspace for workspace in installed}
        if self._configured is not None:
            known[self._configured.team_id] = self._configured
        self._known = known


def client_of(base: AsyncWebClient, workspace: Workspace) -> AsyncWebClient:
    """The same connection to Slack with a workspace's token."""
    return with_token(base, workspace.token)


def with_token(base: AsyncWebClient, token: str | None) -> AsyncWebClient:
    """The same connection to Slack with another token; it does not repeat calls by itself, which would post twice."""
    return AsyncWebClient(
        token=token,
        base_url=base.base_url,
        timeout=base.timeout,
        ssl=base.ssl,
        proxy=base.proxy,
        session=base.session,
        logger=base.logger,
        retry_handlers=[],
    )


async def identify(client: AsyncWebClient) -> Workspace:
    """Ask Slack whose token the client has.

    Raises:
        SlackApiError: Slack refuses the token or asks to wait.
        aiohttp.ClientError: Slack cannot be reached.
    """
    answer = await client.auth_test()
    return Workspace(
        team_id=str(answer["team_id"]),
        name=str(answer.get("team", "")),
        bot_id=str(answer.get("bot_id", "")),
        bot_user_id=str(answer.get("user_id", "")),
        token=client.token or "",
        scopes=scopes_of(answer.headers.get("x-oauth-scopes", "")),
        configured=True,
    )


def scopes_of(text: str) -> frozenset[str]:
    """Scopes that Slack separates by commas."""
    return frozenset(scope.strip() for scope in text.split(",") if scope.strip())

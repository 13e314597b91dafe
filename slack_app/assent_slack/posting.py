"""One copy of an approval request in a channel: post it, find it again, update it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.clock import Clock
from assent_slack.blocks.pieces import Message
from assent_slack.history import EVENT_TYPE, History
from assent_slack.telling import status_of
from assent_slack.workspaces import Workspace

_NAMESPACE = uuid.UUID("5b3ab0b0-4e3c-5d0e-9a58-2f2c6f1f6c11")

DELETED = {"message_not_found", "thread_not_found"}
"""Errors of an update that say that somebody deleted the message."""

ALREADY_POSTED = "duplicate_client_msg_id"

UNREADABLE_HISTORY = {"missing_scope", "not_in_channel", "no_permission", "method_not_supported_for_channel_type"}
"""Errors of a look at a channel's history that will not go away by themselves."""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel of a workspace."""

    team_id: str
    channel_id: str

    @property
    def name(self) -> str:
        """The place as it is kept with a copy."""
        return f"{self.team_id}/{self.channel_id}"

    @classmethod
    def named(cls, name: str) -> Place:
        """The place that a copy is kept with."""
        team_id, _, channel_id = name.partition("/")
        return cls(team_id, channel_id)


class Posting:
    """Calls to Slack about copies in one workspace.

    Args:
        client: With the workspace's token, and without retries of its own: it would post twice.
        workspace: The workspace.
        clock: The time.
    """

    def __init__(self, client: AsyncWebClient, workspace: Workspace, clock: Clock) -> None:
        self._client = client
        self._workspace = workspace
        self._clock = clock
        self._histories: dict[Place, History] = {}

    def reaches(self, place: Place) -> bool:
        """Whether a place is in this workspace."""
        return place.team_id == self._workspace.team_id

    async def post(self, place: Place, approval_id: str, message: Message) -> str:
        """Post a new copy.

        Returns:
            What finds it again.

        Raises:
            SlackApiError: Slack refused it.
            aiohttp.ClientError: It is not known whether Slack has it.
        """
        answer = await self._client.chat_postMessage(
            channel=place.channel_id,
            text=message.text,
            blocks=message.blocks,
            mrkdwn=False,
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"approval": approval_id}},
            # Not documented for bots: where Slack heeds it, it refuses a second message with the same id.
            client_msg_id=str(uuid.uuid5(_NAMESPACE, f"{place.name}/{approval_id}")),
        )
        return str(answer["ts"])

    async def update(self, place: Place, reference: str, message: Message) -> bool:
        """Make a copy show something else; false if somebody deleted it.

        Raises:
            SlackApiError: Slack refused it.
            aiohttp.ClientError: It is not known whether Slack did it; doing it again is harmless.
        """
        try:
            await self._client.chat_update(
                channel=place.channel_id, ts=reference, text=message.text, blocks=message.blocks
            )
        except SlackApiError as error:
            if error.response.get("error") in DELETED:
                return False
            raise
        return True

    async def remove(self, place: Place, reference: str) -> None:
        """Delete a copy that turned out to be a second one.

        Raises:
            SlackApiError: Slack refused it.
        """
        await self._client.chat_delete(channel=place.channel_id, ts=reference)

    async def find(self, place: Place, approval_id: str, *, since: datetime, after: datetime) -> str | None:
        """Look whether a copy was posted whose answer never arrived.

        Args:
            place: Where.
            approval_id: The request.
            since: When it was first to be posted.
            after: When it was last tried.

        Raises:
            SlackApiError: The channel's history cannot be read.
        """
        history = self._histories.get(place)
        if history is None:
            history = History(self._client, place.channel_id, self._workspace.bot_id, self._clock)
            self._histories[place] = history
        return await history.find(approval_id, since=since, after=after)


def is_certain(error: Exception) -> bool:
    """Whether a failed call did nothing for certain: Slack refused it, or was never reached."""
    if not isinstance(error, SlackApiError):
        return isinstance(error, aiohttp.ClientConnectorError)
    code = error.response.get("error") if hasattr(error.response, "get") else None
    return status_of(error) < 500 and code not in {None, "internal_error", "fatal_error", "service_unavailable"}

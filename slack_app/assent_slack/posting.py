"""Calls to Slack about copies of requests: post one, find it again, update it; each when its time has come."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.clock import Clock
from assent_slack.blocks.pieces import Message
from assent_slack.history import EVENT_TYPE, History
from assent_slack.pacing import EVERYTHING, Pacer
from assent_slack.telling import FAILURES, status_of, why
from assent_slack.workspaces import Workspace, client_of

_NAMESPACE = uuid.UUID("5b3ab0b0-4e3c-5d0e-9a58-2f2c6f1f6c11")

DELETED = {"message_not_found", "thread_not_found"}
"""Errors that say that somebody deleted the message."""

ALREADY_POSTED = "duplicate_client_msg_id"

UNREADABLE_HISTORY = {"missing_scope", "not_in_channel", "no_permission", "method_not_supported_for_channel_type"}
"""Errors of a look at a channel's history that will not go away by themselves."""

UNREACHABLE_PERSON = {
    *("user_not_found", "user_disabled", "user_not_visible", "users_not_found", "cannot_dm_bot", "channel_not_found"),
    *("messages_tab_disabled", "not_in_channel", "is_archived", "missing_scope", "invalid_users", "ekm_access_denied"),
}
"""Errors of a direct message that say that this person cannot be reached so; others are tried again."""

_HISTORIES = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A channel of a workspace, or the direct messages with somebody."""

    team_id: str
    channel_id: str

    @property
    def name(self) -> str:
        """The place as it is kept with a copy."""
        return f"{self.team_id}/{self.channel_id}"

    @property
    def personal(self) -> bool:
        """It is the direct messages with somebody."""
        return self.channel_id.startswith("D")

    @classmethod
    def named(cls, name: str) -> Place:
        """The place that a copy is kept with."""
        team_id, _, channel_id = name.partition("/")
        return cls(team_id, channel_id)


@dataclass(frozen=True, slots=True)
class Slip:
    """What is posted: a request, or a note on it.

    Attributes:
        approval_id: The request.
        note: Which note; empty for the request itself.
        thread: The message it answers; empty for the request itself.
        aloud: A note that the people of the channel are told of as well, as Slack's broadcasts are.
    """

    approval_id: str
    note: str = ""
    thread: str = ""
    aloud: bool = False

    @property
    def payload(self) -> dict[str, str]:
        """What finds it again among what was posted."""
        return {"approval": self.approval_id, **({"note": self.note} if self.note else {})}


@dataclass
class Posting:
    """Calls to Slack, each with the token of its workspace.

    Attributes:
        base: The connection to Slack. It must not retry by itself: it would post twice.
        pacer: When Slack may be asked again.
        clock: The time.
    """

    base: AsyncWebClient
    pacer: Pacer
    clock: Clock
    _histories: OrderedDict[tuple[Place, str], History] = field(default_factory=OrderedDict)

    async def post(self, workspace: Workspace, place: Place, slip: Slip, message: Message) -> str:
        """Post a new copy or note.

        Returns:
            What finds it again.

        Raises:
            Held: Its time has not come.
            SlackApiError: Slack refused it.
            aiohttp.ClientError: It is not known whether Slack has it.
        """
        threaded: dict[str, Any] = {"thread_ts": slip.thread} if slip.thread else {}
        if slip.aloud:
            threaded["reply_broadcast"] = True
        answer = await self.call(
            workspace,
            "chat_postMessage",
            place=place.channel_id,
            channel=place.channel_id,
            text=message.text,
            blocks=message.blocks,
            mrkdwn=False,
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": EVENT_TYPE, "event_payload": slip.payload},
            # Not documented for bots: where Slack heeds it, it refuses a second message with the same id.
            client_msg_id=str(uuid.uuid5(_NAMESPACE, "/".join([place.name, *slip.payload.values()]))),
            **threaded,
        )
        return str(answer["ts"])

    async def update(self, workspace: Workspace, place: Place, reference: str, message: Message) -> bool:
        """Make a copy show something else; false if somebody deleted it.

        Raises:
            Held: Its time has not come.
            SlackApiError: Slack refused it.
            aiohttp.ClientError: It is not known whether Slack did it; doing it again is harmless.
        """
        try:
            await self.call(
                workspace,
                "chat_update",
                place=place.channel_id,
                channel=place.channel_id,
                ts=reference,
                text=message.text,
                blocks=message.blocks,
            )
        except SlackApiError as error:
            if why(error) in DELETED:
                return False
            raise
        return True

    async def remove(self, workspace: Workspace, place: Place, reference: str) -> None:
        """Delete a copy that turned out to be a second one.

        Raises:
            Held: Its time has not come.
            SlackApiError: Slack refused it.
        """
        await self.call(workspace, "chat_delete", place=place.channel_id, channel=place.channel_id, ts=reference)

    async def find(
        self, workspace: Workspace, place: Place, slip: Slip, *, since: datetime, after: datetime
    ) -> str | None:
        """Look whether something was posted whose answer never arrived.

        Args:
            workspace: Where the place is.
            place: Where.
            slip: What.
            since: When it was first to be posted.
            after: When it was last tried.

        Raises:
            Held: Its time has not come.
            SlackApiError: The history cannot be read.
        """
        key = (place, slip.thread)
        history = self._histories.get(key)
        if history is None:
            method = "conversations_replies" if slip.thread else "conversations_history"
            thread = {"ts": slip.thread} if slip.thread else {}
            read = partial(self.call, workspace, method, place="", channel=place.channel_id, **thread)
            history = self._histories[key] = History(read, workspace.bot_id, self.clock)
            if len(self._histories) > _HISTORIES:
                self._histories.popitem(last=False)
        return await history.find(slip.approval_id, slip.note, since=since, after=after)

    async def conversation(self, workspace: Workspace, user_id: str) -> str:
        """Open the direct messages with somebody; gives their id.

        Raises:
            Held: Its time has not come.
            SlackApiError: Slack refused it.
        """
        answer = await self.call(workspace, "conversations_open", users=user_id)
        return str(answer["channel"]["id"])

    async def show_home(self, workspace: Workspace, user_id: str, view: dict[str, Any]) -> None:
        """Set somebody's page of the app.

        Raises:
            Held: Its time has not come.
            SlackApiError: Slack refused it.
        """
        await self.call(workspace, "views_publish", user_id=user_id, view=view)

    async def call(self, workspace: Workspace, method: str, *, place: str = "", **arguments: Any) -> Any:
        """Call a method when its time has come, and remember what came of it.

        Args:
            workspace: Whose token.
            method: Its name in Slack's library.
            place: The channel whose own trouble counts for it; empty for none.
            arguments: Of the call.

        Raises:
            Held: It was not made, or Slack asks to wait.
            SlackApiError: Slack refused it.
            aiohttp.ClientError: It is not known what came of it.
        """
        team = workspace.team_id
        everything, this = (team, EVERYTHING), (team, method)
        keys = [everything, this, *([(team, place)] if place else [])]
        self.pacer.check(*keys)
        try:
            answer = await getattr(client_of(self.base, workspace), method)(**arguments)
        except SlackApiError as error:
            if status_of(error) == 429:
                raise self.pacer.limited(this, _retry_after(error)) from error
            if not is_certain(error):
                self.pacer.failed(everything, why(error))
            else:
                self.pacer.worked(everything, this)
            raise
        except FAILURES as error:
            self.pacer.failed(everything, why(error))
            raise
        self.pacer.worked(*keys)
        return answer


def is_certain(error: BaseException) -> bool:
    """Whether a failed call did nothing for certain: Slack refused it, or was never reached."""
    if not isinstance(error, SlackApiError):
        return isinstance(error, aiohttp.ClientConnectorError)
    code = error.response.get("error") if hasattr(error.response, "get") else None
    return status_of(error) < 500 and code not in {None, "internal_error", "fatal_error", "service_unavailable"}


def _retry_after(error: SlackApiError) -> str:
    headers = getattr(error.response, "headers", None) or {}
    return next((str(text) for name, text in headers.items() if name.lower() == "retry-after"), "")

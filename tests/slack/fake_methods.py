"""Slack's Web API methods that Assent uses: what each needs, refuses and does."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.slack.fake_blocks import faults, too_long, view_faults
from tests.slack.fake_state import Channel, Message, Whisper

if TYPE_CHECKING:
    from tests.slack.fake_slack import FakeSlack

Arguments = dict[str, Any]
Answer = dict[str, Any]


class Refused(Exception):
    """Slack says no."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.answer = {"ok": False, "error": error, **more}


class Method(NamedTuple):
    """A method: what it does, the scopes of which one is enough, and the arguments it knows."""

    run: Callable[[FakeSlack, Arguments], Answer]
    scopes: frozenset[str]
    known: frozenset[str]


def auth_test(slack: FakeSlack, _: Arguments) -> Answer:
    """Say whose token it is."""
    return {
        "team_id": slack.team_id,
        "team": slack.name,
        "user": "assent",
        "user_id": slack.bot.id,
        "bot_id": slack.bot_id,
    }


def post_message(slack: FakeSlack, given: Arguments) -> Answer:
    """Post a message in a channel."""
    channel = _joined(slack, given["channel"])
    client_id = given.get("client_msg_id")
    if slack.heeds_client_ids and client_id and any(_id(old) == client_id for old in channel.messages.values()):
        raise Refused("duplicate_client_msg_id")
    content = _content(given)
    ts = slack.timestamp()
    metadata = given.get("metadata")
    if metadata is not None and metadata.keys() != {"event_type", "event_payload"}:
        raise Refused("invalid_metadata_format")
    channel.messages[ts] = {
        "type": "message",
        "ts": ts,
        "user": slack.bot.id,
        "bot_id": slack.bot_id,
        "app_id": slack.app_id,
        "client_msg_id": client_id,
        "metadata": metadata,
        "posted": {name: given.get(name) for name in ("mrkdwn", "unfurl_links", "unfurl_media")},
        **_threaded(channel, given),
        **content,
    }
    slack.arrivals.append((channel.id, dict(channel.messages[ts])))
    return {"channel": channel.id, "ts": ts, "message": channel.messages[ts]}


def _threaded(channel: Channel, given: Arguments) -> Message:
    """What makes a message a part of a thread; its channel hears of it only where it is broadcast."""
    if not given.get("thread_ts"):
        return {}
    if given["thread_ts"] not in channel.messages:
        raise Refused("thread_not_found")
    return {"thread_ts": given["thread_ts"], "broadcast": bool(given.get("reply_broadcast"))}


def open_conversation(slack: FakeSlack, given: Arguments) -> Answer:
    """Open the direct messages with one user."""
    user = slack.users.get(given["users"])
    if user is None:
        raise Refused("user_not_found")
    if user.is_bot:
        raise Refused("cannot_dm_bot")
    if user.deleted:
        raise Refused("user_disabled")
    known = [channel for channel in slack.channels.values() if channel.with_user == user.id]
    if not known:
        known = [Channel(slack.numbers.new("D"), "", with_user=user.id)]
        slack.channels[known[0].id] = known[0]
    return {"channel": {"id": known[0].id}}


def replies(slack: FakeSlack, given: Arguments) -> Answer:
    """A thread, oldest first, page by page; its first message is part of it."""
    channel = _joined(slack, given["channel"])
    if given["ts"] not in channel.messages:
        raise Refused("thread_not_found")
    found = [channel.messages[given["ts"]]]
    found += [one for _, one in sorted(channel.messages.items()) if one.get("thread_ts") == given["ts"]]
    if str(given.get("include_all_metadata")).lower() not in {"1", "true"}:
        found = [{name: value for name, value in message.items() if name != "metadata"} for message in found]
    start, limit = int(given.get("cursor") or 0), min(int(given.get("limit") or 100), 3)
    rest = str(start + limit) if start + limit < len(found) else ""
    return {"messages": found[start : start + limit], "response_metadata": {"next_cursor": rest}}


def update_view(slack: FakeSlack, given: Arguments) -> Answer:
    """Change an open dialog."""
    known = slack.dialogs.get(given["view_id"])
    if known is None:
        raise Refused("not_found")
    view = dict(given["view"])
    if found := view_faults(view):
        raise Refused("invalid_arguments", response_metadata={"messages": found})
    slack.dialogs[given["view_id"]] = view | {"id": given["view_id"], "user": known["user"]}
    return {"view": slack.dialogs[given["view_id"]]}


def access(slack: FakeSlack, given: Arguments) -> Answer:
    """Exchange a code for the token of the workspace whose user allowed the app."""
    workspace = slack.codes.pop(given["code"], None)
    if workspace is None:
        raise Refused("invalid_code")
    if (given.get("client_id"), given.get("client_secret")) != (slack.client_id, slack.client_secret):
        raise Refused("bad_client_secret")
    return {
        "access_token": workspace.bot_token,
        "token_type": "bot",
        "scope": ",".join(workspace.scopes),
        "bot_user_id": workspace.bot.id,
        "app_id": workspace.app_id,
        "team": {"id": workspace.team_id, "name": workspace.name},
        "enterprise": None,
        "authed_user": {"id": "U0ADMIN"},
        "is_enterprise_install": False,
    }


def update(slack: FakeSlack, given: Arguments) -> Answer:
    """Change a message of one's own."""
    message = _own(slack, given)
    message.update(_content(given))
    message["edits"] = message.get("edits", 0) + 1
    slack.arrivals.append((given["channel"], dict(message)))
    return {"channel": given["channel"], "ts": given["ts"]}


def delete(slack: FakeSlack, given: Arguments) -> Answer:
    """Delete a message of one's own."""
    _own(slack, given)
    del slack.channels[given["channel"]].messages[given["ts"]]
    return {}


def post_ephemeral(slack: FakeSlack, given: Arguments) -> Answer:
    """Tell one person something in a channel."""
    channel = _joined(slack, given["channel"])
    if given["user"] not in slack.users:
        raise Refused("user_not_in_channel")
    slack.whispers.append(Whisper(given["user"], channel.id, _content(given)))
    return {"message_ts": slack.timestamp()}


def open_view(slack: FakeSlack, given: Arguments) -> Answer:
    """Open a dialog for whoever clicked just now."""
    user = slack.use_trigger(given["trigger_id"])
    view = dict(given["view"])
    if found := view_faults(view):
        raise Refused("invalid_arguments", response_metadata={"messages": found})
    view["id"] = slack.numbers.new("V")
    slack.dialogs[view["id"]] = view | {"user": user}
    return {"view": view}


def publish_view(slack: FakeSlack, given: Arguments) -> Answer:
    """Set somebody's home page."""
    if given["user_id"] not in slack.users:
        raise Refused("user_not_found")
    if found := view_faults(given["view"]):
        raise Refused("invalid_arguments", response_metadata={"messages": found})
    slack.homes[given["user_id"]] = given["view"]
    return {"view": given["view"]}


def user_info(slack: FakeSlack, given: Arguments) -> Answer:
    """Somebody by id."""
    if given["user"] not in slack.users:
        raise Refused("user_not_found")
    return {"user": slack.users[given["user"]].described()}


def lookup_by_email(slack: FakeSlack, given: Arguments) -> Answer:
    """Somebody by address."""
    found = [user for user in slack.users.values() if user.email and user.email == given["email"].lower()]
    if not found:
        raise Refused("users_not_found")
    return {"user": found[0].described()}


def list_channels(slack: FakeSlack, given: Arguments) -> Answer:
    """Channels, page by page."""
    every = [channel.described() for channel in slack.channels.values()]
    start, limit = int(given.get("cursor") or 0), min(int(given.get("limit") or 100), 2)
    rest = str(start + limit) if start + limit < len(every) else ""
    return {"channels": every[start : start + limit], "response_metadata": {"next_cursor": rest}}


def channel_info(slack: FakeSlack, given: Arguments) -> Answer:
    """One channel."""
    return {"channel": _channel(slack, given["channel"]).described()}


def history(slack: FakeSlack, given: Arguments) -> Answer:
    """What was posted, newest first, page by page; metadata only for who asks."""
    channel = _joined(slack, given["channel"])
    oldest, with_metadata = (
        float(given.get("oldest") or 0),
        str(given.get("include_all_metadata")).lower() in {"1", "true"},
    )
    found = [
        message
        for ts, message in sorted(channel.messages.items(), reverse=True)
        if float(ts) > oldest and (not message.get("thread_ts") or message["broadcast"])
    ]
    if not with_metadata:
        found = [{name: value for name, value in message.items() if name != "metadata"} for message in found]
    start, limit = int(given.get("cursor") or 0), min(int(given.get("limit") or 100), 3)
    rest = str(start + limit) if start + limit < len(found) else ""
    return {"messages": found[start : start + limit], "response_metadata": {"next_cursor": rest}}


def open_connection(slack: FakeSlack, _: Arguments) -> Answer:
    """An address for Socket Mode, good for one connection."""
    ticket = uuid.uuid4().hex
    slack.tickets.add(ticket)
    return {"url": f"{slack.url.replace('http', 'ws', 1)}/link?ticket={ticket}"}


def _method(run: Callable[[FakeSlack, Arguments], Answer], scopes: str, known: str) -> Method:
    return Method(run, frozenset(scopes.split()), frozenset(known.split()) | {"team_id", "token"})


_POSTED = "channel text blocks mrkdwn unfurl_links unfurl_media metadata client_msg_id thread_ts reply_broadcast"

METHODS = {
    "auth.test": _method(auth_test, "", ""),
    "chat.postMessage": _method(post_message, "chat:write", _POSTED),
    "chat.update": _method(update, "chat:write", "channel ts text blocks metadata"),
    "chat.delete": _method(delete, "chat:write", "channel ts"),
    "chat.postEphemeral": _method(post_ephemeral, "chat:write", "channel user text blocks"),
    "views.open": _method(open_view, "", "trigger_id view"),
    "views.publish": _method(publish_view, "", "user_id view"),
    "users.info": _method(user_info, "users:read", "user"),
    "users.lookupByEmail": _method(lookup_by_email, "users:read.email", "email"),
    "conversations.list": _method(list_channels, "channels:read", "types exclude_archived limit cursor"),
    "conversations.info": _method(channel_info, "channels:read", "channel"),
    "conversations.history": _method(
        history, "channels:history", "channel oldest limit cursor include_all_metadata latest inclusive"
    ),
    "conversations.replies": _method(
        replies, "channels:history", "channel ts oldest limit cursor include_all_metadata latest inclusive"
    ),
    "conversations.open": _method(open_conversation, "im:write", "users"),
    "views.update": _method(update_view, "", "view_id view"),
    "oauth.v2.access": _method(access, "", "code client_id client_secret redirect_uri grant_type refresh_token"),
    "apps.connections.open": _method(open_connection, "", ""),
}
BY_APP_TOKEN = {"apps.connections.open"}
WITHOUT_TOKEN = {"oauth.v2.access"}


def check_content(given: Arguments) -> None:
    """Refuse what Slack refuses of a message, wherever it goes."""
    blocks = given.get("blocks") or []
    if not given.get("text") and not blocks:
        raise Refused("no_text")
    if len(str(given.get("text", "")).encode()) > 4_000:
        raise Refused("msg_too_long")
    if found := faults(blocks):
        raise Refused("invalid_blocks", response_metadata={"messages": found})
    if too_long(blocks):
        raise Refused("msg_blocks_too_long")


def _content(given: Arguments) -> Message:
    check_content(given)
    return {"text": given.get("text", ""), "blocks": given.get("blocks") or []}


def _channel(slack: FakeSlack, channel_id: str) -> Channel:
    if channel_id not in slack.channels:
        raise Refused("channel_not_found")
    return slack.channels[channel_id]


def _joined(slack: FakeSlack, channel_id: str) -> Channel:
    channel = _channel(slack, channel_id)
    if channel.is_archived:
        raise Refused("is_archived")
    if not channel.is_member:
        raise Refused("not_in_channel")
    return channel


def _own(slack: FakeSlack, given: Arguments) -> Message:
    message = _channel(slack, given["channel"]).messages.get(given["ts"])
    if message is None:
        raise Refused("message_not_found")
    if message["bot_id"] != slack.bot_id:
        raise Refused("cant_update_message")
    return message


def _id(message: Message) -> object:
    return message.get("client_msg_id")

"""People in Slack: what they do becomes signed requests to the app, over HTTP or Socket Mode."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.slack.fake_slack import FakeSlack
from tests.slack.fake_state import Message, User

DEADLINE_SECONDS = 3.0
"""What Slack gives an app to acknowledge; after that the person sees that it failed."""


@dataclass(frozen=True)
class Tampering:
    """How a request differs from an honest one.

    Attributes:
        secret: Signed with this.
        age: Signed so many seconds ago.
        signature: This in place of the signature.
        stamp: This in place of the timestamp, after signing.
        swap: A text in the body that is replaced after signing.
        team_id: Comes from this workspace.
    """

    secret: str = ""
    age: float = 0.0
    signature: str | None = None
    stamp: str | None = None
    swap: tuple[str, str] | None = None
    team_id: str = ""


HONEST = Tampering()
_PATIENCE = 10
"""How many deadlines an answer is waited for: a busy machine is told from a slow app by its time."""


@dataclass(frozen=True)
class Delivery:
    """What became of a request."""

    status: int
    body: str
    seconds: float

    @property
    def in_time(self) -> bool:
        """Whether the person sees that it worked."""
        return self.status == 200 and self.seconds < DEADLINE_SECONDS


class People:
    """What people do in the fake workspace.

    Args:
        slack: The workspace.
        app_url: Where the app takes HTTP requests; empty in Socket Mode.
    """

    def __init__(self, slack: FakeSlack, app_url: str = "") -> None:
        self._slack = slack
        self.app_url = app_url
        self.deliveries: list[Delivery] = []
        self._sent: list[tuple[str, dict[str, str]]] = []

    async def press(
        self, user: User, message: Message, action_id: str, *, tampering: Tampering = HONEST, value: str | None = None
    ) -> Delivery:
        """Press a button of a message in the channel."""
        return await self.deliver("interactive", self.press_payload(user, message, action_id, value=value), tampering)

    def press_payload(
        self, user: User, message: Message, action_id: str, *, value: str | None = None
    ) -> dict[str, Any]:
        """What Slack tells of a pressed button."""
        block, button = _button(message, action_id)
        if value is not None:
            button = button | {"value": value}
        channel = self._slack.channel
        channel = next((one for one in self._slack.channels.values() if message["ts"] in one.messages), channel)
        return {
            "type": "block_actions",
            "a_field_of_tomorrow": {"nested": [1, {"x": None}]},
            **self._who(user),
            "api_app_id": self._slack.app_id,
            "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel.id},
            "trigger_id": self._slack.new_trigger(user.id),
            "channel": {"id": channel.id, "name": channel.name},
            "message": {name: message[name] for name in ("type", "ts", "user", "bot_id", "text", "blocks")},
            "state": {"values": {}},
            "response_url": self._slack.new_response_url(user.id, channel.id),
            "actions": [{**button, "block_id": block["block_id"], "action_ts": f"{time.time():.6f}"}],
        }

    async def submit(
        self,
        user: User,
        view: dict[str, Any],
        text: str = "",
        *,
        fields: dict[str, str] | None = None,
        tampering: Tampering = HONEST,
    ) -> Delivery:
        """Fill in a dialog and send it.

        Args:
            user: Who.
            view: The dialog.
            text: What is typed into its field for a reason or comment.
            fields: What is typed or chosen elsewhere, by block id; the others stay as they are.
            tampering: How the request differs from an honest one.
        """
        return await self.deliver("interactive", self.submit_payload(user, view, text, fields or {}), tampering)

    def submit_payload(self, user: User, view: dict[str, Any], text: str, fields: dict[str, str]) -> dict[str, Any]:
        """What Slack tells of a submitted dialog."""
        values = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                element = block["element"]
                wanted = text if block["block_id"] == "reason" else fields.get(block["block_id"])
                values[block["block_id"]] = {element["action_id"]: _filled(element, wanted)}
        return {
            "type": "view_submission",
            **self._who(user),
            "api_app_id": self._slack.app_id,
            "trigger_id": self._slack.new_trigger(user.id),
            "response_urls": [],
            "view": {
                **{name: view[name] for name in ("id", "type", "callback_id", "private_metadata", "blocks", "title")},
                "team_id": self._slack.team_id,
                "state": {"values": values},
            },
        }

    async def command(self, user: User, text: str, *, tampering: Tampering = HONEST) -> Delivery:
        """Type ``/assent``."""
        channel = self._slack.channel
        payload = {
            "command": "/assent",
            "text": text,
            "team_id": tampering.team_id or user.team_id,
            "team_domain": "acme",
            "channel_id": channel.id,
            "channel_name": channel.name,
            "user_id": user.id,
            "user_name": user.name.lower(),
            "api_app_id": self._slack.app_id,
            "trigger_id": self._slack.new_trigger(user.id),
            "response_url": self._slack.new_response_url(user.id, channel.id),
        }
        return await self.deliver("slash_commands", payload, tampering)

    async def open_home(self, user: User) -> Delivery:
        """Look at the app's own page."""
        payload = {
            "type": "event_callback",
            "team_id": self._slack.team_id,
            "api_app_id": self._slack.app_id,
            "event_id": self._slack.numbers.new("Ev"),
            "event_time": int(time.time()),
            "authorizations": [{"team_id": self._slack.team_id, "user_id": self._slack.bot.id, "is_bot": True}],
            "event": {"type": "app_home_opened", "user": user.id, "tab": "home", "event_ts": f"{time.time():.6f}"},
        }
        return await self.deliver("events_api", payload, HONEST)

    async def press_home(self, user: User, action_id: str) -> Delivery:
        """Press a button of the app's own page."""
        block, button = _button(self._slack.homes[user.id], action_id)
        payload = {
            "type": "block_actions",
            **self._who(user),
            "api_app_id": self._slack.app_id,
            "container": {"type": "view"},
            "trigger_id": self._slack.new_trigger(user.id),
            "view": {"type": "home", "team_id": self._slack.team_id},
            "actions": [{**button, "block_id": block["block_id"], "action_ts": f"{time.time():.6f}"}],
        }
        return await self.deliver("interactive", payload, HONEST)

    async def event(self, kind: str, **more: Any) -> Delivery:
        """Something that Slack tells of."""
        payload = {
            "type": "event_callback",
            "team_id": self._slack.team_id,
            "api_app_id": self._slack.app_id,
            "event_id": self._slack.numbers.new("Ev"),
            "event_time": int(time.time()),
            "event": {"type": kind, **more},
        }
        return await self.deliver("events_api", payload, HONEST)

    async def deliver(self, kind: str, payload: dict[str, Any], tampering: Tampering = HONEST) -> Delivery:
        """Send a payload the way the app listens."""
        if tampering.team_id and "team" in payload:
            payload = payload | {"team": {"id": tampering.team_id, "domain": "other"}}
        if tampering.team_id and isinstance(payload.get("user"), dict):
            payload = payload | {"user": payload["user"] | {"team_id": tampering.team_id}}
        sending = self._by_http(kind, payload, tampering) if self.app_url else self._by_socket(kind, payload)
        delivery = await sending
        self.deliveries.append(delivery)
        return delivery

    def _who(self, user: User) -> dict[str, Any]:
        return {
            "user": {"id": user.id, "username": user.name.lower(), "name": user.name.lower(), "team_id": user.team_id},
            "team": {"id": self._slack.team_id, "domain": "acme"},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    async def _by_http(self, kind: str, payload: dict[str, Any], tampering: Tampering) -> Delivery:
        content_type = "application/x-www-form-urlencoded"
        match kind:
            case "interactive":
                body = urlencode({"payload": json.dumps(payload)})
            case "slash_commands":
                body = urlencode(payload)
            case _:
                body, content_type = json.dumps(payload), "application/json"
        stamp = self._stamp(body, tampering)
        signature = signed(tampering.secret or self._slack.signing_secret, stamp, body)
        if tampering.swap is not None:
            body = body.replace(*tampering.swap)
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp if tampering.stamp is None else tampering.stamp,
            "X-Slack-Signature": signature if tampering.signature is None else tampering.signature,
        }
        self._sent.append((body, headers))
        return await self._post(body, headers)

    def _stamp(self, body: str, tampering: Tampering) -> str:
        """When a request is signed; Slack never signs the same one twice at the same second."""
        used = {headers["X-Slack-Request-Timestamp"] for sent, headers in self._sent if sent == body}
        at = int(time.time() - tampering.age)
        while str(at) in used:
            at -= 1
        return str(at)

    async def replay(self) -> Delivery:
        """Send the last request once more, as somebody who recorded it could."""
        return await self._post(*self._sent[-1])

    async def _post(self, body: str, headers: dict[str, str]) -> Delivery:
        began = _given_time()
        async with aiohttp.ClientSession() as session, session.post(self.app_url, data=body, headers=headers) as answer:
            return Delivery(answer.status, await answer.text(), _given_time() - began)

    async def _by_socket(self, kind: str, payload: dict[str, Any]) -> Delivery:
        envelope = str(uuid.uuid4())
        waiting = asyncio.get_running_loop().create_future()
        self._slack.acknowledged[envelope] = waiting
        frame = {"envelope_id": envelope, "type": kind, "payload": payload, "accepts_response_payload": True}
        began = _given_time()
        await self._slack.sockets[-1].send_json(frame)
        try:
            answer = await asyncio.wait_for(waiting, _PATIENCE * DEADLINE_SECONDS)
        except TimeoutError:
            return Delivery(0, "", _given_time() - began)
        return Delivery(200, json.dumps(answer) if answer else "", _given_time() - began)


def _given_time() -> float:
    """Seconds, without those in which this thread could have run and the machine let others run instead."""
    try:
        waited = int(Path("/proc/thread-self/schedstat").read_text("ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        waited = 0.0
    return time.monotonic() - waited


def signed(secret: str, stamp: str, body: str) -> str:
    """Slack's signature, version 0."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()


def _filled(element: dict[str, Any], wanted: str | None) -> dict[str, Any]:
    """What an input holds when a dialog is sent."""
    if element["type"] == "plain_text_input":
        text = element.get("initial_value", "") if wanted is None else wanted
        assert len(text) <= element["max_length"], "Slack's own dialog would not send this"
        return {"type": element["type"], "value": text or None}
    if element["type"] == "checkboxes":
        ticked = [option for option in element["options"] if option["value"] == wanted]
        return {"type": element["type"], "selected_options": ticked}
    chosen = element.get("initial_option")
    if wanted is not None:
        [chosen] = [option for option in element["options"] if wanted in {option["value"], option["text"]["text"]}]
    return {"type": element["type"], "selected_option": chosen}


def _button(message: Message, action_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    for block in message["blocks"]:
        for element in block.get("elements", []) if block["type"] == "actions" else []:
            if element["action_id"] == action_id:
                return block, element
    raise AssertionError(f"the message has no button {action_id}")

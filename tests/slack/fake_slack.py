"""A Slack on this machine: a server that keeps a workspace and refuses what Slack refuses.

It answers the Web API, response addresses and Socket Mode, and sends signed requests to the app (see
``fake_requests``). Everything it refuses is kept in ``refused``, so that a test can say that nothing was.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

from tests.slack.fake_methods import BY_APP_TOKEN, METHODS, WITHOUT_TOKEN, Arguments, Refused, check_content
from tests.slack.fake_state import Channel, Failure, Limit, Message, Numbers, SlackClock, User, Whisper

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5
SCOPES = [
    "chat:write",
    "commands",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "im:write",
    "im:history",
    "users:read",
    "users:read.email",
]


class FakeSlack:
    """A workspace with one channel, ``#approvals``, and the app in it; and other workspaces beside it."""

    app_id = "A0ASSENT"
    app_token = "xapp-fake"
    signing_secret = "fake-signing-secret"
    client_id = "111.222"
    client_secret = "fake-client-secret"

    def __init__(self, team_id: str = "T0ACME", beside: FakeSlack | None = None) -> None:
        self.team_id = team_id
        self.name = team_id.removeprefix("T0").title()
        mark = "" if beside is None else f"-{team_id.lower()}"
        self.bot_token = f"xoxb-fake{mark}"
        self.bot_id = f"B0ASSENT{mark.upper()}"
        self.url = ""
        self.clock: SlackClock = SlackClock() if beside is None else beside.clock
        self.numbers: Numbers = Numbers() if beside is None else beside.numbers
        self.others: dict[str, FakeSlack] = {}
        self.codes: dict[str, FakeSlack] = {}
        self.bot = User(f"U0BOT{mark.upper()}", "Assent", self.team_id, is_bot=True)
        self.users = {self.bot.id: self.bot}
        self.home_channel = "C0APPROVE" if beside is None else f"C0{self.name.upper()}"
        self.channels = {self.home_channel: Channel(self.home_channel, "approvals")}
        self.scopes = list(SCOPES)
        self.whispers: list[Whisper] = [] if beside is None else beside.whispers
        self.dialogs: dict[str, dict[str, Any]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, Arguments]] = []
        self.refused: list[tuple[str, dict[str, Any]]] = []
        self.arrivals: list[tuple[str, Message]] = []
        self.failures: dict[str, list[Failure]] = defaultdict(list)
        self.limits: dict[str, Limit] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.tickets: set[str] = set()
        self.sockets: list[web.WebSocketResponse] = []
        self.connected = asyncio.Event()
        self.acknowledged: dict[str, asyncio.Future[Any]] = {}
        self.heeds_client_ids = False
        self._triggers: dict[str, tuple[float, str]] = {}
        self._answers: dict[str, tuple[float, str, str, int]] = {} if beside is None else beside._answers
        self._ticks = 0

    @property
    def channel(self) -> Channel:
        """The channel that requests are posted to."""
        return self.channels[self.home_channel]

    @property
    def messages(self) -> list[Message]:
        """What is in it, oldest first, without what is in threads."""
        return [message for _, message in sorted(self.channel.messages.items()) if not message.get("thread_ts")]

    def thread(self, message: Message) -> list[Message]:
        """What answers a message in its thread, oldest first."""
        found = [
            (ts, reply)
            for channel in self.channels.values()
            for ts, reply in channel.messages.items()
            if reply.get("thread_ts") == message["ts"]
        ]
        return [reply for _, reply in sorted(found, key=lambda pair: pair[0])]

    def direct(self, user: User) -> list[Message]:
        """The direct messages of the app with somebody, oldest first, without what is in threads."""
        found = [channel for channel in self.channels.values() if channel.with_user == user.id]
        return [
            message
            for channel in found
            for _, message in sorted(channel.messages.items())
            if not message.get("thread_ts")
        ]

    def workspace(self, team_id: str) -> FakeSlack:
        """Another workspace of the same Slack, reached at the same address; the app is not installed there yet."""
        made = FakeSlack(team_id, beside=self)
        made.url = self.url
        self.others[made.bot_token] = made
        return made

    def new_code(self, workspace: FakeSlack) -> str:
        """What Slack gives to a browser whose user allowed the app in a workspace; good for one exchange."""
        code = self.numbers.new("code.")
        self.codes[code] = workspace
        return code

    @property
    def api_url(self) -> str:
        """What the app takes for Slack's address."""
        return f"{self.url}/api/"

    def user(self, name: str, *, team_id: str = "", email: str = "") -> User:
        """A new member."""
        user = User(self.numbers.new("U"), name, team_id or self.team_id, email)
        self.users[user.id] = user
        return user

    def fail(self, method: str, failure: Failure) -> None:
        """Let calls of a method fail."""
        self.failures[method].append(failure)

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(name == method for name, _ in self.calls)

    def timestamp(self) -> str:
        """A message's timestamp, unlike every other."""
        self._ticks += 1
        return f"{int(self.clock.now())}.{self._ticks:06d}"

    def new_trigger(self, user: str) -> str:
        """What lets an app open one dialog within three seconds of a click."""
        trigger = self.numbers.new("trigger.")
        self._triggers[trigger] = (self.clock.now(), user)
        return trigger

    def use_trigger(self, trigger: str) -> str:
        """Spend a trigger; gives the user."""
        if trigger not in self._triggers:
            raise Refused("invalid_trigger_id")
        at, user = self._triggers.pop(trigger)
        if self.clock.now() - at > TRIGGER_SECONDS:
            raise Refused("expired_trigger_id")
        return user

    def new_response_url(self, user: str, channel: str) -> str:
        """An address that answers one click, five times within half an hour."""
        name = self.numbers.new("R")
        self._answers[name] = (self.clock.now(), user, channel, 0)
        return f"{self.url}/response/{name}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeSlack]:
        """Serve on a free port of this machine while the block runs."""
        served = web.Application(client_max_size=10 * 1024 * 1024)
        served.add_routes(
            [
                web.post("/api/{method}", self._call),
                web.get("/api/{method}", self._call),
                web.post("/response/{name}", self._respond),
                web.get("/link", self._link),
            ]
        )
        runner = web.AppRunner(served, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            for socket in self.sockets:
                await socket.close()
            await runner.cleanup()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        given = await _arguments(request)
        self.calls.append((name, given))
        if name in self.gates:
            await self.gates[name].wait()
        failure = self._failure(name)
        if failure is not None and not failure.done:
            return self._failed(request, name, failure)
        workspace = self._whose(request)
        if name in WITHOUT_TOKEN:
            given |= _credentials(request)
        limit = workspace.limits.get(name)
        if limit is not None and (pause := limit.wait(self.clock.now())):
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(pause)}
            )
        try:
            answer = self._answer(request, workspace, name, given)
        except Refused as refusal:
            self.refused.append((name, refusal.answer))
            answer = refusal.answer
        if failure is not None:
            return self._failed(request, name, failure)
        return web.json_response(answer, headers={"x-oauth-scopes": ",".join(workspace.scopes)})

    def _whose(self, request: web.Request) -> FakeSlack:
        """The workspace of the token that a call carries."""
        return self.others.get(request.headers.get("Authorization", "").removeprefix("Bearer "), self)

    def _answer(self, request: web.Request, workspace: FakeSlack, name: str, given: Arguments) -> dict[str, Any]:
        method = METHODS.get(name)
        if method is None:
            raise Refused("unknown_method")
        if name not in WITHOUT_TOKEN:
            expected = self.app_token if name in BY_APP_TOKEN else workspace.bot_token
            if request.headers.get("Authorization") != f"Bearer {expected}":
                raise Refused("invalid_auth")
        if method.scopes and not method.scopes & set(workspace.scopes):
            raise Refused("missing_scope", needed=",".join(method.scopes), provided=",".join(workspace.scopes))
        if unknown := given.keys() - method.known:
            raise Refused("invalid_arguments", response_metadata={"messages": [f"unknown: {sorted(unknown)}"]})
        return {"ok": True, "a_field_of_tomorrow": {"x": 1}, **method.run(workspace, given)}

    def _failure(self, name: str) -> Failure | None:
        waiting = self.failures.get(name) or self.failures.get("*") or []
        if not waiting:
            return None
        waiting[0].times -= 1
        return waiting[0] if waiting[0].times > 0 else waiting.pop(0)

    def _failed(self, request: web.Request, name: str, failure: Failure) -> web.StreamResponse:
        if failure.cut:
            assert request.transport is not None
            request.transport.abort()
        if failure.error:
            return web.json_response({"ok": False, "error": failure.error})
        return web.Response(status=failure.status or 500)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        given = await request.json()
        at, user, channel, uses = self._answers.get(name, (0.0, "", "", RESPONSE_USES))
        if self.clock.now() - at > RESPONSE_SECONDS or uses >= RESPONSE_USES:
            return web.Response(status=404, text="expired_url")
        self._answers[name] = (at, user, channel, uses + 1)
        try:
            check_content(given)
        except Refused as refusal:
            self.refused.append(("response_url", refusal.answer))
            return web.Response(status=400, text=refusal.answer["error"])
        assert given["response_type"] == "ephemeral"
        self.whispers.append(
            Whisper(user, channel, {"text": given.get("text", ""), "blocks": given.get("blocks") or []})
        )
        return web.Response(text="ok")

    async def _link(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("ticket") not in self.tickets:
            return web.Response(status=403)
        self.tickets.discard(request.query["ticket"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        self.connected.set()
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": self.app_id}})
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    answer = json.loads(frame.data)
                    waiting = self.acknowledged.pop(answer["envelope_id"], None)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(answer.get("payload"))
        finally:
            self.sockets.remove(socket)
        return socket


def _credentials(request: web.Request) -> Arguments:
    """Id and secret of an app that says who it is without a token."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return {}
    client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    return {"client_id": client_id, "client_secret": secret}


async def _arguments(request: web.Request) -> Arguments:
    if request.content_type == "application/json":
        return dict(await request.json())
    given: Arguments = {**request.query, **await request.post()}
    for name in ("blocks", "view", "metadata"):
        if isinstance(given.get(name), str):
            given[name] = json.loads(given[name])
    return given

"""A Slack on this machine: a server that keeps a workspace and refuses what Slack refuses.

It answers the Web API, response addresses and Socket Mode, and sends signed requests to the app (see
``fake_requests``). Everything it refuses is kept in ``refused``, so that a test can say that nothing was.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

from tests.slack.fake_methods import BY_APP_TOKEN, METHODS, Arguments, Refused, check_content
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
    "users:read",
    "users:read.email",
]


class FakeSlack:
    """One workspace with one channel, ``#approvals``, and the app in it."""

    team_id = "T0ACME"
    app_id = "A0ASSENT"
    bot_id = "B0ASSENT"
    bot_token = "xoxb-fake"
    app_token = "xapp-fake"
    signing_secret = "fake-signing-secret"

    def __init__(self) -> None:
        self.url = ""
        self.clock = SlackClock()
        self.numbers = Numbers()
        self.bot = User("U0BOT", "Assent", self.team_id, is_bot=True)
        self.users = {self.bot.id: self.bot}
        self.channels = {"C0APPROVE": Channel("C0APPROVE", "approvals")}
        self.scopes = list(SCOPES)
        self.whispers: list[Whisper] = []
        self.dialogs: dict[str, dict[str, Any]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, Arguments]] = []
        self.refused: list[tuple[str, dict[str, Any]]] = []
        self.failures: dict[str, list[Failure]] = defaultdict(list)
        self.limits: dict[str, Limit] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.tickets: set[str] = set()
        self.sockets: list[web.WebSocketResponse] = []
        self.connected = asyncio.Event()
        self.acknowledged: dict[str, asyncio.Future[Any]] = {}
        self.heeds_client_ids = False
        self._triggers: dict[str, tuple[float, str]] = {}
        self._answers: dict[str, tuple[float, str, str, int]] = {}
        self._ticks = 0

    @property
    def channel(self) -> Channel:
        """The channel that requests are posted to."""
        return self.channels["C0APPROVE"]

    @property
    def messages(self) -> list[Message]:
        """What is in it, oldest first."""
        return [message for _, message in sorted(self.channel.messages.items())]

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
        limit = self.limits.get(name)
        if limit is not None and (pause := limit.wait(self.clock.now())):
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(pause)}
            )
        try:
            answer = self._answer(request, name, given)
        except Refused as refusal:
            self.refused.append((name, refusal.answer))
            answer = refusal.answer
        if failure is not None:
            return self._failed(request, name, failure)
        return web.json_response(answer, headers={"x-oauth-scopes": ",".join(self.scopes)})

    def _answer(self, request: web.Request, name: str, given: Arguments) -> dict[str, Any]:
        method = METHODS.get(name)
        if method is None:
            raise Refused("unknown_method")
        expected = self.app_token if name in BY_APP_TOKEN else self.bot_token
        if request.headers.get("Authorization") != f"Bearer {expected}":
            raise Refused("invalid_auth")
        if method.scopes and not method.scopes & set(self.scopes):
            raise Refused("missing_scope", needed=",".join(method.scopes), provided=",".join(self.scopes))
        if unknown := given.keys() - method.known:
            raise Refused("invalid_arguments", response_metadata={"messages": [f"unknown: {sorted(unknown)}"]})
        return {"ok": True, **method.run(self, given)}

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


async def _arguments(request: web.Request) -> Arguments:
    if request.content_type == "application/json":
        return dict(await request.json())
    given: Arguments = {**request.query, **await request.post()}
    for name in ("blocks", "view", "metadata"):
        if isinstance(given.get(name), str):
            given[name] = json.loads(given[name])
    return given

"""HTTP mode: the addresses that Slack sends its requests to, and where the app is installed."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier

if TYPE_CHECKING:
    from assent_slack.installing import InstallFlow

PATH = "/slack/events"
INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"
HEALTH_PATH = "/healthz"

MAX_BYTES = 1024 * 1024
"""Bytes of a request; Slack's own are far smaller."""

SHUTDOWN_SECONDS = 5.0

NOT_SIGNED = "This request is not signed by Slack, or is too old."
REPLAYED = "This request was received before; it was not done again."
UNREADABLE = "This request cannot be read."

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_SIGNATURE_SECONDS = 660.0
"""How long a signature is remembered: longer than Slack's five minutes into either direction."""
_SIGNATURES = 100_000


class Seen:
    """Signatures that were used, so that a request that somebody recorded does nothing again."""

    def __init__(self) -> None:
        self._used: OrderedDict[str, float] = OrderedDict()

    def is_new(self, signature: str) -> bool:
        """Note a signature; false if it was noted before."""
        now = time.monotonic()
        while self._used and (
            now - next(iter(self._used.values())) > _SIGNATURE_SECONDS or len(self._used) >= _SIGNATURES
        ):
            self._used.popitem(last=False)
        return self._used.setdefault(signature, now) == now


def web_app(
    app: AsyncApp,
    signing_secret: str,
    *,
    install: InstallFlow | None = None,
    refused: Callable[[str], None] = lambda why: None,
) -> web.Application:
    """Serve a Bolt app: signed requests of Slack, and a page that says that the process is alive.

    Args:
        app: What answers.
        signing_secret: What Slack signs with.
        install: How other workspaces install the app, if they may.
        refused: Told of every request that is refused here; must not wait.
    """
    verifier = SignatureVerifier(signing_secret)
    seen = Seen()

    def refuse(status: int, why: str) -> web.StreamResponse:
        refused(why)
        return web.json_response({"error": why}, status=status)

    async def events(request: web.Request) -> web.StreamResponse:
        # Bolt verifies again; here, nothing of an unsigned request is parsed before.
        if not _is_signed(request, await request.read(), verifier):
            return refuse(401, NOT_SIGNED)
        if not seen.is_new(request.headers["X-Slack-Signature"]):
            return refuse(401, REPLAYED)
        try:
            asked = await to_bolt_request(request)
        except (ValueError, AttributeError):
            # Bolt takes every body for an object.
            return refuse(400, UNREADABLE)
        return await to_aiohttp_response(await app.async_dispatch(asked))

    async def health(_: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok"})

    served = web.Application(client_max_size=MAX_BYTES)
    served.add_routes([web.post(PATH, events), web.get(HEALTH_PATH, health)])
    if install is not None:
        served.add_routes(_installing(install))
    return served


@asynccontextmanager
async def serving(
    app: AsyncApp,
    *,
    signing_secret: str,
    host: str,
    port: int,
    install: InstallFlow | None = None,
    refused: Callable[[str], None] = lambda why: None,
) -> AsyncIterator[int]:
    """Serve while the block runs; requests under way are answered before it ends.

    Args:
        app: What answers.
        signing_secret: What Slack signs with.
        host: Network address to listen on.
        port: Port to listen on; 0 picks a free one.
        install: How other workspaces install the app, if they may.
        refused: Told of every request that is refused before anything of it is done; must not wait.

    Yields:
        The port.

    Raises:
        OSError: The port is taken.
    """
    served = web_app(app, signing_secret, install=install, refused=refused)
    runner = web.AppRunner(served, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _installing(install: InstallFlow) -> list[web.RouteDef]:
    async def begin(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await install.handle_installation(await to_bolt_request(request)))

    async def end(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await install.handle_callback(await to_bolt_request(request)))

    return [web.get(INSTALL_PATH, begin), web.get(REDIRECT_PATH, end)]


def _is_signed(request: web.Request, body: bytes, verifier: SignatureVerifier) -> bool:
    stamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not (_TIMESTAMP.fullmatch(stamp) and _SIGNATURE.fullmatch(signature)):
        return False
    try:
        return verifier.is_valid(body, stamp, signature)
    except UnicodeDecodeError:
        return False

"""HTTP mode: the address that Slack sends its requests to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier

PATH = "/slack/events"
HEALTH_PATH = "/healthz"

MAX_BYTES = 1024 * 1024
"""Bytes of a request; Slack's own are far smaller."""

SHUTDOWN_SECONDS = 5.0

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


def web_app(app: AsyncApp, signing_secret: str) -> web.Application:
    """Serve a Bolt app: signed requests of Slack, and a page that says that the process is alive."""
    verifier = SignatureVerifier(signing_secret)

    async def events(request: web.Request) -> web.StreamResponse:
        # Bolt verifies again; here, nothing of an unsigned request is parsed before.
        if not _is_signed(request, await request.read(), verifier):
            return web.json_response({"error": "This request is not signed by Slack, or is too old."}, status=401)
        try:
            asked = await to_bolt_request(request)
        except (ValueError, AttributeError):
            # Bolt takes every body for an object.
            return web.json_response({"error": "This request cannot be read."}, status=400)
        return await to_aiohttp_response(await app.async_dispatch(asked))

    async def health(_: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok"})

    served = web.Application(client_max_size=MAX_BYTES)
    served.add_routes([web.post(PATH, events), web.get(HEALTH_PATH, health)])
    return served


@asynccontextmanager
async def serving(app: AsyncApp, *, signing_secret: str, host: str, port: int) -> AsyncIterator[int]:
    """Serve while the block runs; requests under way are answered before it ends.

    Args:
        app: What answers.
        signing_secret: What Slack signs with.
        host: Network address to listen on.
        port: Port to listen on; 0 picks a free one.

    Yields:
        The port.

    Raises:
        OSError: The port is taken.
    """
    runner = web.AppRunner(web_app(app, signing_secret), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _is_signed(request: web.Request, body: bytes, verifier: SignatureVerifier) -> bool:
    stamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not (_TIMESTAMP.fullmatch(stamp) and _SIGNATURE.fullmatch(signature)):
        return False
    try:
        return verifier.is_valid(body, stamp, signature)
    except UnicodeDecodeError:
        return False

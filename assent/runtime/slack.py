"""The Slack process: brings requests to Slack and clicks back."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import aiohttp
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import Conflict, InvalidInput, NotSignedIn, Unavailable
from assent.gateway import Gateway
from assent.runtime.channels import channels_of
from assent.runtime.settings import Settings
from assent.runtime.slack_parts import Parts, compose
from assent.runtime.temporal.connect import connect
from assent.store.database import Database
from assent_slack import socket_mode, web
from assent_slack.app import build_app
from assent_slack.channels import find_channel
from assent_slack.notifier import CALL_TIMEOUT
from assent_slack.telling import FAILURES, why
from assent_slack.workspaces import Workspace, identify

log = logging.getLogger(__name__)

DEFAULT_PORT = 8485
"""Port of HTTP mode where no other is asked for."""

SLACK_URL = "https://slack.com/api/"

GRACE_SECONDS = 8.0
"""How long clicks that were acknowledged may take to be done with when the process is asked to end."""

RETRY_SECONDS = 5.0
"""Pause between attempts to reach Slack or Temporal at start."""

REFUSED_TOKENS = {
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
}

_T = TypeVar("_T")


class _Ended(Exception):
    """The process was asked to end while it still started."""


@dataclass(frozen=True, slots=True)
class _Access:
    """What the settings say about Slack; what is not set is empty."""

    bot_token: str
    app_token: str
    signing_secret: str
    channel: str


def main(settings: Settings, *, http_port: int | None = None) -> None:
    """Run the Slack process until SIGTERM or Ctrl-C.

    Args:
        settings: Socket Mode if they have an app-level token, else HTTP; with a client id and secret HTTP in any case,
            so that other workspaces can install the app.
        http_port: Serve HTTP on this port, and no Socket Mode.

    Raises:
        InvalidInput: Something that Slack needs is not set.
        NotSignedIn: Slack does not accept a token.
    """
    access = _access(settings, http_port)
    asyncio.run(_main(settings, access, http_port))


async def _main(settings: Settings, access: _Access, http_port: int | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(web_client(settings))
            configured = await _retry(stop, lambda: _look(client, access), "Slack") if access.bot_token else None
            database = Database(settings.database_url)
            stack.callback(database.close)
            gateway = Gateway(
                None, database, task_queue_prefix=settings.task_queue_prefix, channels=channels_of(settings)
            )
            parts = compose(settings, gateway, database, client, configured)
            await stack.enter_async_context(_task(_connect(settings, gateway, stop), stop, cancelled=True))
            await stack.enter_async_context(_task(parts.deps.workspaces.keep_fresh(stop), stop))
            await stack.enter_async_context(_task(parts.notifier.run(stop), stop))
            stack.callback(stop.set)
            stack.push_async_callback(parts.deps.work.drain, GRACE_SECONDS)
            app = build_app(parts.deps, client=client, signing_secret=access.signing_secret)
            await stack.enter_async_context(_way_in(app, parts, client, settings, access, http_port))
            await stop.wait()
            log.info("Slack ends.")
    except _Ended:
        log.info("Asked to end before everything was there.")


@asynccontextmanager
async def web_client(settings: Settings) -> AsyncIterator[AsyncWebClient]:
    """Calls to Slack with the bot token, if one is set, over connections that are kept."""
    token = _text(settings.slack_bot_token) or None
    base_url = settings.slack_base_url.rstrip("/") + "/" if settings.slack_base_url else SLACK_URL
    library_log = logging.getLogger("assent_slack.web_client")
    library_log.setLevel(logging.WARNING)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT.total_seconds())) as session:
        # Retries are the notifier's: the library's own would post a message twice.
        yield AsyncWebClient(token=token, base_url=base_url, session=session, retry_handlers=[], logger=library_log)


def _access(settings: Settings, http_port: int | None) -> _Access:
    access = _Access(
        bot_token=_text(settings.slack_bot_token),
        app_token="" if http_port is not None else _text(settings.slack_app_token),
        signing_secret=_text(settings.slack_signing_secret),
        channel=settings.slack_channel or "",
    )
    if not access.bot_token and not settings.slack_installable:
        raise InvalidInput(
            "Slack is not set up.", where="ASSENT_SLACK_BOT_TOKEN", todo="docs/slack.md shows how, in five minutes."
        )
    if access.bot_token and not access.channel:
        raise InvalidInput(
            "No Slack channel for approval requests is set.", where="ASSENT_SLACK_CHANNEL", todo="Set it to its id."
        )
    if not access.app_token and not access.signing_secret:
        raise InvalidInput(
            "There is no way for clicks to come in.",
            where="ASSENT_SLACK_APP_TOKEN, ASSENT_SLACK_SIGNING_SECRET",
            todo="Set the first for Socket Mode, the second for HTTP.",
        )
    return access


async def _look(client: AsyncWebClient, access: _Access) -> Workspace:
    """Ask Slack who we are and where requests go, so that what is wrong is told at start."""
    try:
        workspace = await identify(client)
        if access.app_token:
            await client.apps_connections_open(app_token=access.app_token)
        channel = await find_channel(client, access.channel)
    except SlackApiError as error:
        if why(error) not in REFUSED_TOKENS:
            raise
        raise NotSignedIn(
            f"Slack does not accept a token: {why(error)}.",
            where="ASSENT_SLACK_BOT_TOKEN, ASSENT_SLACK_APP_TOKEN",
            todo="`assent slack check` says which; install the app again and copy its tokens.",
        ) from error
    log.info("Slack: %s, requests go to #%s", workspace.name, channel.get("name"))
    return replace(workspace, channel_id=str(channel["id"]))


async def _connect(settings: Settings, gateway: Gateway, stop: asyncio.Event) -> None:
    """Give the gateway its connection to Temporal as soon as there is one; until then only pausing works."""
    gateway.client = await _retry(stop, lambda: connect(settings), "Temporal")
    log.info("Slack is ready.")


@asynccontextmanager
async def _way_in(
    app: AsyncApp, parts: Parts, client: AsyncWebClient, settings: Settings, access: _Access, http_port: int | None
) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        if access.app_token:
            listening = socket_mode.listening(app, client=client, app_token=access.app_token)
            await stack.enter_async_context(listening)
            log.info("Slack's requests come in by Socket Mode.")
        if not access.app_token or parts.install is not None:
            await stack.enter_async_context(_http(app, parts, settings, access, http_port))
        yield


@asynccontextmanager
async def _http(
    app: AsyncApp, parts: Parts, settings: Settings, access: _Access, http_port: int | None
) -> AsyncIterator[None]:
    port = DEFAULT_PORT if http_port is None else http_port
    async with AsyncExitStack() as stack:
        serving = web.serving(
            app,
            signing_secret=access.signing_secret,
            host=settings.web_host,
            port=port,
            install=parts.install,
            refused=parts.deps.refused,
        )
        try:
            served = await stack.enter_async_context(serving)
        except OSError as error:
            raise Conflict(
                f"Port {port} on {settings.web_host} cannot be listened on: {error.strerror}.",
                where="port",
                todo="Choose another: `assent slack --http 8486`.",
            ) from error
        log.info("Slack's requests come in at http://%s:%d%s", settings.web_host, served, web.PATH)
        if parts.install is not None:
            log.info("Workspaces install the app at %s%s", settings.slack_http_url, web.INSTALL_PATH)
        yield


async def _retry(stop: asyncio.Event, attempt: Callable[[], Awaitable[_T]], what: str) -> _T:
    """Try until it works or the process is asked to end.

    Raises:
        _Ended: The process was asked to end.
    """
    while not stop.is_set():
        try:
            return await attempt()
        except Unavailable as error:
            log.warning("Waiting for %s: %s", what, error)
        except FAILURES as error:
            log.warning("Waiting for %s: %s", what, why(error))
        try:
            await asyncio.wait_for(stop.wait(), RETRY_SECONDS)
        except TimeoutError:
            continue
    raise _Ended


@asynccontextmanager
async def _task(work: Awaitable[None], stop: asyncio.Event, *, cancelled: bool = False) -> AsyncIterator[None]:
    """Let work go on while the block runs, and wait for its end after it; what it fails with ends the process."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda ended: None if ended.cancelled() or ended.exception() is None else stop.set())
    try:
        yield
    finally:
        if cancelled:
            task.cancel()
        with suppress(asyncio.CancelledError, _Ended):
            await task


def _text(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()

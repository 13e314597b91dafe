"""The web server: starts whatever is down, says so, and picks up what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import FrameType

import uvicorn
from fastapi import FastAPI

from assent.domain.errors import AssentError, Unavailable
from assent.gateway import Gateway
from assent.runtime.card_desk import Desk
from assent.runtime.channels import channels_of
from assent.runtime.delivering import delivering
from assent.runtime.secrets import signing_key
from assent.runtime.settings import Settings
from assent.runtime.temporal.connect import connect
from assent.store.database import Database
from assent_ui.app import create_app
from assent_ui.deps import Deps
from assent_ui.identity.openid_source import OpenIdSettings

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=8)
"""How long requests under way may take when the server is asked to end."""

RETRY_SECONDS = 2.0
"""Pause between attempts to reach Temporal."""


def main(settings: Settings) -> None:
    """Serve pages and API until SIGTERM or Ctrl-C.

    Raises:
        Unavailable: The address cannot be listened on, or the signing key cannot be read or made.
    """
    database = Database(settings.database_url)
    try:
        asyncio.run(serve(settings, database))
    finally:
        database.close()


async def serve(settings: Settings, database: Database) -> None:
    """Serve until asked to end.

    Raises:
        Unavailable: The address cannot be listened on, or the signing key cannot be read or made.
    """
    gateway = Gateway(None, database, task_queue_prefix=settings.task_queue_prefix, channels=channels_of(settings))
    app = build(settings, gateway, database)
    config = uvicorn.Config(
        app,
        host=settings.web_host,
        port=settings.web_port,
        log_config=None,
        # Sign-in links are addresses: they must not end up in a log.
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=int(GRACE.total_seconds()),
        lifespan="on",
    )
    server = _Server(config, app.state.deps)
    async with _connecting(settings, gateway), delivering(settings, database):
        await _listen(server, settings)


def build(settings: Settings, gateway: Gateway, database: Database) -> FastAPI:
    """The application of these settings."""
    return create_app(
        gateway,
        database,
        public_url=settings.public_url,
        secret_key=signing_key(settings),
        temporal_ui_url=settings.temporal_ui_url,
        temporal_namespace=settings.temporal_profile().get("namespace", settings.temporal_namespace),
        openid=_openid(settings),
        cards=Desk(settings, database),
        slack_install_url=f"{settings.slack_http_url}/slack/install?link=" if settings.slack_installable else "",
        webhooks_internal=settings.webhooks_internal,
    )


def _openid(settings: Settings) -> OpenIdSettings | None:
    if not settings.oidc_issuer:
        return None
    return OpenIdSettings(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else "",
        name=settings.oidc_name,
        create_people=settings.oidc_create_people,
    )


class _Server(uvicorn.Server):
    """Lets streams and waits end when it is asked to: they would keep it waiting otherwise."""

    def __init__(self, config: uvicorn.Config, deps: Deps) -> None:
        super().__init__(config)
        self._deps = deps

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal asks the server to end; a second one, to end at once.

        Unlike uvicorn's own, it does not raise the signal again afterwards: an end that was asked for is no failure.
        """
        self._deps.watch.close()
        self._deps.gateway.stop_waiting()
        self.force_exit = self.should_exit
        self.should_exit = True


async def _listen(server: _Server, settings: Settings) -> None:
    try:
        await server.serve()
    except SystemExit as ended:
        # Uvicorn ends the process itself when it cannot listen; it has logged why.
        raise Unavailable(
            f"The web server could not start on {settings.web_host}:{settings.web_port}.",
            where="ASSENT_WEB_PORT",
            todo="Is something else listening there? Choose another port.",
        ) from ended
    if not server.started:
        raise Unavailable("The web server could not start.", where="web", todo="The log above says why.")


@asynccontextmanager
async def _connecting(settings: Settings, gateway: Gateway) -> AsyncIterator[None]:
    """Connect to Temporal beside everything else, for as long as it takes."""
    task = asyncio.create_task(_connect(settings, gateway))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _connect(settings: Settings, gateway: Gateway) -> None:
    told = ""
    while gateway.client is None:
        try:
            gateway.client = await connect(settings, patience=timedelta(0))
        except AssentError as error:
            if str(error) != told:
                log.warning("Pages work, runs do not move yet: %s", error)
                told = str(error)
            await asyncio.sleep(RETRY_SECONDS)
    log.info("Connected to Temporal.")

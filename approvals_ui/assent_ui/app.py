"""The web application: pages for people, an API for agents and people, live updates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment

from assent import __version__
from assent.domain.clock import Clock
from assent.gateway import Gateway, utc_now
from assent.store.database import Database
from assent.store.mail_links import MailLinks
from assent.store.refusals import Refusals
from assent.store.sealing import Sealer
from assent.store.sign_in import SignIn
from assent.store.slack_tickets import Tickets
from assent.store.webhooks import SEALED_FOR
from assent_ui import failures, health
from assent_ui.api.router import router as api_router
from assent_ui.card_desk import CardDesk
from assent_ui.deps import Deps
from assent_ui.guards import BodyLimit, KnownHost, SecurityHeaders, require_no_nul
from assent_ui.identity.openid import OpenIdProvider
from assent_ui.identity.openid_source import OpenIdSettings
from assent_ui.identity.proving import passkey_site
from assent_ui.looks import Looks
from assent_ui.owners import RunOwners
from assent_ui.pages import router as pages_router
from assent_ui.readiness import Readiness
from assent_ui.rendering.environment import STATIC, build_environment
from assent_ui.slack_desk import SlackDesk
from assent_ui.watch import LedgerWatch

# Every route, once for the process: FastAPI works out what each of them depends on when the first request comes, and
# that takes longer than anything else in building an application.
_ROUTES = APIRouter(dependencies=[Depends(require_no_nul)])
for _part in (health.router, api_router, pages_router):
    _ROUTES.include_router(_part)


def create_app(
    gateway: Gateway,
    database: Database,
    *,
    public_url: str,
    secret_key: str,
    temporal_ui_url: str | None = None,
    temporal_namespace: str = "default",
    clock: Clock = utc_now,
    templates: Environment | None = None,
    openid: OpenIdSettings | None = None,
    cards: CardDesk | None = None,
    slack_install_url: str = "",
    webhooks_internal: bool = False,
) -> FastAPI:
    """Build the application.

    Args:
        gateway: Where runs, decisions, pauses and rollbacks go; its client may be connected later.
        database: Assent's database.
        public_url: Address under which people reach the pages.
        secret_key: Signs sessions and sign-in links, 32 characters or more.
        temporal_ui_url: Address of Temporal's own page, if it is known.
        temporal_namespace: The Temporal namespace that holds the runs.
        clock: The time.
        templates: The pages' templates; made here unless given.
        openid: The OpenID provider that people may sign in with, if there is one.
        cards: Publishes cards, if there is something to check them against.
        slack_install_url: Where a Slack workspace installs the app, if it can; a ticket is appended.
        webhooks_internal: Webhooks may go to private networks, and by ``http``.
    """
    deps = Deps(
        gateway=gateway,
        database=database,
        clock=clock,
        sign_in=SignIn(secret_key),
        looks=Looks(secret_key),
        refusals=Refusals(database, clock),
        watch=LedgerWatch(database),
        readiness=Readiness(gateway, database),
        owners=RunOwners(),
        public_url=public_url.rstrip("/"),
        templates=templates or build_environment(clock),
        temporal_ui_url=temporal_ui_url,
        temporal_namespace=temporal_namespace,
        passkeys=passkey_site(public_url),
        openid=OpenIdProvider(openid, public_url=public_url.rstrip("/"), clock=clock) if openid else None,
        cards=cards,
        slack=SlackDesk(Tickets(secret_key), slack_install_url),
        mail_links=MailLinks(secret_key),
        webhook_sealer=Sealer(secret_key, SEALED_FOR),
        channels=gateway.channels,
        webhooks_internal=webhooks_internal,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        deps.watch.close()

    app = FastAPI(
        title="Assent",
        version=__version__,
        summary="AI agents act as durable workflows, with people in control.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
        routes=_ROUTES.routes,
    )
    app.state.deps = deps
    failures.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(KnownHost, public_url=deps.public_url)
    app.add_middleware(SecurityHeaders, secure=deps.secure)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app

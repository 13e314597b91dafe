"""What the whole web application has at hand, composed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

import anyio.to_thread
from fastapi import Depends, Request
from jinja2 import Environment
from sqlalchemy.orm import Session

from assent.domain.clock import Clock
from assent.gateway import Gateway
from assent.store.database import Database
from assent.store.mail_links import MailLinks
from assent.store.passkey_answers import PasskeySite
from assent.store.refusals import Refusals
from assent.store.sealing import Sealer
from assent.store.sign_in import SignIn
from assent_ui.card_desk import CardDesk
from assent_ui.identity.openid import OpenIdProvider
from assent_ui.looks import Looks
from assent_ui.owners import RunOwners
from assent_ui.readiness import Readiness
from assent_ui.slack_desk import SlackDesk
from assent_ui.watch import LedgerWatch

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Deps:
    """The parts of the web application; at ``app.state.deps``.

    Attributes:
        gateway: Where runs, decisions, pauses and rollbacks go.
        database: Assent's database.
        clock: The time.
        sign_in: Makes and checks sign-in links and sessions.
        looks: Notes of when a request was put in front of somebody.
        refusals: Records refused sign-ins and keys.
        watch: What is new in the ledger, read once for all who watch.
        readiness: Whether the other parts answer.
        owners: Whose run is whose.
        public_url: Address under which people reach the pages, without a slash at its end.
        templates: The pages' templates.
        temporal_ui_url: Address of Temporal's own page; ``None`` if it is not known.
        temporal_namespace: The Temporal namespace that holds the runs.
        passkeys: Where passkeys are good; ``None`` where browsers allow none.
        openid: The OpenID provider, if one is configured.
        cards: Publishes cards; ``None`` where no connector is at hand.
        slack: What the pages about Slack work with.
        mail_links: Makes and checks the links in mails.
        webhook_sealer: Seals the secrets of webhooks.
        channels: The ways that this installation tells people by.
        webhooks_internal: Webhooks may go to private networks, and by ``http``.
    """

    gateway: Gateway
    database: Database
    clock: Clock
    sign_in: SignIn
    looks: Looks
    refusals: Refusals
    watch: LedgerWatch
    readiness: Readiness
    owners: RunOwners
    public_url: str
    templates: Environment
    slack: SlackDesk
    mail_links: MailLinks
    webhook_sealer: Sealer
    channels: tuple[str, ...] = ()
    webhooks_internal: bool = False
    temporal_ui_url: str | None = None
    temporal_namespace: str = "default"
    passkeys: PasskeySite | None = None
    openid: OpenIdProvider | None = None
    cards: CardDesk | None = None

    @property
    def secure(self) -> bool:
        """Whether people come by HTTPS."""
        return self.public_url.startswith("https:")

    async def read(self, work: Callable[[Session], _T]) -> _T:
        """Read the database in a thread, so that waiting for it holds up nobody else.

        Raises:
            Unavailable: The database cannot be reached.
        """

        def in_session() -> _T:
            with self.database.read() as session:
                return work(session)

        return await anyio.to_thread.run_sync(in_session)

    async def write(self, work: Callable[[Session], _T]) -> _T:
        """Write the database in a thread, in one transaction.

        Raises:
            Unavailable: The database cannot be reached.
        """

        def in_transaction() -> _T:
            with self.database.write() as session:
                return work(session)

        return await anyio.to_thread.run_sync(in_transaction)


def deps_of(request: Request) -> Deps:
    """The application's parts."""
    deps: Deps = request.app.state.deps
    return deps


DepsHere = Annotated[Deps, Depends(deps_of)]
"""Type of a parameter that is given the application's parts."""

"""The parts of the Slack process, put together."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from assent.gateway import Gateway, utc_now
from assent.runtime.secrets import signing_key
from assent.runtime.settings import Settings
from assent.store.database import Database
from assent.store.refusals import Refusals
from assent.store.sealing import Sealer
from assent.store.slack_tickets import Tickets
from assent_slack.accounts import Accounts
from assent_slack.dependencies import Dependencies
from assent_slack.homes import Homes
from assent_slack.installations import SEALED_FOR, InstallationStore, StateStore
from assent_slack.installing import InstallFlow
from assent_slack.links import Links
from assent_slack.notifier import Notifier
from assent_slack.pacing import Pacer
from assent_slack.people import People
from assent_slack.posting import Posting
from assent_slack.recipients import Recipients
from assent_slack.workspaces import Workspace, Workspaces


@dataclass(frozen=True, slots=True)
class Parts:
    """The Slack process without its ways in.

    Attributes:
        deps: What listeners work with.
        notifier: What delivers.
        install: How other workspaces install the app; ``None`` if they may not.
    """

    deps: Dependencies
    notifier: Notifier
    install: InstallFlow | None


def compose(
    settings: Settings, gateway: Gateway, database: Database, client: AsyncWebClient, configured: Workspace | None
) -> Parts:
    """Put the parts together.

    Args:
        settings: Of the process.
        gateway: Where decisions go.
        database: Assent's database.
        client: The connection to Slack.
        configured: The workspace of the token in the settings, if there is one.
    """
    key = signing_key(settings)
    tickets = Tickets(key)
    installations = InstallationStore(database, Sealer(key, SEALED_FOR), utc_now)
    workspaces = Workspaces(configured, installations.workspaces)
    people = People(database, workspaces, Accounts(client), utc_now, by_email=settings.slack_link_by_email)
    links = Links(settings.public_url)
    posting = Posting(client, Pacer(utc_now), utc_now)
    homes = Homes(posting, workspaces, database, links, utc_now)
    recipients = Recipients(workspaces, people, posting, database, links, utc_now)
    deps = Dependencies(
        gateway=gateway,
        database=database,
        workspaces=workspaces,
        people=people,
        homes=homes,
        posting=posting,
        links=links,
        tickets=tickets,
        installations=installations,
        refusals=Refusals(database, utc_now),
        clock=utc_now,
    )
    hourly = settings.slack_direct_hourly
    notifier = Notifier(posting, recipients, homes, database, links, utc_now, hourly=hourly)
    install = _install(settings, client, installations, StateStore(database, tickets, utc_now), workspaces)
    return Parts(deps, notifier, install)


def _install(
    settings: Settings,
    client: AsyncWebClient,
    installations: InstallationStore,
    states: StateStore,
    workspaces: Workspaces,
) -> InstallFlow | None:
    if settings.slack_client_id is None or settings.slack_client_secret is None or not settings.slack_installable:
        return None
    return InstallFlow(
        client,
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret.get_secret_value(),
        public_url=settings.slack_http_url,
        installations=installations,
        states=states,
        workspaces=workspaces,
    )

"""What sets Slack up and looks after it: the parts behind the commands of ``assent slack``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import InvalidInput, NotFound, Unavailable
from assent.gateway import utc_now
from assent.runtime.secrets import signing_key
from assent.runtime.settings import Settings
from assent.runtime.slack import web_client
from assent.store import outbox, slack_people, slack_workspaces
from assent.store.database import Database
from assent.store.outbox import Backlog, Notification
from assent.store.people import Person, named
from assent.store.queries.paging import PageRequest
from assent.store.sealing import Sealer
from assent.store.slack_people import How
from assent.store.slack_tickets import Purpose, Ticket, Tickets
from assent.store.slack_workspaces import Installed
from assent_slack import people
from assent_slack.accounts import Account, Accounts
from assent_slack.channels import find_channel
from assent_slack.check import Configured, Finding, check
from assent_slack.delivery import CHANNEL
from assent_slack.installations import AT_THE_COMMAND_LINE, SEALED_FOR, InstallationStore
from assent_slack.installing import LINK
from assent_slack.telling import FAILURES, why
from assent_slack.web import INSTALL_PATH
from assent_slack.workspaces import Workspace, Workspaces, client_of, identify

_T = TypeVar("_T")


def examine(settings: Settings) -> list[Finding]:
    """Verify tokens, scopes, ways in and channels with Slack.

    Raises:
        InvalidInput: Nothing of Slack is set.
    """
    _require_any(settings)
    app_token, secret = settings.slack_app_token, settings.slack_signing_secret
    configured = Configured(
        bot_token=settings.slack_bot_token is not None,
        app_token=app_token.get_secret_value() if app_token else "",
        signing_secret=secret.get_secret_value() if secret else "",
        channel=settings.slack_channel or "",
        installable=settings.slack_installable,
    )
    installed = _installed(settings) if settings.slack_installable else []

    async def look(client: AsyncWebClient) -> list[Finding]:
        return [finding async for finding in check(client, configured, installed)]

    return _ask_slack(settings, look)


def link(settings: Settings, email: str, user: str | None) -> tuple[Person, str]:
    """Say which Slack user a person is.

    Args:
        settings: For the database and the tokens.
        email: Address of the person in Assent.
        user: Their Slack user id, ``U123`` or ``T123/U123``; ``None`` for the Slack user with the same address.

    Returns:
        The person, and what Slack calls them.

    Raises:
        NotFound: There is no such person or no such Slack user.
        InvalidInput: That is no user id.
        Forbidden: The user is a bot or a guest, was deactivated, or is of another workspace.
        Conflict: The Slack user is somebody else.
        Unavailable: Slack or the database is away.
    """
    _require_any(settings)
    with _database(settings) as database:
        with database.read() as session:
            person = named(session, email)
        account, home = _ask_slack(settings, lambda client: _find_user(settings, client, email, user))
        with database.write() as session:
            slack_people.link(
                session,
                person,
                team_id=account.team_id,
                user_id=account.user_id,
                how=How.COMMAND,
                at=utc_now(),
                by=AT_THE_COMMAND_LINE,
                home=home,
            )
            return named(session, email), account.name


def link_code(settings: Settings, email: str) -> str:
    """A code that links whoever types it in Slack to a person, once, for minutes.

    Raises:
        NotFound: There is no such person.
    """
    with _database(settings) as database, database.write() as session:
        person = named(session, email)
        tickets = Tickets(signing_key(settings))
        return tickets.make(session, Ticket(Purpose.TYPED_IN_SLACK, person.id), at=utc_now())


def unlink(settings: Settings, email: str) -> Person:
    """Take a person's Slack users away.

    Raises:
        NotFound: There is no such person.
    """
    with _database(settings) as database, database.write() as session:
        slack_people.unlink(session, named(session, email), at=utc_now(), by=AT_THE_COMMAND_LINE)
        return named(session, email)


def install_link(settings: Settings) -> str:
    """An address where somebody installs the app in a workspace, once, for minutes.

    Raises:
        InvalidInput: What installing needs is not set.
    """
    if not settings.slack_installable:
        raise InvalidInput(
            "Other workspaces cannot install the app.",
            where="ASSENT_SLACK_CLIENT_ID, ASSENT_SLACK_CLIENT_SECRET, ASSENT_SLACK_SIGNING_SECRET",
            todo="Set all three (Basic Information of the app), and ASSENT_SLACK_HTTP_URL if it is not the public URL.",
        )
    with _database(settings) as database, database.write() as session:
        code = Tickets(signing_key(settings)).make(session, Ticket(Purpose.INSTALL), at=utc_now())
    return f"{settings.slack_http_url}{INSTALL_PATH}?{LINK}={code}"


def workspaces(settings: Settings) -> Sequence[Installed]:
    """Workspaces that installed the app."""
    with _database(settings) as database, database.read() as session:
        return slack_workspaces.every(session)


def set_channel(settings: Settings, team_id: str, channel: str) -> Installed:
    """Say where requests are posted in a workspace that installed the app.

    Raises:
        NotFound: The app is not installed there, or there is no such channel.
        InvalidInput: The app is not in it, or it is archived.
        Unavailable: Slack or the database is away.
    """
    workspace = next((one for one in _installed(settings) if one.team_id == team_id), None)
    if workspace is None:
        raise NotFound(
            f"Assent is not installed in the Slack workspace {team_id}.",
            where="workspace",
            todo="`assent slack workspaces` lists those it is installed in.",
        )
    found = _ask_slack(settings, lambda client: find_channel(client_of(client, workspace), channel))
    name = str(found.get("name", channel))
    if not found.get("is_member"):
        raise InvalidInput(f"The app is not in #{name}.", where="channel", todo="Invite it: /invite @Assent.")
    with _database(settings) as database, database.write() as session:
        return slack_workspaces.set_channel(
            session, team_id, channel_id=str(found["id"]), channel_name=name, at=utc_now(), by=AT_THE_COMMAND_LINE
        )


def remove(settings: Settings, team_id: str) -> bool:
    """Throw a workspace's token away; false if the app was not installed there."""
    with _database(settings) as database, database.write() as session:
        why = "It was removed at the command line."
        return slack_workspaces.remove(session, team_id, at=utc_now(), by=AT_THE_COMMAND_LINE, why=why)


def waiting(settings: Settings, limit: int) -> Sequence[Notification]:
    """Messages that are still to be posted or updated, soonest due first."""
    with _database(settings) as database, database.read() as session:
        return outbox.queue(session, CHANNEL, request=PageRequest(limit=limit)).items


def backlog(settings: Settings) -> Backlog:
    """How much is still to be posted or updated, since when, and what went wrong last."""
    with _database(settings) as database, database.read() as session:
        return outbox.backlog(session, CHANNEL)


def hurry(settings: Settings) -> int:
    """Make what failed due at once; returns how many."""
    with _database(settings) as database, database.write() as session:
        return outbox.hurry(session, CHANNEL, at=utc_now())


def _ask_slack(settings: Settings, question: Callable[[AsyncWebClient], Awaitable[_T]]) -> _T:
    async def ask() -> _T:
        async with web_client(settings) as client:
            return await question(client)

    try:
        return asyncio.run(ask())
    except FAILURES as error:
        raise Unavailable(
            f"Slack does not answer: {why(error)}.", where="Slack", todo="`assent slack check` tells more."
        ) from error


async def _find_user(settings: Settings, client: AsyncWebClient, email: str, user: str | None) -> tuple[Account, str]:
    """The account, of a kind that may be linked, and the id of the workspace of the configured token."""
    configured = await identify(client) if settings.slack_bot_token is not None else None
    known = Workspaces(configured, lambda: _installed(settings) if settings.slack_installable else ())
    await known.refresh()
    account = await _account(known, Accounts(client), email, user)
    account.require()
    return account, known.home


async def _account(known: Workspaces, accounts: Accounts, email: str, user: str | None) -> Account:
    first = next(iter(known), None)
    team_id, user_id = people.parse_user(user, known.home or (first.team_id if first else "")) if user else ("", "")
    for workspace in known:
        if user is not None and workspace.team_id != team_id:
            continue
        try:
            return await (accounts.look(workspace, user_id) if user else accounts.with_address(workspace, email))
        except NotFound:
            continue
    raise NotFound(
        f"Slack knows no user {user or email}.", where="slack_user", todo="Name them: `assent slack link EMAIL U123`."
    )


def _installed(settings: Settings) -> list[Workspace]:
    with _database(settings) as database:
        store = InstallationStore(database, Sealer(signing_key(settings), SEALED_FOR), utc_now)
        return list(store.workspaces())


def _require_any(settings: Settings) -> None:
    if settings.slack_bot_token is None and not settings.slack_installable:
        raise InvalidInput(
            "Slack is not set up.", where="ASSENT_SLACK_BOT_TOKEN", todo="docs/slack.md shows how, in five minutes."
        )


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.close()

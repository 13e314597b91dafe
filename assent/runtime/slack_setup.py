"""What sets Slack up and looks after it: the parts behind the commands of ``assent slack``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from assent.domain.errors import AssentError, InvalidInput, NotFound, Unavailable
from assent.domain.people import SYSTEM, Actor, Via
from assent.gateway import utc_now
from assent.runtime.settings import Settings
from assent.runtime.slack import web_client
from assent.store import outbox
from assent.store.database import Database
from assent.store.outbox import Notification
from assent.store.people import Person, named
from assent.store.queries.paging import PageRequest
from assent_slack import people
from assent_slack.check import Configured, Finding, check
from assent_slack.notifier import CHANNEL
from assent_slack.telling import FAILURES, why
from assent_slack.workspaces import identify

AT_THE_COMMAND_LINE = Actor(id=SYSTEM.id, name="the command line", via=Via.CLI)

_T = TypeVar("_T")


def examine(settings: Settings) -> list[Finding]:
    """Verify token, scopes, way in and channel with Slack.

    Raises:
        InvalidInput: No bot token is set.
    """
    app_token, secret = settings.slack_app_token, settings.slack_signing_secret
    configured = Configured(
        app_token=app_token.get_secret_value() if app_token else "",
        signing_secret=secret.get_secret_value() if secret else "",
        channel=settings.slack_channel or "",
    )

    async def look(client: AsyncWebClient) -> list[Finding]:
        return [finding async for finding in check(client, configured)]

    return _ask_slack(settings, look)


def link(settings: Settings, email: str, user: str | None) -> tuple[Person, str]:
    """Say which Slack user a person is.

    Args:
        settings: For the database and the bot token.
        email: Address of the person in Assent.
        user: Their Slack user id; ``None`` for the Slack user with the same address.

    Returns:
        The person, and what Slack calls them.

    Raises:
        NotFound: There is no such person or no such Slack user.
        InvalidInput: That is no user id, or the user is a bot or was deactivated.
        Conflict: The Slack user is somebody else.
        Unavailable: Slack or the database is away.
    """
    with _database(settings) as database:
        with database.read() as session:
            named(session, email)
        slack_user, name = _ask_slack(settings, lambda client: _find_user(client, email, user))
        with database.write() as session:
            person = people.link(session, email=email, slack_user=slack_user, at=utc_now(), by=AT_THE_COMMAND_LINE)
    return person, name


def unlink(settings: Settings, email: str) -> Person:
    """Take a person's Slack user away.

    Raises:
        NotFound: There is no such person.
    """
    with _database(settings) as database, database.write() as session:
        return people.unlink(session, email=email, at=utc_now(), by=AT_THE_COMMAND_LINE)


def waiting(settings: Settings, limit: int) -> Sequence[Notification]:
    """Messages that are still to be posted or updated, soonest due first."""
    with _database(settings) as database, database.read() as session:
        return outbox.queue(session, CHANNEL, request=PageRequest(limit=limit)).items


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


async def _find_user(client: AsyncWebClient, email: str, user: str | None) -> tuple[str, str]:
    """The Slack user as a person's row has it, and their name."""
    workspace = await identify(client)
    try:
        if user is None:
            answer = await client.users_lookupByEmail(email=email)
        else:
            wanted = people.parse_user(user, workspace.team_id)
            answer = await client.users_info(user=wanted.rpartition("/")[2])
    except SlackApiError as error:
        raise _no_such_user(why(error), email if user is None else user) from error
    found = answer["user"]
    if found.get("deleted") or found.get("is_bot"):
        raise InvalidInput("That Slack user is a bot or was deactivated.", where="slack_user")
    name = str(found.get("real_name") or found.get("name") or found["id"])
    return people.identity(str(found.get("team_id") or workspace.team_id), str(found["id"])), name


def _no_such_user(code: str, wanted: str) -> AssentError:
    if code in {"users_not_found", "user_not_found"}:
        return NotFound(
            f"Slack knows no user {wanted}.", where="slack_user", todo="Name them: `assent slack link EMAIL U123`."
        )
    return Unavailable(f"Slack does not answer: {code}.", where="Slack", todo="`assent slack check` tells more.")


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.close()

"""``assent slack``: the Slack process, and what sets it up and looks after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from assent.commands.context import Json, print_json, settings_of
from assent.domain.errors import AssentError, InvalidInput, NotFound, Unavailable
from assent.domain.people import SYSTEM, Actor, Via
from assent.gateway import utc_now
from assent.runtime.logs import log_to_stderr
from assent.runtime.parts import Part, load
from assent.runtime.settings import Settings
from assent.store import outbox
from assent.store.database import Database
from assent.store.people import named
from assent.store.queries.paging import PageRequest
from assent_slack import people
from assent_slack.check import Configured, Finding, check
from assent_slack.manifest import written
from assent_slack.notifier import CHANNEL
from assent_slack.telling import FAILURES, why
from assent_slack.workspaces import identify

app = typer.Typer(
    help="Run the Slack app: approval requests as messages, decisions as clicks. Commands set it up.",
    invoke_without_command=True,
)

AT_THE_COMMAND_LINE = Actor(id=SYSTEM.id, name="the command line", via=Via.CLI)

_T = TypeVar("_T")


@app.callback()
def slack(
    context: typer.Context,
    http: Annotated[
        int | None, typer.Option(help="Serve HTTP on this port instead of Socket Mode.", min=1, max=65535)
    ] = None,
) -> None:
    """Run the Slack process, unless a command follows."""
    if context.invoked_subcommand is None:
        settings = settings_of(context)
        log_to_stderr(settings.log_level)
        load(Part.SLACK)(settings, http_port=http)


@app.command()
def manifest(
    http: Annotated[
        str | None, typer.Option(help="Public address of HTTP mode, https://…; without it, for Socket Mode.")
    ] = None,
) -> None:
    """Print the manifest to create the Slack app from."""
    if http is not None and not http.startswith("https://"):
        raise InvalidInput("Slack sends requests to https:// addresses only.", where="--http")
    typer.echo(written(http))


@app.command("check")
def check_setup(context: typer.Context, as_json: Json = False) -> None:
    """Verify token, scopes, way in and channel with Slack; ends with 1 if anything is wrong."""
    settings = settings_of(context)

    async def look(client: AsyncWebClient) -> list[Finding]:
        return [finding async for finding in check(client, _configured(settings))]

    findings = _ask_slack(settings, look)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{'✓ ok   ' if finding.ok else '✗ wrong'}  {finding.part:8}{finding.found}")
            if finding.todo:
                typer.echo(f"{'':17}→ {finding.todo}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def link(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="Address of the person in Assent.")],
    user: Annotated[
        str | None, typer.Argument(help="Their Slack user id, U123; without it, the user with the same address.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which Slack user a person is, so that they can decide in Slack."""
    settings = settings_of(context)
    with _database(settings) as database:
        with database.read() as session:
            named(session, email)
        found, name = _ask_slack(settings, lambda client: _find_user(client, email, user))
        with database.write() as session:
            person = people.link(session, email=email, slack_user=found, at=utc_now(), by=AT_THE_COMMAND_LINE)
    if as_json:
        print_json({"email": person.email, "name": person.name, "slack_user": found, "slack_name": name})
    else:
        typer.echo(f"{person.name} ({person.email}) is now {name} ({found}) in Slack.")


@app.command()
def unlink(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="Address of the person in Assent.")],
    as_json: Json = False,
) -> None:
    """Take a person's Slack user away: from now on they decide nothing in Slack."""
    with _database(settings_of(context)) as database, database.write() as session:
        person = people.unlink(session, email=email, at=utc_now(), by=AT_THE_COMMAND_LINE)
    if as_json:
        print_json({"email": person.email, "name": person.name, "slack_user": None})
    else:
        typer.echo(f"{person.name} ({person.email}) is nobody in Slack now.")


@app.command()
def queue(
    context: typer.Context,
    retry: Annotated[bool, typer.Option("--retry", help="Try what failed again at once.")] = False,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=200)] = 50,
    as_json: Json = False,
) -> None:
    """Show messages that are still to be posted or updated, and why they were not."""
    with _database(settings_of(context)) as database:
        hurried = 0
        if retry:
            with database.write() as session:
                hurried = outbox.hurry(session, CHANNEL, at=utc_now())
        with database.read() as session:
            waiting = outbox.queue(session, CHANNEL, request=PageRequest(limit=limit)).items
    if as_json:
        print_json({"hurried": hurried, "waiting": [asdict(one) for one in waiting]})
        return
    if retry:
        typer.echo(f"Made {hurried} due at once.")
    for one in waiting:
        failed = f"  failed {one.attempts} times: {one.error}" if one.error else ""
        typer.echo(f"{one.subject}  {one.kind}  since {one.created_at:%Y-%m-%d %H:%M:%S} UTC{failed}")
    if not waiting:
        typer.echo("Nothing waits to be posted or updated.")


def _configured(settings: Settings) -> Configured:
    app_token, secret = settings.slack_app_token, settings.slack_signing_secret
    return Configured(
        app_token=app_token.get_secret_value() if app_token else "",
        signing_secret=secret.get_secret_value() if secret else "",
        channel=settings.slack_channel or "",
    )


def _ask_slack(settings: Settings, question: Callable[[AsyncWebClient], Awaitable[_T]]) -> _T:
    # Imported here: `assent --help` composes this module and must stay quick.
    from assent.runtime.slack import web_client

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

"""``assent slack``: the Slack process, and what sets it up and looks after it.

The parts behind it are imported by each command: every ``assent`` command composes this module.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.domain.errors import InvalidInput, NotFound
from assent.domain.words import counted
from assent.runtime.logs import log_to_stderr
from assent.runtime.parts import Part, load

app = typer.Typer(
    help="Run the Slack app: approval requests as messages, decisions as clicks. Commands set it up.",
    invoke_without_command=True,
)


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
    socket: Annotated[
        bool, typer.Option("--socket", help="Socket Mode all the same; the address is for installing the app only.")
    ] = False,
) -> None:
    """Print the manifest to create the Slack app from."""
    from assent_slack.manifest import written

    if http is not None and not http.startswith("https://"):
        raise InvalidInput("Slack sends requests to https:// addresses only.", where="--http")
    typer.echo(written(http, socket=True if socket else None))


@app.command()
def check(context: typer.Context, as_json: Json = False) -> None:
    """Verify tokens, scopes, ways in and channels with Slack; ends with 1 if anything is wrong."""
    from assent.runtime import slack_setup

    findings = slack_setup.examine(settings_of(context))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{'✓ ok   ' if finding.ok else '✗ wrong'}  {finding.part:9}{finding.found}")
            if finding.todo:
                typer.echo(f"{'':18}→ {finding.todo}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def link(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="Address of the person in Assent.")],
    user: Annotated[
        str | None, typer.Argument(help="Their Slack user id, U123; without it, the user with the same address.")
    ] = None,
    code: Annotated[
        bool, typer.Option("--code", help="Print a code that they type in Slack, once, within 15 minutes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say which Slack user a person is, so that they can decide in Slack."""
    from assent.runtime import slack_setup

    if code:
        typed = slack_setup.link_code(settings_of(context), email)
        if as_json:
            print_json({"email": email, "code": typed})
        else:
            typer.echo(f"In Slack, they type within 15 minutes: /assent link {typed}")
        return
    person, name = slack_setup.link(settings_of(context), email, user)
    if as_json:
        print_json({"email": person.email, "name": person.name, "slack_user": person.slack_user, "slack_name": name})
    else:
        typer.echo(f"{person.name} ({person.email}) is now {name} ({person.slack_user}) in Slack.")


@app.command()
def unlink(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="Address of the person in Assent.")],
    as_json: Json = False,
) -> None:
    """Take a person's Slack user away: from now on they decide nothing in Slack."""
    from assent.runtime import slack_setup

    person = slack_setup.unlink(settings_of(context), email)
    if as_json:
        print_json({"email": person.email, "name": person.name, "slack_user": None})
    else:
        typer.echo(f"{person.name} ({person.email}) is nobody in Slack now.")


@app.command("install-link")
def install_link(context: typer.Context) -> None:
    """Print a link that installs the app in one more workspace; it works once, for 15 minutes."""
    from assent.runtime import slack_setup

    typer.echo(slack_setup.install_link(settings_of(context)))


@app.command()
def workspaces(context: typer.Context, as_json: Json = False) -> None:
    """List the workspaces that installed the app, and where requests go in each."""
    from assent.runtime import slack_setup

    known = slack_setup.workspaces(settings_of(context))
    shown = ("team_id", "name", "channel_id", "channel_name", "installed_by", "installed_at")
    if as_json:
        print_json([{name: getattr(one, name) for name in shown} for one in known])
        return
    for one in known:
        where = f"#{one.channel_name} ({one.channel_id})" if one.channel_id else "no channel yet"
        typer.echo(f"{one.team_id}  {one.name}  {where}  since {one.installed_at:%Y-%m-%d %H:%M} UTC")
    if not known:
        typer.echo("No workspace installed the app; `assent slack install-link` makes a link.")


@app.command()
def channel(
    context: typer.Context,
    workspace: Annotated[str, typer.Argument(help="Id of the workspace, T123.")],
    name: Annotated[str, typer.Argument(help="Id or name of the channel.")],
) -> None:
    """Say where requests are posted in a workspace that installed the app."""
    from assent.runtime import slack_setup

    kept = slack_setup.set_channel(settings_of(context), workspace, name)
    typer.echo(f"Requests go to #{kept.channel_name} ({kept.channel_id}) in {kept.name} from now on.")


@app.command()
def remove(
    context: typer.Context, workspace: Annotated[str, typer.Argument(help="Id of the workspace, T123.")]
) -> None:
    """Throw a workspace's token away; nothing of it is listened to any more."""
    from assent.runtime import slack_setup

    if not slack_setup.remove(settings_of(context), workspace):
        raise NotFound(f"The app is not installed in {workspace}.", where="workspace")
    typer.echo(f"The token of {workspace} is thrown away. Remove the app in Slack as well.")


@app.command()
def queue(
    context: typer.Context,
    retry: Annotated[bool, typer.Option("--retry", help="Try what failed again at once.")] = False,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=200)] = 50,
    as_json: Json = False,
) -> None:
    """Show messages that are still to be posted or updated, and why they were not."""
    from assent.runtime import slack_setup

    settings = settings_of(context)
    hurried = slack_setup.hurry(settings) if retry else 0
    waiting, backlog = slack_setup.waiting(settings, limit), slack_setup.backlog(settings)
    if as_json:
        print_json({"hurried": hurried, **asdict(backlog), "waiting": [asdict(one) for one in waiting]})
        return
    if retry:
        typer.echo(f"Made {hurried} due at once.")
    if backlog.oldest is not None:
        last = f"; the last error: {backlog.error}" if backlog.error else ""
        since = f"{backlog.oldest:%Y-%m-%d %H:%M:%S} UTC"
        typer.echo(f"{backlog.waiting:,} waiting, {backlog.failing:,} failing, the oldest since {since}{last}")
    for one in waiting:
        failed = f"  failed {counted(one.attempts, 'time')}: {one.error}" if one.error else ""
        typer.echo(f"{one.subject}  {one.kind}  since {one.created_at:%Y-%m-%d %H:%M:%S} UTC{failed}")
    if not waiting:
        typer.echo("Nothing waits to be posted or updated.")

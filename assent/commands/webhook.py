"""``assent webhook``: addresses that are told of requests, signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import ago, note, show_table, tell

if TYPE_CHECKING:
    from assent.store.webhooks import Webhook

app = typer.Typer(help="Addresses that are told of requests, signed.", no_args_is_help=True)


@app.command()
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Where to call, https://….", metavar="URL")],
    person: Annotated[
        str | None, typer.Option(help="Tell it only what this person is asked.", metavar="ADDRESS")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add a webhook and print the secret that its calls are signed with, this once."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.runtime.secrets import signing_key
    from assent.store import people, webhooks
    from assent.store.sealing import Sealer

    settings = settings_of(context)
    sealer = Sealer(signing_key(settings), webhooks.SEALED_FOR)
    with opened(settings) as database, database.write() as session:
        owner = people.named(session, person).id if person is not None else ""
        made, secret = webhooks.add(
            session,
            sealer,
            url=url,
            at=utc_now(),
            by=console_actor(),
            internal=settings.webhooks_internal,
            person_id=owner,
        )
    if as_json:
        print_json({**_content(made), "secret": secret})
    else:
        note(f"{made.id} calls {made.host}. Its secret, shown this once:")
        typer.echo(secret)
    if not settings.webhooks:
        note("Nothing is called yet: set ASSENT_WEBHOOKS=true for every process.")


@app.command("list")
def list_webhooks(context: typer.Context, as_json: Json = False) -> None:
    """List every webhook."""
    from assent.runtime.console import reading
    from assent.store import people, webhooks

    with reading(settings_of(context)) as session:
        found = webhooks.every(session)
        names = {each.person_id: one.email for each in found if (one := people.one(session, each.person_id))}
    if as_json:
        print_json({"items": [_content(each) for each in found]})
    else:
        show_table(
            ["webhook", "of", "address", "since"],
            [[each.id, names.get(each.person_id, "everybody"), each.url, ago(each.created_at)] for each in found],
        )


@app.command()
def remove(
    context: typer.Context,
    webhook_id: Annotated[str, typer.Argument(help="Which one, hook-….", metavar="WEBHOOK")],
    as_json: Json = False,
) -> None:
    """Call an address no more; what waits for it is let go."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store import webhooks

    with opened(settings_of(context)) as database, database.write() as session:
        gone = webhooks.remove(session, webhook_id, at=utc_now(), by=console_actor())
    if as_json:
        print_json(_content(gone))
    else:
        tell(f"{gone.host} is called no more.")


def _content(webhook: Webhook) -> dict[str, object]:
    return {
        "id": webhook.id,
        "person_id": webhook.person_id or None,
        "url": webhook.url,
        "created_at": webhook.created_at,
    }

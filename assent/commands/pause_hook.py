"""``assent pause hook``: addresses by which monitoring systems pause."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import ago, note, show_table, tell
from assent.domain.pauses import Disposition, ScopeKind

if TYPE_CHECKING:
    from assent.store.pause_hooks import PauseHook

hooks = typer.Typer(help="Addresses by which monitoring systems pause.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The hook's name, a part of its address.")]


@hooks.command()
def add(
    context: typer.Context,
    name: Name,
    scope: Annotated[ScopeKind, typer.Argument(help="What it stops.")],
    scope_name: Annotated[
        str, typer.Argument(help="Name of what it stops; none for everything.", metavar="[NAME]")
    ] = "",
    cause: Annotated[
        str, typer.Option(help="Why it pauses; {path.of.a.field} stands for what a call says there.")
    ] = "",
    only_when: Annotated[str, typer.Option(help="Only calls whose body says so pause.", metavar="FIELD=VALUE")] = "",
    disposition: Annotated[
        Disposition, typer.Option(help="What the pause does with work in its scope.")
    ] = Disposition.FREEZE,
    as_json: Json = False,
) -> None:
    """Make a hook and print the secret that its calls are signed with, this once."""
    from assent.domain import pause_hooks as domain
    from assent.gateway import Gateway
    from assent.runtime.console import console_actor, opened
    from assent.runtime.secrets import signing_key
    from assent.store.sealing import Sealer
    from assent.store.webhooks import SEALED_FOR
    from assent_ui.api.pause_hooks import hook_content

    settings = settings_of(context)
    terms = domain.terms_of(
        name=name,
        kind=scope.value,
        scope_name=scope_name,
        cause=cause or f"The hook {name} was called.",
        disposition=disposition.value,
        when=only_when,
    )
    sealer = Sealer(signing_key(settings), SEALED_FOR)
    with opened(settings) as database:
        gateway = Gateway(None, database, task_queue_prefix=settings.task_queue_prefix)
        made, secret = asyncio.run(gateway.add_pause_hook(terms, sealer, by=console_actor()))
    content = hook_content(made, settings.public_url.rstrip("/"))
    if as_json:
        print_json({**content, "secret": secret})
    else:
        note(f"{content['url']} pauses {terms.scope.sentence}. Its secret, shown this once:")
        typer.echo(secret)


@hooks.command("list")
def list_hooks(context: typer.Context, as_json: Json = False) -> None:
    """List the hooks that take calls."""
    from assent.runtime.console import reading
    from assent.store import pause_hooks
    from assent_ui.api.pause_hooks import hook_content

    settings = settings_of(context)
    with reading(settings) as session:
        found = pause_hooks.of_installation(session)
    if as_json:
        base = settings.public_url.rstrip("/")
        print_json({"items": [hook_content(each, base) for each in found]})
    else:
        show_table(["hook", "stops", "only when", "called", "calls", "since"], [_line(each) for each in found])


@hooks.command()
def revoke(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Take no more calls of a hook; what it paused stays paused."""
    from assent.gateway import Gateway
    from assent.runtime.console import console_actor, opened

    settings = settings_of(context)
    with opened(settings) as database:
        gateway = Gateway(None, database, task_queue_prefix=settings.task_queue_prefix)
        gone = asyncio.run(gateway.revoke_pause_hook(name, by=console_actor()))
    if as_json:
        print_json({"name": gone.terms.name, "revoked": True})
    else:
        tell(f"{gone.terms.name} takes no more calls. What it paused stays paused.")


def _line(hook: PauseHook) -> list[str]:
    terms = hook.terms
    when = terms.only_when.written if terms.only_when else "always"
    return [terms.name, terms.scope.sentence, when, ago(hook.called_at), str(hook.calls), ago(hook.created_at)]

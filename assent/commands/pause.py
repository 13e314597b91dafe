"""``assent pause``: stop everything, an agent or a run, and let it go on. The database alone is enough."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, ago, note, show_page, tell
from assent.domain.pauses import PauseInput, Scope, ScopeKind

app = typer.Typer(help="Stop everything, an agent or a run, and let it go on.", no_args_is_help=True)

LOOK_EVERY = 0.2

Cause = Annotated[str, typer.Option(help="Why; kept in the ledger.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until no effect is under way any more.")]


@app.command("all")
def everything(context: typer.Context, cause: Cause = "", wait: Wait = False, as_json: Json = False) -> None:
    """Stop everything: from the moment this returns no effect begins."""
    _pause(context, Scope(kind=ScopeKind.EVERYTHING), cause, wait, as_json)


@app.command()
def agent(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The agent's name.")],
    cause: Cause = "",
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Stop an agent."""
    _pause(context, Scope(kind=ScopeKind.AGENT, name=name), cause, wait, as_json)


@app.command()
def run(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="The run's id.", metavar="RUN")],
    cause: Cause = "",
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Stop a run."""
    _pause(context, Scope(kind=ScopeKind.RUN, name=run_id), cause, wait, as_json)


@app.command("list")
def list_pauses(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that ended, too.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List what is stopped."""
    from assent.runtime.console import reading
    from assent.store.queries import pauses
    from assent.store.queries.paging import Page, PageRequest
    from assent_ui.api.schemas import PauseOut

    with reading(settings_of(context)) as session:
        page = (
            pauses.page(session, request=PageRequest(limit, cursor))
            if everything
            else Page(pauses.active(session, limit=limit))
        )
    show_page(
        page,
        as_json,
        lambda pause: PauseOut.model_validate(pause).model_dump(mode="json"),
        ["pause", "stops", "asked", "by", "quiet", "ended", "cause"],
        lambda pause: [
            pause.id,
            pause.scope.sentence,
            ago(pause.requested_at),
            pause.requested_by.name,
            ago(pause.quiesced_at) or f"{pause.in_flight} under way",
            ago(pause.resumed_at),
            pause.cause,
        ],
    )


@app.command()
def resume(
    context: typer.Context,
    pause_id: Annotated[str, typer.Argument(help="The pause's id.", metavar="PAUSE")],
    note_text: Annotated[str, typer.Option("--note", help="What was found and changed.", prompt="What was changed")],
    as_json: Json = False,
) -> None:
    """End a pause; the runs it held go on."""
    from assent.gateway import Gateway
    from assent.runtime.console import connect_if_there, console_actor, opened

    settings = settings_of(context)

    async def lift() -> str:
        with opened(settings) as database:
            gateway = Gateway(None, database, task_queue_prefix=settings.task_queue_prefix)
            away = await connect_if_there(gateway, settings)
            await gateway.resume(pause_id, by=console_actor(), note=note_text)
        return away

    away = asyncio.run(lift())
    if away:
        note(f"{away} The pause has ended; runs learn of it when Temporal is back.")
    if as_json:
        print_json({"id": pause_id, "active": False})
    else:
        tell(f"{pause_id} has ended.")


def _pause(context: typer.Context, scope: Scope, cause: str, wait: bool, as_json: bool) -> None:
    from assent.gateway import Gateway, utc_now
    from assent.runtime.console import connect_if_there, console_actor, opened
    from assent.store.queries import pauses
    from assent_ui.api.schemas import PauseOut

    settings, by = settings_of(context), console_actor()

    async def stop() -> str:
        # Without Temporal first: a server that does not answer must not hold up the stop.
        gateway = Gateway(None, database, task_queue_prefix=settings.task_queue_prefix)
        pause_id = await gateway.pause(scope, by=by, cause=cause)
        if not as_json:
            tell(f"{pause_id}: {scope.sentence} is stopped; no effect begins any more.")
        away = await connect_if_there(gateway, settings)
        if away:
            note(f"{away} The stop holds all the same; runs learn of it when Temporal is back.")
            return pause_id
        known = PauseInput(pause_id=pause_id, scope=scope, cause=cause, by=by, requested_at=utc_now())
        await gateway.announce_pause(known)
        return pause_id

    with opened(settings) as database:
        pause_id = asyncio.run(stop())
        while True:
            with database.read() as session:
                found = pauses.one(session, pause_id)
            if not wait or found.quiesced_at is not None or not found.active:
                break
            time.sleep(LOOK_EVERY)
    if as_json:
        print_json(PauseOut.model_validate(found).model_dump(mode="json"))
    elif wait:
        took = (found.quiesced_at - found.requested_at).total_seconds() if found.quiesced_at else 0.0
        tell(f"Nothing is under way any more, {took:.1f} s after it was asked for.")

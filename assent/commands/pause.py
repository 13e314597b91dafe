"""``assent pause``: stop everything, an agent, a type, a record, …, and let it go on. The database alone is enough."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from assent.commands import pause_hook
from assent.commands.context import Json, print_json, settings_of
from assent.commands.pause_shown import list_pauses, show, show_asked
from assent.commands.printing import Name, Yes, confirm, note, tell
from assent.domain.errors import Conflict, InvalidInput
from assent.domain.pauses import Disposition, PauseInput, ResumeAnswers, ResumeState, Scope, ScopeKind
from assent.domain.people import Actor, Via
from assent.domain.words import counted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from assent.gateway import Gateway
    from assent.store.database import Database

app = typer.Typer(help="Stop everything, an agent, a record, …, and let it go on.", no_args_is_help=True)
app.add_typer(pause_hook.hooks, name="hook")
app.command("list")(list_pauses)
app.command()(show)

LOOK_EVERY = 0.2

_T = TypeVar("_T")

Cause = Annotated[str, typer.Option(help="Why; kept in the ledger.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until no effect is under way any more.")]
How = Annotated[
    Disposition,
    typer.Option("--disposition", "-d", help="Hold it, let finish what was cleared, or roll it back when it is quiet."),
]
PauseId = Annotated[str, typer.Argument(help="The pause's id.", metavar="PAUSE")]


@app.command("all")
def everything(
    context: typer.Context,
    cause: Cause = "",
    disposition: How = Disposition.FREEZE,
    wait: Wait = False,
    name: Name = None,
    as_json: Json = False,
) -> None:
    """Stop everything: from the moment this returns no effect begins."""
    _pause(context, Scope(kind=ScopeKind.EVERYTHING), cause, disposition, wait, name, as_json)


def _stopper(kind: ScopeKind, word: str, what: str, example: str) -> None:
    """Add the command that stops something of one kind."""

    def stop(
        context: typer.Context,
        named: str,
        cause: Cause = "",
        disposition: How = Disposition.FREEZE,
        wait: Wait = False,
        name: Name = None,
        as_json: Json = False,
    ) -> None:
        _pause(context, Scope(kind=kind, name=named.strip()), cause, disposition, wait, name, as_json)

    stop.__doc__ = what
    stop.__annotations__["named"] = Annotated[str, typer.Argument(help=example, metavar=word)]
    app.command(kind.value)(stop)


_stopper(ScopeKind.AGENT, "NAME", "Stop an agent.", "The agent's name.")
_stopper(ScopeKind.VERSION, "VERSION", "Stop one version of an agent's card.", "Such as refunds@3.")
_stopper(ScopeKind.CONNECTOR, "NAME", "Stop everything that reaches one system.", "Such as shop, of shop.refund.")
_stopper(ScopeKind.TYPE, "TYPE", "Stop an action type.", "Such as shop.refund.")
_stopper(ScopeKind.LABEL, "LABEL", "Stop the runs with a label.", "The label, as the runs were started with.")
_stopper(ScopeKind.RECORD, "RECORD", "Stop whatever touches a record or customer.", "Such as shop/orders/W1.")
_stopper(ScopeKind.RUN, "RUN", "Stop a run.", "The run's id.")


@app.command()
def change(
    context: typer.Context,
    pause_id: PauseId,
    disposition: Annotated[Disposition, typer.Argument(help="freeze, drain or compensate.")],
    name: Name = None,
    as_json: Json = False,
) -> None:
    """Change what a pause does with the work in its scope."""

    async def changed(gateway: Gateway, by: Actor) -> bool:
        return await gateway.change_disposition(pause_id, disposition, by=by)

    done = _by_gateway(context, name, changed)
    if as_json:
        print_json({"id": pause_id, "disposition": disposition.value, "changed": done})
    else:
        tell(f"{pause_id} {'does' if done else 'did already'} {disposition.value}.")


@app.command("ask-to-stop")
def ask_to_stop(context: typer.Context, pause_id: PauseId, name: Name = None, as_json: Json = False) -> None:
    """Ask effects under way to stop; `assent pause show` says what became of each."""

    async def ask(gateway: Gateway, by: Actor) -> int:
        return await gateway.ask_to_stop(pause_id, by=by)

    asked = _by_gateway(context, name, ask)
    if as_json:
        print_json({"id": pause_id, "asked": asked})
    else:
        tell(f"{counted(asked, 'effect')} under way {'was' if asked == 1 else 'were'} asked to stop.")


@app.command()
def resume(
    context: typer.Context,
    pause_id: PauseId,
    cause: Annotated[str, typer.Option(help="What the trouble was.", prompt="What was the trouble")],
    changed: Annotated[str, typer.Option(help="What was changed.", prompt="What was changed")],
    check: Annotated[list[str] | None, typer.Option(help="A check that passed; may be repeated.")] = None,
    at_once: Annotated[bool, typer.Option("--at-once", help="Let all runs go at the same moment.")] = False,
    name: Name = None,
    as_json: Json = False,
) -> None:
    """Let the runs of a pause go on: the first one, then a few, then all."""
    answers = ResumeAnswers(cause=cause.strip(), changed=changed.strip(), checks=[each.strip() for each in check or ()])

    async def lift(gateway: Gateway, by: Actor) -> ResumeState:
        return await gateway.resume(pause_id, by=by, answers=answers, at_once=at_once)

    _told(pause_id, _by_gateway(context, name, lift), as_json)


@app.command()
def second(
    context: typer.Context,
    pause_id: PauseId,
    asked_at: Annotated[
        str | None,
        typer.Option(help="`resume_asked_at` of `assent pause show --json`: agree to what was asked then, unasked."),
    ] = None,
    name: Name = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Agree, as a second person, to the resume that somebody else asked for, as it is shown."""
    shown = show_asked(context, pause_id) if asked_at is None else _moment(asked_at)
    if shown is None:
        raise Conflict(f"The pause {pause_id} waits for no second person.", where="pause", todo="Resume it first.")
    if asked_at is None:
        confirm("Agree that it goes on?", yes)

    async def agree(gateway: Gateway, by: Actor) -> ResumeState:
        return await gateway.second_resume(pause_id, by=by, asked_at=shown)

    _told(pause_id, _by_gateway(context, name, agree), as_json)


def _told(pause_id: str, state: ResumeState, as_json: bool) -> None:
    if as_json:
        print_json({"id": pause_id, "state": state.value, "active": state is not ResumeState.ENDED})
        return
    match state:
        case ResumeState.ENDED:
            tell(f"{pause_id} has ended.")
        case ResumeState.RELEASING:
            tell(f"{pause_id} lets its first run go; a few follow, then all.")
            note(f"`assent pause show {pause_id}` says how far it is.")
        case ResumeState.SECOND_WANTED:
            tell(f"{pause_id} still holds: a second person must agree.")
            note(f"They do with `assent pause second {pause_id} --as ADDRESS`, on the stop page or in Slack.")


def _pause(
    context: typer.Context,
    scope: Scope,
    cause: str,
    disposition: Disposition,
    wait: bool,
    name: str | None,
    as_json: bool,
) -> None:
    from assent.gateway import Gateway, utc_now
    from assent.runtime.console import connect_if_there, opened
    from assent.store.queries import pauses
    from assent_ui.api.schemas import PauseOut

    settings = settings_of(context)

    async def stop(database: Database, by: Actor) -> str:
        # Without Temporal first: a server that does not answer must not hold up the stop.
        gateway = Gateway(None, database, task_queue_prefix=settings.task_queue_prefix)
        pause_id = await gateway.pause(scope, by=by, cause=cause, disposition=disposition)
        if not as_json:
            tell(f"{pause_id}: {scope.sentence} is stopped; {_BEGINS[disposition]}")
        away = await connect_if_there(gateway, settings)
        if away:
            note(f"{away} The stop holds all the same; runs learn of it when Temporal is back.")
            return pause_id
        known = PauseInput(pause_id=pause_id, scope=scope, cause=cause, by=by, requested_at=utc_now())
        await gateway.announce_pause(known)
        return pause_id

    with opened(settings) as database:
        pause_id = asyncio.run(stop(database, _actor(database, name)))
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
    elif found.in_flight:
        note(f"{counted(found.in_flight, 'effect')} under way; `assent pause show {pause_id}` lists what is.")


def _by_gateway(context: typer.Context, name: str | None, work: Callable[[Gateway, Actor], Awaitable[_T]]) -> _T:
    """Do something with a gateway, with Temporal if it is there."""
    from assent.gateway import Gateway
    from assent.runtime.console import connect_if_there, opened

    settings = settings_of(context)

    async def do() -> _T:
        with opened(settings) as database:
            gateway = Gateway(None, database, task_queue_prefix=settings.task_queue_prefix)
            away = await connect_if_there(gateway, settings)
            done = await work(gateway, _actor(database, name))
        if away:
            note(f"{away} It is written down; runs learn of it when Temporal is back.")
        return done

    return asyncio.run(do())


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"{text!r} is no time.", where="--asked-at", todo="Give `resume_asked_at` of `assent pause show --json`."
        ) from error


def _actor(database: Database, name: str | None) -> Actor:
    """Who does it: the named person, or whoever types."""
    from assent.runtime.console import console_actor
    from assent.store import people

    if name is None:
        return console_actor()
    with database.read() as session:
        return people.named(session, name).acting(Via.CLI)


_BEGINS = {
    Disposition.FREEZE: "no effect begins any more.",
    Disposition.DRAIN: "what was cleared before may finish, nothing else begins.",
    Disposition.COMPENSATE: "no effect begins any more, and open runs are rolled back once nothing is under way.",
}

"""``assent effect``: effects that nobody knows about, and finding out what became of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, ago, exact, note, show_fields, show_page, tell
from assent.domain.effects import EffectStatus
from assent.domain.errors import InvalidInput
from assent.domain.settling import Reconciled

if TYPE_CHECKING:
    from assent.store.queries.unknowns import UnknownInFull

app = typer.Typer(help="Effects that nobody knows about, and what became of them.", no_args_is_help=True)

EXIT_UNKNOWN = 1

ActionId = Annotated[str, typer.Argument(help="The action's id: run, colon, key.", metavar="ACTION")]


@app.command("list")
def list_effects(
    context: typer.Context,
    agent: Annotated[str | None, typer.Option(help="Only this agent's.")] = None,
    settled: Annotated[bool, typer.Option("--settled", help="Those that were found out, the last one first.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List effects that nobody knows about, the longest unknown first."""
    from assent.runtime.console import reading
    from assent.store.queries import unknowns
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.effect_schemas import UnknownEffectOut

    request = PageRequest(limit, cursor)
    with reading(settings_of(context)) as session:
        page = (
            unknowns.settled(session, request=request)
            if settled
            else unknowns.page(session, agent=agent, request=request)
        )
    show_page(
        page,
        as_json,
        lambda each: UnknownEffectOut.model_validate(each).model_dump(mode="json"),
        ["effect", "unknown since", "tried", "agent", "found out", "what it does"],
        lambda each: [
            each.action_id,
            ago(each.found_at),
            ago(each.tried_at),
            each.agent,
            "" if each.open else f"{'happened' if each.happened else 'did not happen'}, {ago(each.settled_at)}",
            each.sentence,
        ],
    )


@app.command()
def show(context: typer.Context, action_id: ActionId, as_json: Json = False) -> None:
    """Show everything that somebody needs to find out what became of an effect."""
    from assent.runtime.console import reading
    from assent.store.queries import unknowns
    from assent_ui.api.effects import in_full

    with reading(settings_of(context)) as session:
        found = unknowns.one(session, action_id)
    if as_json:
        print_json(in_full(found, may_settle=True).model_dump(mode="json"))
    else:
        _show(found)


@app.command()
def reconcile(context: typer.Context, action_id: ActionId, as_json: Json = False) -> None:
    """Ask the connector what became of an effect; ends with 1 if it cannot say."""
    done = asyncio.run(_reconciled(context, action_id))
    if as_json:
        print_json(done.model_dump(mode="json"))
    else:
        tell(f"{action_id} is {done.status.value if done.status else 'tried again'}. {done.said}")
    if done.status is EffectStatus.UNKNOWN:
        raise typer.Exit(EXIT_UNKNOWN)


@app.command()
def settle(
    context: typer.Context,
    action_id: ActionId,
    happened: Annotated[bool | None, typer.Option("--happened/--did-not-happen", help="What you found out.")] = None,
    how: Annotated[str, typer.Option("--note", help="How you found out; the agent is told.")] = "",
    reference: Annotated[str, typer.Option(help="What the other system calls it.")] = "",
    as_json: Json = False,
) -> None:
    """Say what became of an effect, once; the connector is asked once more first."""
    if happened is None:
        raise InvalidInput("Say what you found out.", where="--happened", todo="--happened, or --did-not-happen.")
    status = asyncio.run(_settled(context, action_id, happened, how, reference))
    if as_json:
        print_json({"action_id": action_id, "status": status.value})
    else:
        tell(f"{action_id} is {status.value}.")
        if status is EffectStatus.FAILED:
            note(f"It can be tried again: assent effect retry {action_id}")


@app.command()
def retry(context: typer.Context, action_id: ActionId, as_json: Json = False) -> None:
    """Try an action again of which it is settled that it did not happen; the card is asked again."""
    asyncio.run(_retried(context, action_id))
    if as_json:
        print_json({"action_id": action_id, "retried": True})
    else:
        tell(f"{action_id} is tried again.")


async def _reconciled(context: typer.Context, action_id: str) -> Reconciled:
    from assent.runtime.console import connected, console_actor

    async with connected(settings_of(context)) as (gateway, _):
        return await gateway.reconcile(action_id, by=console_actor())


async def _settled(context: typer.Context, action_id: str, happened: bool, how: str, reference: str) -> EffectStatus:
    from assent.runtime.console import connected, console_actor

    async with connected(settings_of(context)) as (gateway, _):
        return await gateway.settle_effect(
            action_id, by=console_actor(), happened=happened, note=how, reference=reference
        )


async def _retried(context: typer.Context, action_id: str) -> None:
    from assent.runtime.console import connected, console_actor

    async with connected(settings_of(context)) as (gateway, _):
        await gateway.retry_effect(action_id, by=console_actor())


def _show(found: UnknownInFull) -> None:
    from assent.domain.canonical import stable_text
    from assent.gateway.finding_out import how_to_find_out

    view = found.view
    if view.open:
        state = f"unknown since {exact(view.found_at)}"
    else:
        by = view.settled_by.name if view.settled_by else "Assent"
        state = f"{'happened' if view.happened else 'did not happen'}, said by {by}, {ago(view.settled_at)}"
    show_fields(
        [
            ("what it does", view.sentence),
            ("effect", state),
            ("agent", view.agent),
            ("run", view.run_id),
            ("type", view.type),
            ("key", view.action_id),
            ("tried", f"{exact(view.tried_at)}, attempt {view.attempts}"),
            ("the system said", view.said),
            ("asked", f"{ago(view.asked_at)}" if view.asked_at else ""),
            ("asked next", ago(view.look_at)),
            ("how to find out", how_to_find_out(found)),
            ("arguments", stable_text(found.action.arguments)),
            ("the agent's reason", found.action.reason),
            ("note", view.note),
            ("reference", view.reference),
        ]
    )

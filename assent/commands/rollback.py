"""``assent rollback``: take back what an action or a run did, previewed first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, Yes, ago, confirm, note, show_page, show_table, tell
from assent.domain.errors import NotFound
from assent.domain.rollbacks import RollbackPlan, RollbackScope, RollbackScopeKind, RollbackStatus, Undoable
from assent.domain.words import counted
from assent.runtime.settings import Settings

if TYPE_CHECKING:
    from assent.store.database import Database
    from assent.store.queries.rollbacks import RollbackView

app = typer.Typer(help="Take back what an action or a run did, previewed first.", no_args_is_help=True)

LOOK_EVERY = 0.2
EXIT_LEFT = 1

Preview = Annotated[bool, typer.Option("--preview", help="Only say what would be undone.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the ledger.")]


@app.command()
def action(
    context: typer.Context,
    action_id: Annotated[str, typer.Argument(help="The action's id: run, colon, key.", metavar="ACTION")],
    preview: Preview = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo an action; ends with 1 if something is left for a person."""
    _roll_back(context, RollbackScope(kind=RollbackScopeKind.ACTION, id=action_id), preview, reason, yes, as_json)


@app.command()
def run(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="The run's id.", metavar="RUN")],
    preview: Preview = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo everything a run did, newest first; ends with 1 if something is left for a person."""
    _roll_back(context, RollbackScope(kind=RollbackScopeKind.RUN, id=run_id), preview, reason, yes, as_json)


@app.command("list")
def list_rollbacks(context: typer.Context, limit: Limit = 50, cursor: Cursor = None, as_json: Json = False) -> None:
    """List rollbacks, newest first."""
    from assent.runtime.console import reading
    from assent.store.queries import rollbacks
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.schemas import RollbackOut

    with reading(settings_of(context)) as session:
        page = rollbacks.page(session, request=PageRequest(limit, cursor))
    show_page(
        page,
        as_json,
        lambda each: RollbackOut.model_validate(each).model_dump(mode="json"),
        ["rollback", "status", "asked", "by", "of", "reason"],
        lambda each: [
            each.id,
            each.status.value,
            ago(each.requested_at),
            each.requested_by.name,
            f"{each.scope.kind.value} {each.scope.id}",
            each.reason,
        ],
    )


@app.command()
def show(
    context: typer.Context,
    rollback_id: Annotated[str, typer.Argument(help="The rollback's id.", metavar="ROLLBACK")],
    as_json: Json = False,
) -> None:
    """Show a rollback, effect by effect."""
    from assent.runtime.console import reading
    from assent.store.queries import rollbacks

    with reading(settings_of(context)) as session:
        _show(rollbacks.one(session, rollback_id), as_json)


def _roll_back(
    context: typer.Context, scope: RollbackScope, preview: bool, reason: str, yes: bool, as_json: bool
) -> None:
    found = asyncio.run(_steps(settings_of(context), scope, preview, reason, yes, as_json))
    if found is None:
        return
    _show(found, as_json)
    if found.status is not RollbackStatus.DONE:
        raise typer.Exit(EXIT_LEFT)


async def _steps(
    settings: Settings, scope: RollbackScope, preview: bool, reason: str, yes: bool, as_json: bool
) -> RollbackView | None:
    from assent.runtime.console import connected, console_actor

    async with connected(settings) as (gateway, database):
        plan = await gateway.preview_rollback(scope, by=console_actor())
        over = preview or not plan.to_undo
        if over or not as_json:
            _show_plan(plan, as_json)
        if over:
            note(f"{counted(plan.to_undo, 'effect')} can be undone; nothing was changed.")
            return None
        confirm(f"Undo {counted(plan.to_undo, 'effect')}?", yes)
        rollback_id = (await gateway.rollback(scope, by=console_actor(), reason=reason)).id
        note(f"{rollback_id} began.")
        return await _followed(database, rollback_id)


async def _followed(database: Database, rollback_id: str) -> RollbackView:
    from assent.store.queries import rollbacks

    told = -1
    while True:
        try:
            with database.read() as session:
                found = rollbacks.one(session, rollback_id)
        except NotFound:
            # Its first step has not written it down yet.
            await asyncio.sleep(LOOK_EVERY)
            continue
        finished = sum(step.finished_at is not None for step in found.steps)
        if finished != told:
            told = finished
            note(f"  {finished} of {len(found.steps)}")
        if found.status is not RollbackStatus.RUNNING:
            return found
        await asyncio.sleep(LOOK_EVERY)


def _show_plan(plan: RollbackPlan, as_json: bool) -> None:
    if as_json:
        print_json(plan.model_dump(mode="json") | {"to_undo": plan.to_undo})
        return
    show_table(
        ["action", "undo?", "what it did", "how, or why not"],
        [[step.action_id, _VERDICTS[step.verdict], step.sentence, step.why or step.undo] for step in plan.steps],
    )


def _show(found: RollbackView, as_json: bool) -> None:
    from assent_ui.api.schemas import RollbackInFull

    if as_json:
        print_json(RollbackInFull.model_validate(found).model_dump(mode="json"))
        return
    show_table(
        ["action", "came of it", "what it did", "why"],
        [
            [each.step.action_id, (each.step.status or each.step.verdict).value, each.step.sentence, each.step.why]
            for each in found.steps
        ],
    )
    tell(_ENDS[found.status])


_VERDICTS = {
    Undoable.YES: "yes",
    Undoable.ALREADY: "already",
    Undoable.NOTHING: "nothing to undo",
    Undoable.NO: "no",
    Undoable.TOO_LATE: "too late",
    Undoable.CONFLICT: "conflict",
    Undoable.UNKNOWN: "not known",
}
_ENDS = {
    RollbackStatus.PREVIEW: "This is a preview.",
    RollbackStatus.RUNNING: "It goes on.",
    RollbackStatus.DONE: "Everything that could be undone was undone.",
    RollbackStatus.NEEDS_PERSON: "Something is left for a person: see above.",
}

"""Previewing a rollback, asking, and beginning it as it was shown."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from assent.commands.context import print_json, settings_of
from assent.commands.printing import confirm, note, show_table
from assent.commands.rollback_shown import EXIT_LEFT, VERDICTS, show_found, totals_in_words
from assent.domain.durations import parse_duration
from assent.domain.errors import Forbidden, InvalidInput, PreviewChanged
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import RollbackPlan, RollbackStatus
from assent.domain.words import counted
from assent.runtime.settings import Settings

if TYPE_CHECKING:
    from assent.gateway import Gateway
    from assent.store.database import Database
    from assent.store.queries.rollbacks import RollbackView

LOOK_EVERY = 0.2
"""Seconds between two looks at how far a rollback is."""

SHOWN = 50
"""Effects of a preview that are shown; `assent rollback show` has all of them."""

Preview = Annotated[bool, typer.Option("--preview", help="Only say what would be undone.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the ledger.")]
Since = Annotated[str, typer.Option(help="From then on: 2030-01-31T14:00, or 2h for two hours ago.")]
Until = Annotated[str | None, typer.Option(help="Before then; until now, if left out.")]
WithLater = Annotated[
    bool, typer.Option("--with-later", help="Take later work on the same records back first, where it is in the way.")
]


def scope_of(
    kind: RollbackScopeKind, id: str, since: str | None = None, until: str | None = None, *, with_later: bool
) -> RollbackScope:
    """A scope as it was typed; times are those of this machine unless they name another zone.

    Raises:
        InvalidInput: The name is empty or too long, or a time is none.
    """
    try:
        return RollbackScope(
            kind=kind, id=id, since=_moment(since, "--since"), until=_moment(until, "--until"), with_later=with_later
        )
    except ValidationError as error:
        raise InvalidInput(f"This is no {kind.value}: it has 1 to 200 characters.", where=kind.value) from error


def roll_back(
    context: typer.Context, scope: RollbackScope, preview: bool, reason: str, yes: bool, as_json: bool
) -> None:
    """Preview a scope, ask, undo it and follow it to its end; ends with 1 if something is left for a person."""
    found = asyncio.run(_steps(settings_of(context), scope, preview, reason, yes, as_json))
    if found is None:
        return
    show_found(found, as_json)
    if found.status is not RollbackStatus.DONE:
        raise typer.Exit(EXIT_LEFT)


async def _steps(
    settings: Settings, scope: RollbackScope, preview: bool, reason: str, yes: bool, as_json: bool
) -> RollbackView | None:
    from assent.runtime.console import connected, console_actor

    async with connected(settings) as (gateway, database):
        by = console_actor()
        plan = await _complete(gateway, await gateway.preview_rollback(scope, by=by))
        over = preview or not plan.to_undo
        if over or not as_json:
            _show_plan(plan, as_json)
        if over:
            note(f"{counted(plan.to_undo, 'effect')} can be undone; nothing was changed.")
            return None
        confirm(f"Undo {counted(plan.to_undo, 'effect')}?", yes)
        begun = await gateway.rollback(
            plan.scope, by=by, reason=reason, preview_id=plan.rollback_id, digest=plan.digest
        )
        note(f"{begun.id} began.")
        if begun.state is RollbackStatus.AWAITING:
            note(f"It awaits approval: it needs {begun.needs}. `assent rollback show {begun.id}` says how it stands.")
        return await _followed(database, begun.id)


async def _complete(gateway: Gateway, plan: RollbackPlan) -> RollbackPlan:
    """Wait until all of a large preview is written, saying how far it is."""
    while not plan.complete:
        note(f"  {plan.totals.steps:,} effects looked at")
        await asyncio.sleep(1)
        plan = await gateway.rollback_plan(plan.rollback_id)
    return plan


async def _followed(database: Database, rollback_id: str) -> RollbackView:
    """Wait until a rollback ends, or waits for people."""
    from assent.store.queries import rollbacks

    told = -1
    while True:
        with database.read() as session:
            found = rollbacks.header(session, rollback_id)
        if found.status is RollbackStatus.RUNNING and found.counts.finished != told:
            told = found.counts.finished
            note(f"  {told:,} of {found.counts.steps:,}")
        if found.status is RollbackStatus.PREVIEW:
            raise PreviewChanged(found.message, preview_id=found.id, todo="Look again, then confirm what is shown.")
        if found.status is RollbackStatus.REFUSED:
            raise Forbidden(found.message, where=rollback_id, todo="Nothing was undone.")
        if found.status not in (RollbackStatus.CHECKING, RollbackStatus.RUNNING):
            with database.read() as session:
                return rollbacks.one(session, rollback_id)
        await asyncio.sleep(LOOK_EVERY)


def _show_plan(plan: RollbackPlan, as_json: bool) -> None:
    if as_json:
        print_json(plan.model_dump(mode="json") | {"to_undo": plan.to_undo})
        return
    shown = plan.steps[:SHOWN]
    note(f"What was looked at: {plan.scope.sentence}.")
    show_table(
        ["action", "undo?", "what it did", "how, or why not"],
        [[step.action_id, VERDICTS[step.verdict], step.sentence, step.why or step.undo] for step in shown],
    )
    for line in totals_in_words(plan.totals):
        note(line)
    if plan.totals.steps > len(shown):
        note(
            f"The first {len(shown)} of {plan.totals.steps:,}: `assent rollback show {plan.rollback_id}` has them all."
        )


def _moment(text: str | None, where: str) -> datetime | None:
    if text is None:
        return None
    try:
        ago: timedelta = parse_duration(text)
        return datetime.now().astimezone() - ago
    except (ValueError, TypeError, OverflowError):
        pass
    try:
        # Without a zone it is a time of this machine, which `astimezone` takes it for.
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"{text!r} is no time.", where=where, todo="It looks like 2030-01-31T14:00, or 2h for two hours ago."
        ) from error

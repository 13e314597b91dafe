"""Deciding on a rollback, holding it, and dealing with what it left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Name, Yes, confirm, note, tell
from assent.commands.rollback_shown import RollbackId, totals_in_words
from assent.domain.people import Actor, Via
from assent.domain.rollback_approval import RollbackVerb
from assent.domain.rollbacks import RollbackStatus
from assent.domain.undo_steps import SettledHow
from assent.domain.words import counted

if TYPE_CHECKING:
    from assent.gateway import Gateway
    from assent.store.queries.rollbacks import RollbackView

Why = Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")]
Ordinal = Annotated[int, typer.Argument(help="The step's number.", metavar="STEP", min=0)]
Note = Annotated[str, typer.Option(help="What was done, or why it may stay.")]
Evidence = Annotated[str, typer.Option(help="Where it can be seen: a link, a reference.")]
_T = TypeVar("_T")


def approve(
    context: typer.Context, rollback_id: RollbackId, name: Name = None, yes: Yes = False, as_json: Json = False
) -> None:
    """Agree to a rollback that awaits approval."""
    _decide(context, rollback_id, RollbackVerb.APPROVE, "", name, yes, as_json)


def reject(
    context: typer.Context,
    rollback_id: RollbackId,
    reason: Annotated[str, typer.Option(help="Why not; whoever asked is told.")],
    name: Name = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Refuse a rollback that awaits approval."""
    _decide(context, rollback_id, RollbackVerb.REJECT, reason, name, yes, as_json)


def withdraw(context: typer.Context, rollback_id: RollbackId, reason: Why = "", as_json: Json = False) -> None:
    """Take back a rollback that has not begun to undo."""
    _do(context, lambda gateway, by: gateway.withdraw_rollback(rollback_id, by=by, reason=reason))
    _say(as_json, {"rollback_id": rollback_id, "status": RollbackStatus.REFUSED.value}, f"{rollback_id} is withdrawn.")


def hold(context: typer.Context, rollback_id: RollbackId, as_json: Json = False) -> None:
    """Let a rollback undo no further effect; those under way come to their end."""
    _do(context, lambda gateway, by: gateway.hold_rollback(rollback_id, by=by))
    _say(as_json, {"rollback_id": rollback_id, "status": RollbackStatus.HELD.value}, f"{rollback_id} is held.")


def go_on(context: typer.Context, rollback_id: RollbackId, as_json: Json = False) -> None:
    """Let a held rollback go on."""
    _do(context, lambda gateway, by: gateway.continue_rollback(rollback_id, by=by))
    _say(as_json, {"rollback_id": rollback_id, "status": RollbackStatus.RUNNING.value}, f"{rollback_id} goes on.")


def retry(
    context: typer.Context,
    rollback_id: RollbackId,
    ordinals: Annotated[
        list[int] | None, typer.Argument(help="Numbers of steps; all that are left, if none.", metavar="STEP...")
    ] = None,
    as_json: Json = False,
) -> None:
    """Try again what a rollback left for people."""
    count = _do(context, lambda gateway, by: gateway.retry_steps(rollback_id, ordinals or [], by=by))
    _say(as_json, {"rollback_id": rollback_id, "steps": count}, f"{counted(count, 'effect')} will be tried again.")


def by_hand(
    context: typer.Context,
    rollback_id: RollbackId,
    ordinal: Ordinal,
    note: Note,
    evidence: Evidence = "",
    as_json: Json = False,
) -> None:
    """Say that a person has put right what could not be undone."""
    _settle(context, rollback_id, ordinal, SettledHow.BY_HAND, note, evidence, as_json)


def accepted(
    context: typer.Context,
    rollback_id: RollbackId,
    ordinal: Ordinal,
    note: Note,
    evidence: Evidence = "",
    as_json: Json = False,
) -> None:
    """Say that what could not be undone stays as it is."""
    _settle(context, rollback_id, ordinal, SettledHow.ACCEPTED, note, evidence, as_json)


def _settle(
    context: typer.Context, rollback_id: str, ordinal: int, how: SettledHow, said: str, evidence: str, as_json: bool
) -> None:
    status = _do(
        context,
        lambda gateway, by: gateway.settle_step(rollback_id, ordinal, by=by, how=how, note=said, evidence=evidence),
    )
    rest = "Nothing is left." if status is RollbackStatus.DONE else "More is left."
    content = {"rollback_id": rollback_id, "ordinal": ordinal, "how": how.value, "status": status.value}
    _say(as_json, content, f"Step {ordinal} is closed. {rest}")


def _decide(
    context: typer.Context,
    rollback_id: str,
    verb: RollbackVerb,
    reason: str,
    name: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    from assent.runtime.console import deciding_person, reading
    from assent.store.queries import rollbacks

    settings = settings_of(context)
    with reading(settings) as session:
        found: RollbackView = rollbacks.header(session, rollback_id)
        by = deciding_person(session, name).acting(Via.CLI)
    note(f"{found.requested_by.name} wants to roll back {found.scope.sentence}. {found.reason}".strip())
    for line in totals_in_words(found.totals):
        note(line)
    what = "Approve" if verb is RollbackVerb.APPROVE else "Reject"
    confirm(f"{what} it as {by.name}?", yes)
    begun = _do(
        context,
        lambda gateway, _: gateway.decide_rollback(rollback_id, verb=verb, digest=found.digest, by=by, reason=reason),
    )
    words = {
        RollbackStatus.AWAITING: f"Noted. It still needs {begun.needs}.",
        RollbackStatus.REFUSED: "It is refused; nothing was undone.",
    }
    _say(as_json, begun.model_dump(mode="json"), words.get(begun.state, "It runs."))


def _do(context: typer.Context, work: Callable[[Gateway, Actor], Awaitable[_T]]) -> _T:
    """Do something through the gateway as whoever types; the database alone suffices, a worker wakes the rollback."""
    from assent.gateway import Gateway
    from assent.runtime.console import connect_if_there, console_actor, opened

    settings = settings_of(context)

    async def go() -> _T:
        with opened(settings) as database:
            gateway = Gateway(None, database, task_queue_prefix=settings.task_queue_prefix)
            if away := await connect_if_there(gateway, settings):
                note(f"Temporal is away: {away} It holds all the same.")
            return await work(gateway, console_actor())

    return asyncio.run(go())


def _say(as_json: bool, content: object, sentence: str) -> None:
    if as_json:
        print_json(content)
    else:
        tell(sentence)

"""Listing rollbacks, and showing one with its effects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, ago, exact, note, show_fields, show_page, show_table, tell
from assent.domain.money import money_text
from assent.domain.rollbacks import RollbackStatus, RollbackTotals
from assent.domain.undo_steps import StepOutcome, Undoable, UndoStep
from assent.domain.words import counted, reached

if TYPE_CHECKING:
    from assent.store.queries.rollbacks import RollbackView

RollbackId = Annotated[str, typer.Argument(help="The rollback's id.", metavar="ROLLBACK")]

EXIT_LEFT = 1
"""Exit code where something is left for a person, or must still be approved."""

VERDICTS = {
    Undoable.YES: "yes",
    Undoable.ALREADY: "already",
    Undoable.NOTHING: "nothing to undo",
    Undoable.NO: "no",
    Undoable.TOO_LATE: "too late",
    Undoable.CONFLICT: "conflict",
    Undoable.UNKNOWN: "not known",
}
"""What a preview says of an effect, in a word or two."""

_ENDS = {
    RollbackStatus.PREVIEW: "This is a preview.",
    RollbackStatus.CHECKING: "Its plan is being compared with the preview.",
    RollbackStatus.AWAITING: "It awaits approval; nothing was undone yet.",
    RollbackStatus.RUNNING: "It goes on.",
    RollbackStatus.HELD: "It is held; `assent rollback continue` lets it go on.",
    RollbackStatus.DONE: "Everything that could be undone was undone.",
    RollbackStatus.NEEDS_PERSON: "Something is left for a person: see above.",
    RollbackStatus.REFUSED: "It was refused; nothing was undone.",
}


def list_rollbacks(
    context: typer.Context,
    status: Annotated[RollbackStatus | None, typer.Option(help="Only those of this status.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List rollbacks, newest first."""
    from assent.runtime.console import reading
    from assent.store.queries import rollbacks
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.rollback_schemas import RollbackOut

    with reading(settings_of(context)) as session:
        page = rollbacks.page(session, status=status, request=PageRequest(limit, cursor))
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
            each.scope.sentence,
            each.reason,
        ],
    )


def show(
    context: typer.Context,
    rollback_id: RollbackId,
    verdict: Annotated[Undoable | None, typer.Option(help="Only effects of this verdict.")] = None,
    outcome: Annotated[StepOutcome | None, typer.Option(help="Only effects that have come to this.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """Show a rollback or a preview, effect by effect."""
    from assent.runtime.console import reading
    from assent.store.queries import rollback_steps, rollbacks
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.rollback_schemas import CountsOut, RollbackOut, StepOut

    with reading(settings_of(context)) as session:
        found = rollbacks.header(session, rollback_id)
        page = rollback_steps.page(
            session, rollback_id, verdict=verdict, outcome=outcome, request=PageRequest(limit, cursor)
        )
        votes = rollbacks.votes(session, rollback_id)
    if as_json:
        whole = RollbackOut.model_validate(found).model_dump(mode="json")
        whole["counts"] = CountsOut.model_validate(found.counts).model_dump(mode="json")
        whole["rules"] = found.rules.model_dump(mode="json") if found.rules else None
        whole["votes"] = [vote.model_dump(mode="json") for vote in votes]
        whole["steps"] = [StepOut.model_validate(each).model_dump(mode="json") for each in page.items]
        print_json(whole | {"next_cursor": page.next_cursor})
        return
    _show_header(found, [f"{vote.by.name}: {vote.verb.value}" for vote in votes])
    show_table(_HEADINGS, [_row(each.ordinal, each.step) for each in page.items])
    if page.next_cursor:
        note(f"There is more: --cursor {page.next_cursor}")
    tell(_ENDS[found.status])


def show_found(found: RollbackView, as_json: bool) -> None:
    """Show how a rollback ended."""
    from assent_ui.api.rollback_schemas import RollbackInFull

    if as_json:
        print_json(RollbackInFull.model_validate(found).model_dump(mode="json"))
        return
    show_table(_HEADINGS, [_row(each.ordinal, each.step) for each in found.steps])
    tell(_ENDS[found.status])


def totals_in_words(totals: RollbackTotals) -> Iterator[str]:
    """What a plan adds up to, a line each."""
    parts = [f"{count:,} {VERDICTS[verdict]}" for verdict in Undoable if (count := totals.by_verdict.get(verdict, 0))]
    if parts:
        yield f"{counted(totals.steps, 'effect')}: {', '.join(parts)}."
    back = [money_text(amount, currency) or str(amount) for currency, amount in sorted(totals.money.items())]
    if back:
        yield f"Undoing takes back {', '.join(back)}."
    if totals.reaches:
        yield f"Undoing reaches {reached(totals.reaches)}."
    left = [money_text(amount, currency) or str(amount) for currency, amount in sorted(totals.money_left.items())]
    if left:
        yield f"Not taken back: {', '.join(left)}."


_HEADINGS = ["step", "action", "came of it", "what it did", "why, or what to do"]


def _row(ordinal: int, step: UndoStep) -> list[object]:
    came = step.settled.how.value.replace("_", " ") if step.settled else (step.status or step.verdict).value
    later = "; ".join(f"later: {work.agent} at {exact(work.at)}, {work.sentence}" for work in step.later)
    why = " ".join(part for part in (step.why, later, step.task) if part)
    return [ordinal, step.action_id, came, step.sentence, why or step.undo]


def _show_header(found: RollbackView, votes: list[str]) -> None:
    held = f"{found.held_by.name}, since {exact(found.held_at)}" if found.held_by else ""
    show_fields(
        [
            ("Rollback", found.id),
            ("Of", found.scope.sentence),
            ("Status", found.status.value.replace("_", " ")),
            ("Asked for by", f"{found.requested_by.name}, {exact(found.requested_at)}"),
            ("Reason", found.reason),
            ("Says", found.message),
            ("Held by", held),
            ("Needs", found.needs if found.status is RollbackStatus.AWAITING else ""),
            ("Because", " ".join(found.rules.because) if found.rules else ""),
            ("Votes", ", ".join(votes)),
            ("Digest", found.digest),
            ("Adds up to", "\n".join(totals_in_words(found.totals))),
        ]
    )

"""``assent pause list`` and ``show``: what is stopped, and what it waits for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, ago, note, show_fields, show_page, show_table, tell
from assent.domain.pauses import PausePhase
from assent.domain.words import counted

if TYPE_CHECKING:
    from assent.store.queries.pauses import PauseView

SHOWN = 20
"""Claims, held runs and rollbacks that ``show`` lists."""

_STAGES = {0: "", 1: "the first run goes on", 2: "a few runs go on"}


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
        ["pause", "stops", "does", "asked", "by", "quiet", "is", "cause"],
        lambda pause: [
            pause.id,
            pause.scope.sentence,
            pause.disposition.value,
            ago(pause.requested_at),
            pause.requested_by.name,
            ago(pause.quiesced_at) or f"{pause.in_flight} under way",
            _phase(pause),
            pause.cause,
        ],
    )


def show(
    context: typer.Context,
    pause_id: Annotated[str, typer.Argument(help="The pause's id.", metavar="PAUSE")],
    as_json: Json = False,
) -> None:
    """Show a pause: its times, what was under way, what each held run waits for, what is rolled back."""
    from assent.runtime.console import reading
    from assent.store.queries import pauses, stopping
    from assent.store.queries.paging import PageRequest
    from assent_ui.api import pause_schemas
    from assent_ui.api.schemas import PauseOut

    first = PageRequest(SHOWN)
    with reading(settings_of(context)) as session:
        pause = pauses.one(session, pause_id)
        claims = stopping.claims(session, pause_id, request=first)
        held = stopping.held_runs(session, pause_id, request=first)
        rollbacks = stopping.rollbacks(session, pause_id, request=first)
    if as_json:
        print_json(
            {
                **PauseOut.model_validate(pause).model_dump(mode="json"),
                "claims": [
                    pause_schemas.ClaimOut.model_validate(each).model_dump(mode="json") for each in claims.items
                ],
                "held": [pause_schemas.HeldRunOut.model_validate(each).model_dump(mode="json") for each in held.items],
                "rollbacks": [
                    pause_schemas.PauseRollbackOut.model_validate(each).model_dump(mode="json")
                    for each in rollbacks.items
                ],
            }
        )
        return
    _fields(pause)
    if claims.items:
        tell("\nUnder way when it began, or since:")
        show_table(
            ["action", "type", "since", "asked to stop", "is"],
            [
                [each.action_id, each.type, ago(each.since), ago(each.asked_at), each.status or "given back"]
                for each in claims.items
            ],
        )
    if held.items:
        tell("\nHeld:")
        show_table(
            ["run", "agent", "action", "waits for", "what"],
            [
                [
                    run.run_id,
                    run.agent,
                    each.action_id.partition(":")[2],
                    _waits(each.pauses, each.approved),
                    each.sentence,
                ]
                for run in held.items
                for each in run.actions
            ],
        )
    if rollbacks.items:
        tell("\nRolled back:")
        show_table(
            ["run", "rollback", "is", "ended"],
            [
                [each.run_id, each.rollback_id, each.status or "not taken up yet", ago(each.finished_at)]
                for each in rollbacks.items
            ],
        )
    if claims.next_cursor or held.next_cursor or rollbacks.next_cursor:
        note(f"At most {SHOWN} of each are shown; the API lists all.")


def show_asked(context: typer.Context, pause_id: str) -> datetime | None:
    """Show what somebody is asked to agree to; gives when it was asked for, ``None`` if nobody is asked.

    Raises:
        NotFound: There is no such pause.
    """
    from assent.runtime.console import reading
    from assent.store.queries import pauses

    with reading(settings_of(context)) as session:
        pause = pauses.one(session, pause_id)
    if pause.phase is not PausePhase.SECOND_WANTED or pause.resume_asked_at is None:
        return None
    _fields(pause, err=True)
    return pause.resume_asked_at


def _fields(pause: PauseView, *, err: bool = False) -> None:
    answers = pause.answers
    show_fields(
        [
            ("pause", pause.id),
            ("stops", pause.scope.sentence),
            ("does", pause.disposition.value),
            ("is", _phase(pause)),
            ("cause", pause.cause),
            ("requested", f"{pause.requested_at.isoformat()} by {pause.requested_by.name}"),
            ("fenced", pause.fenced_at.isoformat()),
            ("quiesced", pause.quiesced_at.isoformat() if pause.quiesced_at else f"{pause.in_flight} under way"),
            ("open runs", str(pause.affected) if pause.known_at else "not counted yet"),
            ("asked to stop", ago(pause.asked_to_stop_at)),
            (
                "resume asked",
                f"{ago(pause.resume_asked_at)} by {pause.resume_asked_by.name}" if pause.resume_asked_by else "",
            ),
            ("second person", pause.second_by.name if pause.second_by else ""),
            ("trouble", answers.cause if answers else ""),
            ("changed", answers.changed if answers else ""),
            ("checked", "; ".join(answers.checks) if answers else ""),
            ("lets go", "all runs at once" if answers and answers.at_once else ""),
            ("held again", f"{ago(pause.fell_back_at)}: {pause.fell_back_why}" if pause.fell_back_at else ""),
            ("ended", pause.resumed_at.isoformat() if pause.resumed_at else ""),
        ],
        err=err,
    )


def _phase(pause: PauseView) -> str:
    match pause.phase:
        case PausePhase.ENDED:
            return f"ended {ago(pause.resumed_at)}"
        case PausePhase.RELEASING:
            return _STAGES.get(pause.stage, "letting go")
        case PausePhase.SECOND_WANTED:
            return "a second person must agree"
        case PausePhase.HOLDING:
            return "holds"


def _waits(pauses: tuple[str, ...], approved: bool) -> str:
    what = (", ".join(pauses) or "another look") if len(pauses) < 3 else f"{counted(len(pauses), 'pause')}"
    return f"{what}, then runs" if approved else f"{what}, then admission"

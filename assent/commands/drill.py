"""``assent drill``: rehearse an agent's stop and undo on a scratch copy of it, and look at what was measured."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, ago, note, show_fields, show_page, show_table, tell
from assent.domain.drills import DrillFigures, DrillStatus, StepDone
from assent.domain.words import lasting

if TYPE_CHECKING:
    from assent.runtime.settings import Settings
    from assent.store.database import Database
    from assent.store.queries.drills import DrillView

app = typer.Typer(help="Rehearse an agent's stop and undo.", no_args_is_help=True)

EXIT_FAILED = 1
"""The drill was held, and the agent's stop or undo did not keep to what its card asks."""

LOOK_EVERY = 0.2

_SHAPES = {DrillStatus.RUNNING: "… running", DrillStatus.PASSED: "✓ passed", DrillStatus.FAILED: "✗ failed"}


@app.command()
def run(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(help="The agent's name.")],
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for its end.")] = False,
    as_json: Json = False,
) -> None:
    """Hold a drill: pause live runs of a scratch copy for real, measure, undo, compare; ends with 1 if it fails."""
    found = asyncio.run(_held(settings_of(context), agent, wait=not no_wait, quiet=as_json))
    if as_json:
        _print(found)
    elif no_wait:
        tell(f"{found.id} began; `assent drill show {found.id}` shows how far it is.")
    else:
        _show(found)
    if found.status is DrillStatus.FAILED:
        raise typer.Exit(EXIT_FAILED)


@app.command("list")
def list_drills(
    context: typer.Context,
    agent: Annotated[str | None, typer.Option(help="Only this agent's.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List drills, newest first."""
    from assent.runtime.console import reading
    from assent.store.queries import drills
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.drill_schemas import DrillOut

    with reading(settings_of(context)) as session:
        page = drills.page(session, agent=agent, request=PageRequest(limit, cursor))
    show_page(
        page,
        as_json,
        lambda each: DrillOut.of(each).model_dump(mode="json"),
        ["drill", "agent", "came of it", "held", "by", "fenced", "quiet", "undone", "why it failed"],
        lambda each: [
            each.id,
            each.agent,
            _SHAPES[each.status],
            ago(each.started_at),
            each.requested_by.name,
            _seconds(each.figures.fence_seconds),
            _seconds(each.figures.quiesce_seconds),
            each.figures.undone,
            " ".join(each.reasons),
        ],
    )


@app.command()
def show(
    context: typer.Context,
    drill_id: Annotated[str, typer.Argument(help="The drill's id.", metavar="DRILL")],
    as_json: Json = False,
) -> None:
    """Show a drill: every step, every figure, and why it failed."""
    from assent.runtime.console import reading
    from assent.store.queries import drills

    with reading(settings_of(context)) as session:
        found = drills.one(session, drill_id)
    if as_json:
        _print(found)
    else:
        _show(found)


@app.command()
def due(context: typer.Context, as_json: Json = False) -> None:
    """Show where agents stand whose cards ask for drills; ends with 1 if one is overdue or failed last."""
    from assent.gateway import utc_now
    from assent.runtime.console import reading
    from assent.store.queries import drills
    from assent_ui.api.drill_schemas import StandingOut

    with reading(settings_of(context)) as session:
        found = drills.standings(session, now=utc_now())
    if as_json:
        print_json([StandingOut.of(each).model_dump(mode="json") for each in found])
    else:
        show_table(
            ["agent", "every", "last", "came of it", "next due", "what is wrong"],
            [
                [
                    each.agent,
                    lasting(each.every) if each.every else "",
                    ago(each.last_at) or "never",
                    _SHAPES[each.last_status] if each.last_status else "",
                    f"overdue, was due {ago(each.due_at)}" if each.overdue else ago(each.due_at),
                    each.wrong,
                ]
                for each in found
            ],
        )
    if any(each.wrong for each in found):
        raise typer.Exit(EXIT_FAILED)


async def _held(settings: Settings, agent: str, *, wait: bool, quiet: bool) -> DrillView:
    from assent.runtime.console import connected, console_actor

    async with connected(settings) as (gateway, database):
        drill_id = await gateway.start_drill(agent, by=console_actor())
        if not quiet:
            note(f"{drill_id} of {agent} on a scratch copy; nothing real is touched.")
        return await _followed(database, drill_id, wait=wait, quiet=quiet)


async def _followed(database: Database, drill_id: str, *, wait: bool, quiet: bool) -> DrillView:
    """Say each step as it begins and as it ends."""
    from assent.store.queries import drills

    told: set[tuple[str, bool]] = set()
    while True:
        with database.read() as session:
            found = drills.one(session, drill_id)
        for step in found.steps:
            for mark in (False, True) if step.ended_at else (False,):
                if not quiet and (step.step.value, mark) not in told:
                    note(f"    {step.words}" if mark else f"  {step.step.words} …")
                told.add((step.step.value, mark))
        if not wait or found.status is not DrillStatus.RUNNING:
            return found
        await asyncio.sleep(LOOK_EVERY)


def _print(found: DrillView) -> None:
    from assent_ui.api.drill_schemas import DrillInFull

    print_json(DrillInFull.of(found).model_dump(mode="json"))


def _show(found: DrillView) -> None:
    show_fields(
        [
            ("drill", found.id),
            ("agent", found.agent),
            ("scratch agent", found.scratch),
            ("asked for by", "the schedule" if found.scheduled else found.requested_by.name),
            ("began", found.started_at),
            ("ended", found.ended_at),
            *_figures(found.figures),
            ("pause", found.pause_id),
            ("rollback", found.rollback_id),
        ]
    )
    show_table(
        ["step", "took", "what came of it"],
        [[step.step.words, _took(step), step.words] for step in found.steps],
    )
    for reason in found.reasons:
        tell(f"✗ {reason}")
    tell(
        {DrillStatus.RUNNING: "It goes on.", DrillStatus.PASSED: "✓ It passed.", DrillStatus.FAILED: "It failed."}[
            found.status
        ]
    )


def _figures(figures: DrillFigures) -> list[tuple[str, object]]:
    return [
        ("live runs", figures.runs),
        ("requested", figures.requested_at),
        ("fenced after", _seconds(figures.fence_seconds)),
        ("under way then", figures.in_flight),
        ("quiet after", _seconds(figures.quiesce_seconds)),
        ("tried to pass", figures.tries),
        ("got past", figures.slipped),
        ("undone", figures.undone),
        ("not undone", figures.left),
        ("undone within", _seconds(figures.rollback_seconds)),
        ("records", figures.records),
        ("not as before", figures.differing),
        ("held runs", figures.held),
        ("went on", figures.went_on),
    ]


def _took(step: StepDone) -> str:
    return _seconds((step.ended_at - step.began_at).total_seconds()) if step.ended_at else ""


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.3f} s" if seconds < 10 else lasting(timedelta(seconds=seconds))

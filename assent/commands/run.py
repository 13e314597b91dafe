"""``assent run``: look at runs, start and stop them."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, ago, note, show_fields, show_page, show_table, tell
from assent.domain.errors import InvalidInput, NotFound
from assent.domain.runs import RunStatus
from assent.runtime.settings import Settings

if TYPE_CHECKING:
    from assent.store.queries.events import EventView
    from assent.store.queries.runs import RunView

app = typer.Typer(help="Look at runs, start and stop them.", no_args_is_help=True)

LOOK_EVERY = 0.5
"""Seconds between looks while watching a run."""

_MOMENT = 0.05
_MOMENTS = 100

RunId = Annotated[str, typer.Argument(help="The run's id.", metavar="RUN")]


@app.command("list")
def list_runs(
    context: typer.Context,
    agent: Annotated[str | None, typer.Option(help="Only this agent's.")] = None,
    status: Annotated[RunStatus | None, typer.Option(help="Only those in this status.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List runs, newest first."""
    from assent.runtime.console import reading
    from assent.store.queries import runs
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.schemas import RunOut

    with reading(settings_of(context)) as session:
        page = runs.page(session, agent=agent, status=status, request=PageRequest(limit, cursor))
    show_page(
        page,
        as_json,
        lambda run: RunOut.model_validate(run).model_dump(mode="json"),
        ["run", "agent", "status", "started", "actions", "last step"],
        lambda run: [run.run_id, run.agent, run.status.value, ago(run.started_at), run.actions, run.last_step],
    )


@app.command()
def show(context: typer.Context, run_id: RunId, as_json: Json = False) -> None:
    """Show a run and its actions."""
    from assent.runtime.console import reading
    from assent.store.queries import runs
    from assent.store.queries.paging import MAX_LIMIT, PageRequest
    from assent_ui.api.schemas import ActionOut, RunOut

    with reading(settings_of(context)) as session:
        run = runs.one(session, run_id)
        actions = runs.actions(session, run_id, request=PageRequest(MAX_LIMIT))
    if as_json:
        shown = [ActionOut.model_validate(action).model_dump(mode="json") for action in actions.items]
        print_json(
            RunOut.model_validate(run).model_dump(mode="json")
            | {"action_list": shown, "more_actions": actions.next_cursor is not None}
        )
        return
    _show_run(run)
    if actions.items:
        typer.echo()
        show_table(
            ["key", "type", "status", "what"],
            [[each.key, each.type, each.status.value, _what(each.sentence, each.message)] for each in actions.items],
        )
    if actions.next_cursor:
        note(f"The first {MAX_LIMIT} of {run.actions} actions are shown; `assent run watch` prints everything.")


@app.command()
def start(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(help="Name of an agent with a published card.")],
    goal: Annotated[str, typer.Option(help="What it is asked to do.")] = "",
    received: Annotated[str | None, typer.Option(help="What it is given: JSON, or @FILE.")] = None,
    plan: Annotated[Path | None, typer.Option(help="File with the list of actions, YAML or JSON.")] = None,
    stay_open: Annotated[bool, typer.Option("--open", help="Stay open for proposals after the plan.")] = False,
    run_id: Annotated[str | None, typer.Option("--id", help="An id of your own; safe to repeat.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="A word by which it can be paused; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Start a run; without a plan it stays open for proposals."""
    from pydantic import ValidationError

    from assent.gateway import StartRun
    from assent.runtime.console import connected, console_actor
    from assent.store.reading import run_exists

    actions = _read_plan(plan) if plan else []
    try:
        request = StartRun.model_validate(
            {
                "agent": agent,
                "goal": goal,
                "received": _read_json(received),
                "plan": actions,
                "open": stay_open or not actions,
                "run_id": run_id,
                "labels": label or [],
            }
        )
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise InvalidInput(f"{fault['msg']}.", where=".".join(str(part) for part in fault["loc"])) from error

    async def begin() -> str:
        async with connected(settings_of(context)) as (gateway, database):
            made = await gateway.start_run(request, by=console_actor())
            # Other commands read what the run's first step writes; give it a moment, but do not depend on it.
            for _ in range(_MOMENTS):
                if await asyncio.to_thread(run_exists, database, made):
                    break
                await asyncio.sleep(_MOMENT)
        return made

    started = asyncio.run(begin())
    if as_json:
        print_json({"run_id": started})
    else:
        tell(started)
        note(f"Follow it with `assent run watch {started}`.")


@app.command()
def stop(
    context: typer.Context,
    run_id: RunId,
    reason: Annotated[str, typer.Option(help="Why; kept in the ledger.")] = "",
    finish: Annotated[bool, typer.Option("--finish", help="Let what waits come to its end first.")] = False,
    as_json: Json = False,
) -> None:
    """Let a run take no more proposals, and withdraw what waits in it."""
    from assent.runtime.console import connected, console_actor

    async def end() -> None:
        async with connected(settings_of(context)) as (gateway, _):
            await gateway.end_run(run_id, by=console_actor(), summary=reason, stop=not finish)

    asyncio.run(end())
    if as_json:
        print_json({"run_id": run_id, "ending": True})
    else:
        tell(f"{run_id} ends. What it has done stays; `assent rollback run {run_id}` takes it back.")


@app.command()
def watch(
    context: typer.Context,
    run_id: RunId,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Print what happens in a run until it ends."""
    from assent_ui.api.schemas import EventOut

    for event in _events(settings_of(context), run_id):
        if as_json:
            typer.echo(EventOut.model_validate(event).model_dump_json())
        else:
            tell(f"{event.at.astimezone():%H:%M:%S}  {event.kind:20}  {_told(event)}")


def _events(settings: Settings, run_id: str) -> Iterator[EventView]:
    from assent.runtime.console import opened
    from assent.store.queries import runs, timeline

    last = 0
    with opened(settings) as database:
        while True:
            with database.read() as session:
                ended = runs.one(session, run_id).status.ended
                events = timeline.of_run(session, run_id, after=last)
            yield from events
            last = events[-1].id if events else last
            if ended and not events:
                return
            if not events:
                time.sleep(LOOK_EVERY)


def _told(event: EventView) -> str:
    body = event.body
    words = next((body[name] for name in ("sentence", "message", "summary", "why", "status") if body.get(name)), "")
    key = event.action_id.removeprefix(f"{event.run_id}:")
    return "  ".join(" ".join(str(part).split()) for part in (key, words, f"({event.actor.name})") if part)


def _show_run(run: RunView) -> None:
    show_fields(
        [
            ("run", run.run_id),
            ("agent", run.agent),
            ("status", run.status.value),
            ("goal", run.goal),
            (
                "received",
                run.received if isinstance(run.received, str) else json.dumps(run.received, ensure_ascii=False),
            ),
            ("started", f"{ago(run.started_at)} by {run.started_by.name}"),
            ("ended", ago(run.ended_at)),
            ("last step", run.last_step),
            ("message", run.message),
        ]
    )


def _what(sentence: str, message: str) -> str:
    return f"{sentence}: {message}" if message else sentence


def _read_json(text: str | None) -> Any:
    if text is None:
        return None
    try:
        content = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
        return json.loads(content)
    except OSError as error:
        raise NotFound(f"The file cannot be read: {error.strerror}.", where=text[1:]) from error
    except ValueError as error:
        raise InvalidInput(f"This is not JSON: {error}.", where="--received", todo="Put a text in quotes.") from error


def _read_plan(path: Path) -> list[Any]:
    try:
        content = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        plan = yaml.safe_load(content)
    except OSError as error:
        raise NotFound(f"The plan cannot be read: {error.strerror}.", where=str(path)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput("The plan is neither YAML nor JSON.", where=str(path)) from error
    if not isinstance(plan, list):
        raise InvalidInput(
            "A plan is a list of actions.", where=str(path), todo="Each has a key, a type and arguments."
        )
    return plan

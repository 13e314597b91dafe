"""``assent ledger``: who did what, and proof that the list was not edited."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, exact, note, show_page, show_table, tell
from assent.domain.errors import InvalidInput, NotFound
from assent.domain.words import counted

app = typer.Typer(help="Who did what, and proof that the list was not edited.", no_args_is_help=True)

EXIT_FAULTS = 1
_BATCH = 1_000

When = Annotated[datetime | None, typer.Option(help="In the time zone of this machine.")]


@app.command("list")
def list_events(
    context: typer.Context,
    run: Annotated[str | None, typer.Option(help="Events of a run.")] = None,
    action: Annotated[str | None, typer.Option(help="Events of an action.")] = None,
    agent: Annotated[str | None, typer.Option(help="Events that concern an agent.")] = None,
    kind: Annotated[str | None, typer.Option(help="Events of one kind, effect.done.")] = None,
    resource: Annotated[str | None, typer.Option(help="Everything that touched a record; goes alone.")] = None,
    since: When = None,
    until: When = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List events, newest first."""
    from assent.runtime.console import reading
    from assent.store.queries import ledger
    from assent.store.queries.ledger import LedgerFilter
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.schemas import EventOut

    wanted = LedgerFilter(run, action, agent, kind, _here(since), _here(until))
    request = PageRequest(limit, cursor)
    if resource is not None and wanted != LedgerFilter():
        raise InvalidInput("`--resource` goes alone.", where="--resource", todo="Leave the other filters out.")
    with reading(settings_of(context)) as session:
        if resource is not None:
            page = ledger.page_of_resource(session, resource, request=request)
        else:
            page = ledger.page(session, wanted, request=request)
    show_page(
        page,
        as_json,
        lambda event: EventOut.model_validate(event).model_dump(mode="json"),
        ["event", "when", "what", "who", "of"],
        lambda event: [
            event.id,
            exact(event.at),
            event.kind,
            event.actor.name,
            event.action_id or event.run_id or event.agent,
        ],
    )


@app.command()
def export(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output unless given.")] = None,
    after: Annotated[int, typer.Option(help="Only what was sealed after this event.", min=0)] = 0,
) -> None:
    """Write every sealed event as one JSON object a line, with its link of the hash chain."""
    from assent.runtime.console import opened
    from assent.store.ledger import seal_all
    from assent.store.queries import ledger
    from assent_ui.api.schemas import EventOut

    count, last = 0, after
    with ExitStack() as stack:
        database = stack.enter_context(opened(settings_of(context)))
        try:
            file = stack.enter_context(out.open("w", encoding="utf-8")) if out else sys.stdout
        except OSError as error:
            raise NotFound(f"The file cannot be written: {error.strerror}.", where=str(out)) from error
        seal_all(database)
        while True:
            with database.read() as session:
                events = ledger.after(session, last, limit=_BATCH)
            for event, link in events:
                shown = EventOut.model_validate(event).model_dump_json()
                file.write(f'{shown[:-1]},"chain":"{link}"}}\n')
            count += len(events)
            if len(events) < _BATCH:
                break
            last = events[-1][0].id
    note(f"{counted(count, 'event')} written.")


@app.command()
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Recompute the hash chain; ends with 1 if an event was changed, added or taken away."""
    from assent.runtime.console import opened
    from assent.store.ledger import check_chain

    with opened(settings_of(context)) as database:
        links, faults = check_chain(database)
    if as_json:
        print_json({"ok": not faults, "links": links, "faults": [asdict(fault) for fault in faults]})
    elif faults:
        show_table(["link", "event", "fault"], [[fault.seq, fault.event_id, fault.what] for fault in faults])
    else:
        tell(f"{counted(links, 'event')}, each as it was written.")
    if faults:
        raise typer.Exit(EXIT_FAULTS)


def _here(moment: datetime | None) -> datetime | None:
    return moment.astimezone() if moment else None

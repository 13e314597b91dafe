"""``assent incident find`` and ``export``: what agents did to records."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.incident_through import do
from assent.commands.printing import Cursor, Limit, ago, show_page, tell
from assent.domain.errors import InvalidInput, NotFound
from assent.domain.incidents import PartKind
from assent.domain.words import counted

Id = Annotated[str, typer.Argument(help="The incident's id.", metavar="INCIDENT")]
Since = Annotated[datetime | None, typer.Option(help="In the time zone of this machine.")]


def find(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A table (shop/orders), a record's name or id, or a customer.")],
    by: Annotated[str, typer.Option(help="table, record or customer.")] = "record",
    since: Since = None,
    agent: Annotated[str, typer.Option(help="By this agent only.")] = "",
    add_to: Annotated[str | None, typer.Option(help="Let all that is found belong to this incident.")] = None,
    add_runs: Annotated[bool, typer.Option("--runs", help="Add the runs instead of the records.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """Find what agents did to records, across all of them."""
    from assent.runtime.console import reading
    from assent.store.queries import affected
    from assent.store.queries.affected import Sought, SoughtBy
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.incident_schemas import AffectedOut

    if by not in list(SoughtBy):
        raise InvalidInput(f"Nothing is sought by {by!r}.", where="--by", todo="By table, record or customer.")
    sought = Sought(SoughtBy(by), name, since.astimezone() if since else None, agent)
    if add_to is not None:
        incident_id, kind = add_to, PartKind.RUN if add_runs else PartKind.RECORD
        added = do(context, lambda gateway, who: gateway.group_found(incident_id, sought, kind, by=who))
        if as_json:
            print_json({"incident": incident_id, "added": added})
        else:
            tell(f"{counted(added, 'new part')}.")
        return
    with reading(settings_of(context)) as session:
        page = affected.find(session, sought, request=PageRequest(limit, cursor))
    show_page(
        page,
        as_json,
        lambda item: AffectedOut.model_validate(item).model_dump(mode="json"),
        ["record", "when", "agent", "status", "action", "what"],
        lambda item: [item.record, ago(item.at), item.agent, item.undo or item.status, item.action_id, item.sentence],
    )


def export(
    context: typer.Context,
    incident_id: Id,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output unless given.")] = None,
    as_json: Json = False,
) -> None:
    """Write every affected record, as CSV or with --json as JSON."""
    from assent.runtime.console import opened
    from assent.store.queries import affected, incidents
    from assent_ui.rendering import exports

    with ExitStack() as stack:
        database = stack.enter_context(opened(settings_of(context)))
        with database.read() as session:
            since = incidents.one(session, incident_id).began_at
        try:
            file = stack.enter_context(out.open("w", encoding="utf-8", newline="")) if out else sys.stdout
        except OSError as error:
            raise NotFound(f"The file cannot be written: {error.strerror}.", where=str(out)) from error
        rows = affected.of_incident(database, incident_id, since)
        for line in exports.as_json(rows) if as_json else exports.as_csv(rows):
            file.write(line)

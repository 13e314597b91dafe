"""``assent incident``: keep together what was paused, affected, undone and said. The database alone is enough."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assent.commands import incident_affected, incident_report, incident_timeline
from assent.commands.context import Json, print_json, settings_of
from assent.commands.incident_through import do, person_id
from assent.commands.printing import Cursor, Limit, ago, exact, show_fields, show_page, show_table, tell
from assent.domain.errors import InvalidInput
from assent.domain.incidents import IncidentState, PartKind, Severity
from assent.domain.people import Actor
from assent.domain.words import counted

if TYPE_CHECKING:
    from assent.gateway import Gateway

app = typer.Typer(help="Incidents: what was paused, affected, undone and said, and what changes.", no_args_is_help=True)
app.command()(incident_report.report)
app.command("write")(incident_report.write_section)
app.command()(incident_report.agree)
app.command()(incident_report.actions)
app.command()(incident_report.settle)

Id = Annotated[str, typer.Argument(help="The incident's id.", metavar="INCIDENT")]
Runs = Annotated[list[str] | None, typer.Option("--run", help="An affected run. Repeatable.")]
Records = Annotated[list[str] | None, typer.Option("--record", help="An affected record. Repeatable.")]
Pauses = Annotated[list[str] | None, typer.Option("--pause", help="A pause. Repeatable.")]
Since = Annotated[datetime | None, typer.Option(help="In the time zone of this machine.")]


@app.command("open")
def open_one(
    context: typer.Context,
    title: Annotated[str, typer.Argument(help="What is wrong; may be left out with --pause or --run.")] = "",
    severity: Annotated[Severity, typer.Option(help="How bad it is.")] = Severity.HIGH,
    commander: Annotated[str | None, typer.Option(help="Address of the person who leads.")] = None,
    began: Since = None,
    pause: Pauses = None,
    run: Runs = None,
    record: Records = None,
    as_json: Json = False,
) -> None:
    """Open an incident; it stops nothing by itself."""
    from assent.gateway import NewIncident

    async def work(gateway: Gateway, by: Actor) -> str:
        wanted = NewIncident(
            title=title,
            severity=severity,
            commander_id=person_id(context, commander) if commander else "",
            began_at=began.astimezone() if began else None,
            pause_ids=pause or (),
            run_ids=run or (),
            records=record or (),
        )
        return await gateway.open_incident(wanted, by=by)

    incident_id = do(context, work)
    if as_json:
        print_json(_shown(context, incident_id))
    else:
        tell(f"{incident_id} is open.")


@app.command("list")
def list_incidents(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones, too.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List incidents, newest first."""
    from assent.runtime.console import reading
    from assent.store.queries import incidents
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.incident_schemas import IncidentOut

    with reading(settings_of(context)) as session:
        only_open = None if everything else True
        page = incidents.page(session, only_open=only_open, request=PageRequest(limit, cursor))
    show_page(
        page,
        as_json,
        lambda item: IncidentOut.model_validate(item).model_dump(mode="json"),
        ["incident", "state", "severity", "began", "leads", "title"],
        lambda item: [item.id, item.state, item.severity, ago(item.began_at), item.commander, item.title],
    )


@app.command()
def show(context: typer.Context, incident_id: Id, as_json: Json = False) -> None:
    """Show an incident with its facts."""
    found = _shown(context, incident_id)
    if as_json:
        print_json(found)
        return
    facts = found["facts"]
    names = ("id", "title", "state", "severity", "commander")
    times = ("began_at", "noticed_at", "stopped_at", "mended_at", "closed_at")
    show_fields(
        [(name, found[name]) for name in names]
        + [(name.removesuffix("_at"), exact(_moment(found[name]))) for name in times]
        + [(name, facts[name]) for name in ("runs", "records", "effects", "undone", "unknown")]
        + [("pauses", "\n".join(found["pauses"])), ("rollbacks", "\n".join(found["rollbacks"]))]
        + [("status", found["draft"])]
    )


@app.command()
def change(
    context: typer.Context,
    incident_id: Id,
    title: Annotated[str | None, typer.Option(help="Another title.")] = None,
    severity: Annotated[Severity | None, typer.Option(help="How bad it is.")] = None,
    commander: Annotated[str | None, typer.Option(help="Address of the person who leads.")] = None,
    began: Since = None,
    noticed: Since = None,
    as_json: Json = False,
) -> None:
    """Change what is said of an incident."""

    async def work(gateway: Gateway, by: Actor) -> None:
        await gateway.change_incident(
            incident_id,
            by=by,
            title=title,
            severity=severity,
            commander_id=person_id(context, commander) if commander else None,
            began_at=began.astimezone() if began else None,
            noticed_at=noticed.astimezone() if noticed else None,
        )

    do(context, work)
    _told(context, incident_id, as_json)


@app.command()
def move(
    context: typer.Context,
    incident_id: Id,
    state: Annotated[IncidentState, typer.Argument(help="Where it goes.")],
    why: Annotated[str, typer.Option(help="Why; needed to open it again.")] = "",
    as_json: Json = False,
) -> None:
    """Take an incident on; closing it needs its post-mortem."""
    do(context, lambda gateway, by: gateway.move_incident(incident_id, state, by=by, why=why))
    _told(context, incident_id, as_json)


@app.command()
def add(
    context: typer.Context,
    incident_id: Id,
    run: Runs = None,
    record: Records = None,
    pause: Pauses = None,
    rollback: Annotated[list[str] | None, typer.Option("--rollback", help="A rollback. Repeatable.")] = None,
    as_json: Json = False,
) -> None:
    """Let runs, records, pauses or rollbacks belong to an incident."""
    named = {PartKind.RUN: run, PartKind.RECORD: record, PartKind.PAUSE: pause, PartKind.ROLLBACK: rollback}
    if not any(named.values()):
        raise InvalidInput("Nothing is named.", where="--run", todo="Say `--run`, `--record`, `--pause` or more.")

    async def work(gateway: Gateway, by: Actor) -> int:
        return sum([await gateway.group(incident_id, kind, refs, by=by) for kind, refs in named.items() if refs])

    added = do(context, work)
    if as_json:
        print_json({"incident": incident_id, "added": added})
    else:
        tell(f"{counted(added, 'new part')}.")


app.command()(incident_affected.find)
app.command()(incident_affected.export)
app.command("note")(incident_timeline.write_note)
app.command()(incident_timeline.timeline)
app.command("tell")(incident_timeline.tell_people)


def _shown(context: typer.Context, incident_id: str) -> dict[str, Any]:
    from assent.domain.incident_words import status_text
    from assent.gateway.incident_facts import known_of
    from assent.runtime.console import reading
    from assent_ui.api.incident_schemas import IncidentInFull, IncidentOut

    with reading(settings_of(context)) as session:
        known = known_of(session, incident_id)
        return IncidentInFull(
            **IncidentOut.model_validate(known.incident).model_dump(),
            facts=known.facts,
            draft=status_text(known.facts, datetime.now(UTC)),
            pauses=known.controls.pause_ids,
            rollbacks=known.controls.rollback_ids,
        ).model_dump(mode="json")


def _told(context: typer.Context, incident_id: str, as_json: bool) -> None:
    found = _shown(context, incident_id)
    if as_json:
        print_json(found)
    else:
        show_table(
            ["incident", "state", "severity", "title"],
            [[found["id"], found["state"], found["severity"], found["title"]]],
        )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

"""``assent incident note``, ``timeline`` and ``tell``: what happened, and what people say of it."""

from __future__ import annotations

from typing import Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.incident_through import do
from assent.commands.printing import Cursor, Limit, exact, note, show_page, tell
from assent.domain.incident_story import event_text, event_title

Id = Annotated[str, typer.Argument(help="The incident's id.", metavar="INCIDENT")]


def write_note(
    context: typer.Context,
    incident_id: Id,
    text: Annotated[str, typer.Argument(help="What to write down.")],
    as_json: Json = False,
) -> None:
    """Write something down on an incident's timeline."""
    note_id = do(context, lambda gateway, by: gateway.note_incident(incident_id, text, by=by))
    if as_json:
        print_json({"id": note_id})
    else:
        tell("Written down.")


def timeline(
    context: typer.Context, incident_id: Id, limit: Limit = 100, cursor: Cursor = None, as_json: Json = False
) -> None:
    """List what happened, oldest first, out of the ledger."""
    from assent.runtime.console import reading
    from assent.store.queries import incident_times, incidents
    from assent.store.queries.paging import PageRequest

    with reading(settings_of(context)) as session:
        found = incidents.one(session, incident_id)
        controls = incident_times.controls_of(session, found).ids
        page = incident_times.timeline(session, found, request=PageRequest(limit, cursor), controls=controls)
    show_page(
        page,
        as_json,
        lambda event: {
            "event": event.id,
            "at": event.at.isoformat(),
            "kind": event.kind,
            "by": event.actor.model_dump(mode="json"),
            "title": event_title(event.kind, event.body),
            "text": event_text(event.kind, event.body),
        },
        ["when", "who", "what"],
        lambda event: [
            exact(event.at),
            event.actor.name,
            " ".join([event_title(event.kind, event.body), event_text(event.kind, event.body)]),
        ],
    )


def tell_people(
    context: typer.Context,
    incident_id: Id,
    text: Annotated[str | None, typer.Option(help="The text; the drafted one unless given.")] = None,
    channel: Annotated[str, typer.Option(help="slack; empty to keep the text only.")] = "",
    draft: Annotated[bool, typer.Option("--draft", help="Only print what would be sent.")] = False,
    as_json: Json = False,
) -> None:
    """Tell people how an incident stands, and keep what was sent."""
    drafted = do(context, lambda gateway, by: gateway.draft_status(incident_id))
    if draft:
        if as_json:
            print_json({"draft": drafted})
        else:
            tell(drafted)
        return
    sent = drafted if text is None else text
    told = do(context, lambda gateway, by: gateway.tell(incident_id, sent, channel=channel, drafted=drafted, by=by))
    if as_json:
        print_json({"id": told, "text": sent, "channel": channel})
    else:
        tell(f"{sent}\n")
        note("It is on its way." if channel else "It is kept; nobody was sent anything.")

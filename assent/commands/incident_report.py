"""``assent incident report``, ``write``, ``agree``, ``actions`` and ``settle``: the post-mortem, and what changes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.incident_through import do, person_id
from assent.commands.printing import Cursor, Limit, show_page, tell
from assent.domain.incidents import FollowUpState, Section

Id = Annotated[str, typer.Argument(help="The incident's id.", metavar="INCIDENT")]


def report(context: typer.Context, incident_id: Id, as_json: Json = False) -> None:
    """Show the post-mortem: what the ledger knows and what people wrote."""
    found = _report(context, incident_id)
    if as_json:
        print_json(found)
        return
    for each in found:
        newest = each["versions"][0]["text"] if each["versions"] else ""
        lines = [*each["facts"], *([newest] if newest else ["(needed)"] if each["needed"] else [])]
        tell(f"{each['title']}\n" + "\n".join(f"  {line}" for text in lines for line in text.split("\n")))


def write_section(
    context: typer.Context,
    incident_id: Id,
    section: Annotated[Section, typer.Argument(help="Which section.")],
    text: Annotated[str, typer.Argument(help="People's words in it.")],
    as_json: Json = False,
) -> None:
    """Write a section of the post-mortem; earlier versions stay."""
    there = next(each for each in _report(context, incident_id) if each["section"] == section.value)
    after = there["versions"][0]["version"] if there["versions"] else 0
    version = do(context, lambda gateway, by: gateway.write_section(incident_id, section, text, after=after, by=by))
    if as_json:
        print_json({"section": section.value, "version": version})
    else:
        tell(f"Kept as version {version}.")


def agree(
    context: typer.Context,
    incident_id: Id,
    text: Annotated[str, typer.Argument(help="What shall be done.")],
    owner: Annotated[str, typer.Option(help="Address of the person whose it is.")],
    due: Annotated[datetime, typer.Option(help="Until which day.", formats=["%Y-%m-%d"])],
    as_json: Json = False,
) -> None:
    """Agree on what shall be done after an incident."""
    owner_id = person_id(context, owner)
    action_id = do(
        context, lambda gateway, by: gateway.agree(incident_id, text, owner_id=owner_id, due=due.date(), by=by)
    )
    if as_json:
        print_json({"id": action_id})
    else:
        tell(f"{action_id} is agreed.")


def actions(
    context: typer.Context,
    state: Annotated[FollowUpState, typer.Option(help="Open, done or dropped.")] = FollowUpState.OPEN,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List what was agreed after incidents, soonest due first."""
    from assent.runtime.console import reading
    from assent.store.queries import follow_ups
    from assent.store.queries.paging import PageRequest

    today = datetime.now(UTC).date()
    with reading(settings_of(context)) as session:
        page = follow_ups.in_state(session, state, request=PageRequest(limit, cursor))
    show_page(
        page,
        as_json,
        lambda item: _follow_up(item, today),
        ["action", "until", "owner", "of", "what"],
        lambda item: [
            item.id,
            f"{item.due}{' OVERDUE' if item.overdue(today) else ''}",
            item.owner,
            item.title,
            item.text,
        ],
    )


def settle(
    context: typer.Context,
    action_id: Annotated[str, typer.Argument(help="The action's id.", metavar="ACTION")],
    state: Annotated[FollowUpState, typer.Argument(help="Done, dropped or open again.")],
    words: Annotated[str, typer.Option("--note", help="A word on it; needed to drop it.")] = "",
    as_json: Json = False,
) -> None:
    """Say what became of what was agreed."""
    incident_id = do(context, lambda gateway, by: gateway.settle_follow_up(action_id, state, note=words, by=by))
    if as_json:
        print_json({"id": action_id, "state": state.value, "incident": incident_id})
    else:
        tell(f"{action_id} is {state.value}.")


def _report(context: typer.Context, incident_id: str) -> list[dict[str, Any]]:
    from assent.domain.incident_words import TITLES, section_facts
    from assent.domain.incidents import NEEDED
    from assent.gateway.incident_facts import known_of
    from assent.runtime.console import reading
    from assent.store.queries import incidents
    from assent_ui.api.incident_schemas import SectionVersion

    with reading(settings_of(context)) as session:
        facts, written = known_of(session, incident_id).facts, incidents.sections(session, incident_id)
    return [
        {
            "section": each.value,
            "title": TITLES[each],
            "needed": each in NEEDED,
            "facts": section_facts(each, facts, datetime.now(UTC)),
            "versions": [
                SectionVersion.model_validate(version).model_dump(mode="json") for version in written.get(each, ())
            ],
        }
        for each in Section
    ]


def _follow_up(item: Any, today: date) -> dict[str, Any]:
    return {
        "id": item.id,
        "incident": item.incident_id,
        "text": item.text,
        "owner": item.owner,
        "due": item.due.isoformat(),
        "state": item.state.value,
        "overdue": item.overdue(today),
        "note": item.note,
    }

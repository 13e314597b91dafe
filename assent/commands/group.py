"""``assent group``: named sets of people that cards can ask."""

from __future__ import annotations

from typing import Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, Yes, ago, confirm, show_fields, show_page, show_table, tell
from assent.domain.words import counted

app = typer.Typer(help="Groups of people that cards can ask.", no_args_is_help=True)

GroupName = Annotated[str, typer.Argument(help="The group's name.", metavar="GROUP")]
Emails = Annotated[list[str], typer.Argument(help="Addresses of people.", metavar="ADDRESS...")]


@app.command("list")
def list_groups(context: typer.Context, limit: Limit = 50, cursor: Cursor = None, as_json: Json = False) -> None:
    """List groups by name."""
    from assent.runtime.console import reading
    from assent.store import groups
    from assent.store.queries.paging import PageRequest

    with reading(settings_of(context)) as session:
        page = groups.page(session, request=PageRequest(limit, cursor))
    show_page(
        page,
        as_json,
        lambda group: {
            "name": group.name,
            "title": group.title,
            "size": group.size,
            "created_at": group.created_at,
        },
        ["group", "people", "made", "title"],
        lambda group: [group.name, group.size, ago(group.created_at), group.title],
    )


@app.command()
def show(context: typer.Context, name: GroupName, as_json: Json = False) -> None:
    """Show a group and who is in it."""
    from assent.runtime.console import reading
    from assent.store import groups

    with reading(settings_of(context)) as session:
        group, members = groups.one(session, name), groups.members(session, name)
    if as_json:
        print_json(
            {
                "name": group.name,
                "title": group.title,
                "created_at": group.created_at,
                "members": [{"id": each.id, "email": each.email, "name": each.name} for each in members],
            }
        )
        return
    show_fields([("group", group.name), ("title", group.title), ("made", ago(group.created_at))])
    typer.echo()
    show_table(
        ["address", "state", "name"],
        [[each.email, "switched off" if each.disabled else "", each.name] for each in members],
    )


@app.command()
def create(
    context: typer.Context,
    name: GroupName,
    title: Annotated[str, typer.Option(help="What people call it.")] = "",
    as_json: Json = False,
) -> None:
    """Make an empty group."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store import groups

    with opened(settings_of(context)) as database, database.write() as session:
        made = groups.create(session, name, title=title, at=utc_now(), by=console_actor())
    if as_json:
        print_json({"name": made.name, "title": made.title, "size": 0, "created_at": made.created_at})
    else:
        tell(f"There is a group {made.name}. Put people in with `assent group add {made.name} ADDRESS`.")


@app.command()
def add(context: typer.Context, name: GroupName, emails: Emails, as_json: Json = False) -> None:
    """Put people into a group."""
    _change(context, name, emails, as_json, joining=True)


@app.command()
def remove(context: typer.Context, name: GroupName, emails: Emails, as_json: Json = False) -> None:
    """Take people out of a group."""
    _change(context, name, emails, as_json, joining=False)


@app.command()
def delete(context: typer.Context, name: GroupName, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a group; cards that ask it then ask nobody."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store import groups

    confirm(f"Delete the group {name}? Cards that ask it then ask nobody.", yes)
    with opened(settings_of(context)) as database, database.write() as session:
        groups.delete_group(session, name, at=utc_now(), by=console_actor())
    if as_json:
        print_json({"name": name, "deleted": True})
    else:
        tell(f"The group {name} is gone.")


def _change(context: typer.Context, name: str, emails: list[str], as_json: bool, *, joining: bool) -> None:
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store import groups, people

    change = groups.add if joining else groups.remove
    at, by = utc_now(), console_actor()
    with opened(settings_of(context)) as database, database.write() as session:
        # All of them or, if one address is unknown, nobody.
        changed = [email for email in emails if change(session, name, people.named(session, email).id, at=at, by=by)]
        size = groups.one(session, name).size
    if as_json:
        print_json({"name": name, "changed": changed, "size": size})
    else:
        tell(
            f"{counted(len(changed), 'person', 'people')} {'put in' if joining else 'taken out'}; {name} has {size:,}."
        )

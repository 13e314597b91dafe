"""``assent people``: who there is, what they may do, where they are signed in, and links to sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands import people_absent, people_reach
from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, Yes, ago, confirm, note, show_page, show_table, tell
from assent.domain.people import Role

if TYPE_CHECKING:
    from assent.store.people import Person
    from assent.store.sessions import SessionView

app = typer.Typer(help="Who there is, what they may do, and links to sign in.", no_args_is_help=True)
app.command()(people_absent.absent)
app.command()(people_absent.back)
app.command()(people_reach.reach)
app.command("absences")(people_absent.list_absences)

Email = Annotated[str, typer.Argument(help="The person's address.", metavar="ADDRESS")]
Roles = Annotated[
    list[Role] | None, typer.Option("--role", help="What they may do; repeat it for several, leave it out for none.")
]


@app.command("list")
def list_people(context: typer.Context, limit: Limit = 50, cursor: Cursor = None, as_json: Json = False) -> None:
    """List everybody."""
    from assent.runtime.console import reading
    from assent.store import people
    from assent.store.queries.paging import PageRequest

    with reading(settings_of(context)) as session:
        page = people.page(session, request=PageRequest(limit, cursor))
    show_page(
        page,
        as_json,
        _content,
        ["address", "name", "roles", "slack", "state", "since"],
        lambda person: [
            person.email,
            person.name,
            " ".join(person.roles) or "none",
            person.slack_user,
            "switched off" if person.disabled else "",
            ago(person.created_at),
        ],
    )


@app.command()
def add(
    context: typer.Context,
    email: Email,
    name: Annotated[str, typer.Option(help="Their name.")] = "",
    roles: Roles = None,
    as_json: Json = False,
) -> None:
    """Add a person; `assent people link` lets them in."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store import people

    with opened(settings_of(context)) as database, database.write() as session:
        person = people.add(session, email=email, name=name, roles=roles or (), at=utc_now(), by=console_actor())
    _tell(person, as_json)
    if not as_json:
        note(f"Let them in with `assent people link {person.email}`.")


@app.command()
def roles(context: typer.Context, email: Email, roles: Roles = None, as_json: Json = False) -> None:
    """Give a person exactly these roles."""
    _tell(_change(context, email, roles=roles or []), as_json)


@app.command()
def disable(context: typer.Context, email: Email, as_json: Json = False) -> None:
    """Let a person no longer sign in or decide; their open sessions end."""
    _tell(_change(context, email, disabled=True), as_json)


@app.command()
def enable(context: typer.Context, email: Email, as_json: Json = False) -> None:
    """Let a person in again."""
    _tell(_change(context, email, disabled=False), as_json)


@app.command()
def sessions(
    context: typer.Context,
    email: Email,
    end: Annotated[str | None, typer.Option(help="End this one, session-….", metavar="SESSION")] = None,
    end_all: Annotated[bool, typer.Option("--end-all", help="End every one.")] = False,
    as_json: Json = False,
) -> None:
    """List where a person is signed in, or end one session or all; that holds at once."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store import people
    from assent.store import sessions as kept

    at = utc_now()
    with opened(settings_of(context)) as database, database.write() as session:
        person = people.named(session, email)
        if end is not None:
            kept.end(session, person.id, end, at=at, by=console_actor())
        elif end_all:
            kept.end_all(session, person.id, at=at, by=console_actor())
        found = kept.of_person(session, person.id, at=at)
    if as_json:
        print_json({"items": [_session_content(each) for each in found]})
    else:
        show_table(
            ["session", "by", "from", "since", "used", "ends", "device"],
            [
                [
                    each.id,
                    each.how,
                    each.address,
                    ago(each.created_at),
                    ago(each.seen_at),
                    ago(each.expires_at),
                    each.user_agent,
                ]
                for each in found
            ],
        )


@app.command()
def reset(context: typer.Context, email: Email, yes: Yes = False, as_json: Json = False) -> None:
    """Take a person's password, passkeys, connected accounts and sessions away; a new link lets them in."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store import credentials, people

    confirm(f"Take everything away that {email} signs in with?", yes)
    with opened(settings_of(context)) as database, database.write() as session:
        person = people.named(session, email)
        counts = credentials.reset(session, person, at=utc_now(), by=console_actor())
    if as_json:
        print_json({"email": person.email, "removed": counts})
    else:
        gone = ", ".join(f"{number} {name if number != 1 else name[:-1]}" for name, number in counts.items())
        tell(f"Taken from {person.name}: {gone}.")
        note(f"Let them in again with `assent people link {person.email}`.")


@app.command()
def link(context: typer.Context, email: Email, as_json: Json = False) -> None:
    """Print a link that signs a person in once, within 15 minutes."""
    from assent.runtime.people import sign_in_link

    settings = settings_of(context)
    address = sign_in_link(settings, email)
    if not settings.address_said:
        note("Nothing says where the pages are, so this is the usual address: no `assent up` runs on this data folder.")
        note("Set ASSENT_PUBLIC_URL to the address that people use, here as for the web process.")
    if as_json:
        print_json({"email": email, "link": address})
    else:
        note("It works once, within 15 minutes:")
        typer.echo(address)


def _change(
    context: typer.Context, email: str, *, roles: list[Role] | None = None, disabled: bool | None = None
) -> Person:
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store import people

    with opened(settings_of(context)) as database, database.write() as session:
        found = people.named(session, email)
        return people.change(session, found.id, at=utc_now(), by=console_actor(), roles=roles, disabled=disabled)


def _tell(person: Person, as_json: bool) -> None:
    if as_json:
        print_json(_content(person))
    else:
        state = " is switched off and" if person.disabled else ""
        tell(f"{person.name} <{person.email}>{state} has {', '.join(person.roles) or 'no role'}.")


def _content(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "roles": person.roles,
        "slack_user": person.slack_user,
        "disabled": person.disabled,
        "created_at": person.created_at,
    }


def _session_cells(each: SessionView) -> list[object]:
    times = [ago(moment) for moment in (each.created_at, each.seen_at, each.expires_at)]
    return [each.id, each.how, each.address, *times, each.user_agent]


def _session_content(each: SessionView) -> dict[str, object]:
    return {
        "id": each.id,
        "how": each.how,
        "address": each.address,
        "user_agent": each.user_agent,
        "created_at": each.created_at,
        "seen_at": each.seen_at,
        "expires_at": each.expires_at,
        "proven_at": each.proven_at,
    }

"""``assent people absent``, ``back`` and ``absences``: who is away, and who decides in their place."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, exact, show_page, tell
from assent.domain.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from assent.store.absences import Absence
    from assent.store.people import Person

Email = Annotated[str, typer.Argument(help="The person's address.", metavar="ADDRESS")]


def absent(
    context: typer.Context,
    email: Email,
    until: Annotated[
        str, typer.Option(help="Their last day away, 2030-08-14, or the moment they are back, 2030-08-15T09:00.")
    ],
    since: Annotated[
        str | None, typer.Option("--from", help="Their first day away, or a moment; now, if left out.")
    ] = None,
    delegate: Annotated[str | None, typer.Option(help="Address of the person who decides in their place.")] = None,
    why: Annotated[str, typer.Option("--note", help="Why, for colleagues.")] = "",
    as_json: Json = False,
) -> None:
    """Enter that somebody is away; times are those of this machine unless they name another zone."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store import absences, people

    now = utc_now()
    starts_at = now if since is None else moment(since, "--from", last=False)
    ends_at = moment(until, "--until", last=True)
    with opened(settings_of(context)) as database, database.write() as session:
        person = people.named(session, email)
        stand_in = None if delegate is None else people.named(session, delegate)
        made = absences.add(
            session,
            person.id,
            starts_at=starts_at,
            ends_at=ends_at,
            delegate_id=stand_in.id if stand_in else None,
            note=why,
            at=now,
            by=console_actor(),
        )
    if as_json:
        print_json(content(made))
    else:
        instead = f"; {stand_in.name} decides in their place" if stand_in else ""
        tell(f"{person.name} is away from {exact(made.starts_at)} until {exact(made.ends_at)}{instead}.")


def back(context: typer.Context, email: Email, as_json: Json = False) -> None:
    """End somebody's absence now, or take back the next one."""
    from assent.gateway import utc_now
    from assent.runtime.console import console_actor, opened
    from assent.store import absences, people

    now = utc_now()
    with opened(settings_of(context)) as database, database.write() as session:
        person = people.named(session, email)
        found = absences.current(session, person.id, now)
        if found is None:
            raise NotFound(
                f"{person.name} is not away.", where="absence", todo="`assent people absences` shows who is."
            )
        ended = absences.end(session, found.id, at=now, by=console_actor())
    if as_json:
        print_json(content(ended))
    else:
        tell(f"{person.name} is back.")


def list_absences(context: typer.Context, limit: Limit = 50, cursor: Cursor = None, as_json: Json = False) -> None:
    """List who is away, or will be, soonest back first."""
    from assent.gateway import utc_now
    from assent.runtime.console import reading
    from assent.store import absences, people
    from assent.store.queries.paging import PageRequest

    with reading(settings_of(context)) as session:
        page = absences.page(session, utc_now(), request=PageRequest(limit, cursor))
        ids = {each.person_id for each in page.items} | {each.delegate_id or "" for each in page.items}
        named: dict[str, Person] = {one: found for one in ids if (found := people.one(session, one)) is not None}
    show_page(
        page,
        as_json,
        content,
        ["address", "from", "until", "stands in", "note"],
        lambda each: [
            named[each.person_id].email if each.person_id in named else each.person_id,
            exact(each.starts_at),
            exact(each.ends_at),
            named[each.delegate_id].email if each.delegate_id in named else "",
            each.note,
        ],
    )


def moment(written: str, where: str, *, last: bool) -> datetime:
    """A day or a moment as somebody types it, in the time zone of this machine.

    Args:
        written: ``2030-08-14`` or ``2030-08-14T17:30``, with a zone or without.
        where: The option, for errors.
        last: A day means its end, not its beginning.

    Raises:
        InvalidInput: It is neither.
    """
    try:
        if len(written) == len("2030-08-14"):
            day = date.fromisoformat(written) + (timedelta(days=1) if last else timedelta(0))
            return datetime.combine(day, time()).astimezone()
        found = datetime.fromisoformat(written)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"{written!r} is no day and no moment.", where=where, todo="Write 2030-08-14 or 2030-08-14T17:30."
        ) from error
    return found.astimezone() if found.tzinfo is None else found


def content(absence: Absence) -> dict[str, object]:
    """An absence as JSON."""
    return {
        "id": absence.id,
        "person_id": absence.person_id,
        "delegate_id": absence.delegate_id,
        "from": absence.starts_at.isoformat(),
        "until": absence.ends_at.isoformat(),
        "note": absence.note,
    }

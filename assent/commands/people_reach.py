"""``assent people reach``: by which ways a person is told what they are asked, and at which hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import note, tell
from assent.domain.days import Day
from assent.domain.errors import InvalidInput

if TYPE_CHECKING:
    from assent.domain.reaching import Reaching

_Switch = bool | None


def reach(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="The person's address.", metavar="ADDRESS")],
    mail: Annotated[_Switch, typer.Option("--mail/--no-mail", help="A mail for each request.")] = None,
    slack: Annotated[_Switch, typer.Option("--slack/--no-slack", help="A direct message in Slack for each.")] = None,
    webhook: Annotated[_Switch, typer.Option("--webhook/--no-webhook", help="A call to their own webhook.")] = None,
    decided: Annotated[_Switch, typer.Option("--decided/--no-decided", help="One short mail at the end.")] = None,
    quiet: Annotated[str | None, typer.Option(help="Quiet hours, 22:00-07:00.", metavar="FROM-TO")] = None,
    quiet_day: Annotated[list[Day] | None, typer.Option(help="A whole quiet day; repeat it for several.")] = None,
    zone: Annotated[str | None, typer.Option(help="Their time zone, Europe/Berlin.")] = None,
    no_quiet: Annotated[bool, typer.Option("--no-quiet", help="No quiet hours.")] = False,
    urgent: Annotated[
        _Switch, typer.Option("--urgent/--no-urgent", help="Reminders and escalations come in quiet hours too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show or change how a person is reached; without options it only shows."""
    from assent.gateway import utc_now
    from assent.runtime.channels import channels_of
    from assent.runtime.console import console_actor, opened
    from assent.store import people, reaching

    settings, at = settings_of(context), utc_now()
    switches = {"mail": mail, "slack": slack, "webhook": webhook, "decided": decided, "urgent": urgent}
    wanted: dict[str, Any] = {name: value for name, value in switches.items() if value is not None}
    if no_quiet and (quiet or quiet_day or zone):
        raise InvalidInput("Quiet hours and none at once.", where="--no-quiet", todo="Leave one of them out.")
    with opened(settings) as database, database.write() as session:
        person = people.named(session, email)
        chosen = reaching.of_person(session, person.id)
        if no_quiet:
            wanted["quiet"] = None
        elif quiet or quiet_day or zone:
            wanted["quiet"] = _hours(chosen, quiet, quiet_day, zone)
        if wanted:
            after = chosen.model_copy(update=wanted)
            chosen = reaching.choose(session, person, after, at=at, by=console_actor())
    ways = channels_of(settings)
    sentence = chosen.quiet_words(at)
    if as_json:
        print_json({"email": person.email, "ways": ways, "next_quiet": sentence, **chosen.model_dump(mode="json")})
        return
    on = [name for name in ("mail", "slack", "webhook") if getattr(chosen, name)]
    tell(f"{person.name} wants to be told by {', '.join(on) or 'nothing but the pages'}.")
    if chosen.quiet is not None:
        tell(f"Quiet: {chosen.quiet.words} ({chosen.quiet.zone}){_except(chosen)}. {sentence}")
    missing = [name for name in on if name not in ways]
    if missing:
        note(f"This installation does not have: {', '.join(missing)}.")


def _except(chosen: Reaching) -> str:
    return ", except for reminders and escalations" if chosen.urgent else ""


def _hours(chosen: Reaching, quiet: str | None, days: list[Day] | None, zone: str | None) -> object:
    from pydantic import ValidationError

    from assent.domain.quiet_hours import QuietHours

    before = chosen.quiet or QuietHours()
    values: dict[str, Any] = before.model_dump()
    if quiet is not None:
        starts, dash, ends = quiet.partition("-")
        if not dash:
            raise InvalidInput(f"{quiet!r} are no hours.", where="--quiet", todo="Write 22:00-07:00.")
        values |= {"starts": starts.strip(), "ends": ends.strip()}
    if days is not None:
        values["days"] = days
    if zone is not None:
        values["zone"] = zone
    try:
        return QuietHours.model_validate(values)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]
        raise InvalidInput(
            f"These quiet hours cannot be: {said['msg']}.",
            where=".".join(str(part) for part in said["loc"]) or "--quiet",
            todo="Write --quiet 22:00-07:00 --zone Europe/Berlin --quiet-day sun.",
        ) from error

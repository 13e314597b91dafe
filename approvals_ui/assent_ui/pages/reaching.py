"""The part of the account page that says how one is reached."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from assent.domain.days import Day
from assent.domain.errors import InvalidInput
from assent.domain.quiet_hours import QuietHours
from assent.domain.reaching import Reaching
from assent.store import reaching
from assent_ui.deps import Deps, DepsHere
from assent_ui.identity.own import own_person
from assent_ui.pages.context import Here

router = APIRouter()

Text = Annotated[str, Form()]
_UNCHANGED = QuietHours()


@dataclass(frozen=True, slots=True)
class ReachingForm:
    """What the form shows.

    Attributes:
        chosen: What the person chose.
        quiet: The quiet hours that the form begins with.
        quiet_on: Whether they are in force.
        sentence: When quiet comes or ends next; empty if never.
        ways: The ways that this installation has.
        zones: Time zones to choose from.
        days: Days to choose from.
    """

    chosen: Reaching
    quiet: QuietHours
    quiet_on: bool
    sentence: str
    ways: tuple[str, ...]
    zones: tuple[str, ...]
    days: tuple[Day, ...] = tuple(Day)


def reaching_form(session: Session, deps: Deps, person_id: str) -> ReachingForm:
    """The form of somebody."""
    chosen = reaching.of_person(session, person_id)
    return ReachingForm(
        chosen=chosen,
        quiet=chosen.quiet or _UNCHANGED,
        quiet_on=chosen.quiet is not None,
        sentence=chosen.quiet_words(deps.clock()),
        ways=deps.channels,
        zones=_zones(),
    )


@router.post("/account/reaching")
async def choose(
    request: Request,
    here: Here,
    deps: DepsHere,
    mail: Text = "",
    slack: Text = "",
    webhook: Text = "",
    decided: Text = "",
    urgent: Text = "",
    quiet: Text = "",
    starts: Text = "",
    ends: Text = "",
    zone: Text = "",
    days: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Keep how one wants to be reached."""
    at = deps.clock()
    try:
        hours = QuietHours.model_validate(
            {"zone": zone, "starts": starts[:5], "ends": ends[:5], "days": days or []} if quiet else {}
        )
    except ValidationError as error:
        raise InvalidInput(
            f"These quiet hours cannot be: {error.errors(include_url=False)[0]['msg']}.",
            where="quiet",
            todo="Go back and correct them; nothing was changed.",
        ) from error

    def keep(session: Session) -> None:
        # A way that this installation does not have has no box on the page: what was chosen of it stays.
        before = reaching.of_person(session, here.viewer.id)
        offered = {"mail": bool(mail), "slack": bool(slack), "webhook": bool(webhook), "decided": bool(decided)}
        shown = {name for name in offered if name in deps.channels or (name == "decided" and "mail" in deps.channels)}
        wanted = {name: value for name, value in offered.items() if name in shown}
        after = before.model_copy(update=wanted | {"urgent": bool(urgent), "quiet": hours if quiet else None})
        reaching.choose(session, own_person(session, here.viewer), after, at=at, by=here.viewer.actor)

    await deps.write(keep)
    return RedirectResponse("/account?done=reaching#reaching", status_code=303)


@cache
def _zones() -> tuple[str, ...]:
    places = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return (*places, "UTC")

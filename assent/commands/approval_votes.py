"""``assent approval votes``, ``withdraw``, ``reassign`` and ``ask-also``: how a vote stands, and who else decides."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from assent.commands import approval_check
from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Name, Yes, ago, confirm, exact, note, show_fields, tell
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.approving import StepKind
from assent.domain.errors import NotFound
from assent.domain.people import Actor, Via

if TYPE_CHECKING:
    from assent.domain.checks import Check
    from assent.gateway import Gateway
    from assent.store.database import Database
    from assent.store.queries.standing import Standing
    from assent.store.votes import Fate

ApprovalId = Annotated[str, typer.Argument(help="The request's id, ap-….", metavar="REQUEST")]
To = Annotated[str, typer.Option("--to", help="Address of the person who is to decide it.", metavar="ADDRESS")]
Reason = Annotated[str, typer.Option(help="Why; both are told.")]
WAIT = 5.0
"""Seconds that a command waits for the run to say what became of a decision."""

_DONE = {Verb.APPROVE: "Approved", Verb.REJECT: "Rejected", Verb.WITHDRAW: "Taken back"}
_T = TypeVar("_T")


def votes(context: typer.Context, approval_id: ApprovalId, as_json: Json = False) -> None:
    """Show how the vote stands: who is still needed, what time brings next, what silence means."""
    from assent.gateway import utc_now
    from assent.runtime.console import reading
    from assent.store.queries.checks_shown import standing_of
    from assent.store.queries.standing import standing
    from assent_ui.api.voting_schemas import StandingOut

    with reading(settings_of(context)) as session:
        check = approval_check.of(session, approval_id)
        found = standing(session, approval_id, utc_now()) if check is None else standing_of(check)
    if as_json:
        print_json(StandingOut.model_validate(found).model_dump(mode="json"))
    else:
        _show(found)


def withdraw(
    context: typer.Context, approval_id: ApprovalId, name: Name = None, yes: Yes = False, as_json: Json = False
) -> None:
    """Take your own vote back, as long as nothing ran."""
    from assent.store.queries import approvals
    from assent_ui.api.voting_schemas import FateOut

    async def send(gateway: Gateway, database: Database, by: Actor) -> Fate | None:
        with database.read() as session:
            found = approvals.one(session, approval_id)
        made = await gateway.decide(approval_id, verb=Verb.WITHDRAW, digest=found.digest, by=by)
        return await gateway.fate(made.id, wait_seconds=WAIT)

    found = _as_person(context, name, send, ask="Take the vote back", yes=yes)
    if as_json:
        print_json(None if found is None else FateOut.model_validate(found).model_dump(mode="json"))
    else:
        tell_fate(Verb.WITHDRAW, found)


def reassign(
    context: typer.Context,
    approval_id: ApprovalId,
    to: To,
    of: Annotated[
        str | None, typer.Option("--from", help="Address of the person whose place it is, if not yours.")
    ] = None,
    reason: Reason = "",
    name: Name = None,
    as_json: Json = False,
) -> None:
    """Let somebody decide a request in your place."""

    async def send(gateway: Gateway, database: Database, by: Actor) -> Check | None:
        taker = _id_of(database, to)
        giver = None if of is None else _id_of(database, of)
        try:
            await gateway.reassign(approval_id, to=taker, from_person=giver, by=by, reason=reason)
        except NotFound as error:
            return await approval_check.hand(gateway, approval_id, reason, by, error)
        return None

    check = _as_person(context, name, send)
    _told(as_json, approval_id, to, "reassigned", f"{to} decides it from now on.", check)


def ask_also(
    context: typer.Context,
    approval_id: ApprovalId,
    to: To,
    reason: Reason = "",
    name: Name = None,
    as_json: Json = False,
) -> None:
    """Ask somebody else besides: either of you decides it, as one voice."""

    async def send(gateway: Gateway, database: Database, by: Actor) -> Check | None:
        taker = _id_of(database, to)
        try:
            await gateway.ask_also(approval_id, to=taker, by=by, reason=reason)
        except NotFound as error:
            return await approval_check.hand(gateway, approval_id, reason, by, error)
        return None

    check = _as_person(context, name, send)
    _told(as_json, approval_id, to, "asked", f"{to} is asked as well.", check)


def tell_fate(verb: Verb, found: Fate | None, missing: str = "") -> None:
    """Say what became of a decision, whether it counted or not."""
    if found is None:
        note("The run has not taken it up yet; `assent approval votes` shows when it has.")
    elif not found.counted:
        tell(f"It did not count: {found.why_not}")
    elif verb is Verb.APPROVE and found.status is ApprovalStatus.PENDING:
        tell(f"It still needs {missing}." if missing else "It waits for others, too.")
    elif verb is Verb.REJECT and found.status is ApprovalStatus.PENDING:
        tell("It takes more than one person to reject it; it waits for others, too.")
    elif verb is Verb.WITHDRAW:
        tell("Taken back.")


def _as_person(
    context: typer.Context,
    name: str | None,
    work: Callable[[Gateway, Database, Actor], Awaitable[_T]],
    *,
    ask: str = "",
    yes: bool = True,
) -> _T:
    """Do something in a person's name, through the gateway."""
    from assent.runtime.console import connected, deciding_person

    async def run() -> _T:
        async with connected(settings_of(context)) as (gateway, database):
            with database.read() as session:
                person = deciding_person(session, name)
            if ask:
                confirm(f"{ask} as {person.name}?", yes)
            return await work(gateway, database, person.acting(Via.CLI))

    return asyncio.run(run())


def _id_of(database: Database, email: str) -> str:
    from assent.store import people

    with database.read() as session:
        return people.named(session, email).id


def _told(as_json: bool, approval_id: str, to: str, how: str, sentence: str, check: Check | None) -> None:
    if check is not None:
        approval_check.told(check, as_json)
    elif as_json:
        print_json({"approval_id": approval_id, how: to})
    else:
        tell(sentence)


def _show(found: Standing) -> None:
    given = "\n".join(
        f"{vote.by.name} {_DONE[vote.verb].lower()} it, {ago(vote.at)}"
        + (f", in the name of {vote.in_the_name_of}" if vote.in_the_name_of else "")
        + (f", for {vote.counts_for}" if vote.counts_for else "")
        for vote in found.votes
    )
    show_fields(
        [
            ("needs", found.needs),
            ("because", "\n".join(found.because)),
            ("given", f"{found.given} of {found.needed}"),
            ("missing", found.missing),
            ("against", f"{found.against} of {found.deny}" if found.deny > 1 or found.against else ""),
            ("votes", given),
            ("sure enough", "" if found.assurance.value == "slack" else found.assurance.value),
            ("next", _next(found)),
            ("silence", found.silence_words),
            ("time is up", f"{exact(found.ends_at)}, {ago(found.ends_at)}"),
        ]
    )


def _next(found: Standing) -> str:
    if found.next is None:
        return ""
    what = "a reminder" if found.next.kind is StepKind.REMIND else f"{', '.join(found.next.to)} will be asked as well"
    return f"{exact(found.next.at)}, {ago(found.next.at)}: {what}"

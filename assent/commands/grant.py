"""``assent grant``: what people approve from now on."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assent.commands import patterns
from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import (
    Cursor,
    Limit,
    Name,
    Yes,
    ago,
    confirm,
    note,
    show_fields,
    show_page,
    show_table,
    tell,
)
from assent.domain.errors import Conflict, Forbidden, InvalidInput
from assent.domain.grants import GrantStatus, GrantTerms
from assent.domain.people import Actor, Via

if TYPE_CHECKING:
    from assent.gateway import Gateway
    from assent.store.queries.grants import GrantView

app = typer.Typer(help="What people approve from now on.", no_args_is_help=True)

GrantId = Annotated[str, typer.Argument(help="The grant's id, grant-….", metavar="GRANT")]
SHOWN_USES = 20


@app.command("list")
def list_grants(
    context: typer.Context,
    agent: Annotated[str | None, typer.Option(help="Only this agent's.")] = None,
    status: Annotated[GrantStatus | None, typer.Option(help="Those in this status.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List standing grants, newest first."""
    from assent.gateway import utc_now
    from assent.runtime.console import reading
    from assent.store.queries import grants
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.grant_schemas import GrantOut

    with reading(settings_of(context)) as session:
        page = grants.page(session, now=utc_now(), agent=agent, status=status, request=PageRequest(limit, cursor))
    show_page(
        page,
        as_json,
        lambda each: GrantOut.model_validate(each).model_dump(mode="json"),
        ["grant", "status", "agent", "type", "used", "ends", "by", "covers"],
        lambda each: [
            each.id,
            each.status.value,
            each.terms.agent,
            each.terms.action_type,
            f"{each.used} of {each.terms.uses}",
            ago(each.terms.expires_at),
            each.given_by.name,
            "; ".join(each.terms.sentences) or "everything of this type",
        ],
    )


@app.command()
def show(context: typer.Context, grant_id: GrantId, as_json: Json = False) -> None:
    """Show a grant, who gave their word, and what it covered last."""
    from assent.gateway import utc_now
    from assent.runtime.console import reading
    from assent.store.queries import grants
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.grant_schemas import GrantOut, UseOut

    with reading(settings_of(context)) as session:
        found = grants.one(session, grant_id, now=utc_now())
        uses = grants.uses(session, grant_id, request=PageRequest(SHOWN_USES)).items
    if as_json:
        print_json(
            GrantOut.model_validate(found).model_dump(mode="json")
            | {"uses": [UseOut.model_validate(use).model_dump(mode="json") for use in uses]}
        )
        return
    _show(found)
    if uses:
        typer.echo()
        rows = [
            [use.action_id, use.status.value if use.status else "", ago(use.at), ago(use.given_back_at), use.sentence]
            for use in uses
        ]
        show_table(["action", "status", "covered", "given back", "what"], rows)


@app.command()
def give(
    context: typer.Context,
    agent: Annotated[str | None, typer.Argument(help="The agent's name.")] = None,
    action_type: Annotated[str | None, typer.Argument(help="Name of the action type.", metavar="TYPE")] = None,
    where: Annotated[list[str] | None, typer.Option(help=patterns.HELP)] = None,
    condition: Annotated[str, typer.Option("--if", help="A further condition in CEL over args.")] = "",
    uses: Annotated[int | None, typer.Option(help="How many actions it covers.")] = None,
    lasts: Annotated[str | None, typer.Option("--for", help="How long it stands: 8h, 7d.")] = None,
    like: Annotated[
        str | None,
        typer.Option("--like", help="A request that waits: start from what fits exactly it.", metavar="REQUEST"),
    ] = None,
    reason: Annotated[str, typer.Option("--note", help="Why; kept with it.")] = "",
    name: Name = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let alike actions run from now on, without asking for each."""
    from assent.gateway import Gateway
    from assent.runtime.channels import channels_of
    from assent.runtime.console import deciding_person, opened

    settings = settings_of(context)
    said: dict[str, Any] = {"arguments": patterns.read_patterns(where or []), "condition": condition, "uses": uses}
    said |= {"agent": agent, "action_type": action_type, "expires_at": _end(lasts)}
    with opened(settings) as database:
        with database.read() as session:
            person = deciding_person(session, name)
        prefix, channels = settings.task_queue_prefix, channels_of(settings)
        gateway, by = Gateway(None, database, task_queue_prefix=prefix, channels=channels), person.acting(Via.CLI)
        terms = _terms(said, {} if like is None else _like(gateway, like, by))
        if not as_json:
            _show_terms(terms)
            typer.echo()
        confirm(f"Give this grant as {person.name}?", yes)
        made = asyncio.run(gateway.grant(terms, by=by, note=reason, approval_id=like or ""))
    _told(made, as_json, "is given and counts from now on")


@app.command("confirm")
def confirm_grant(
    context: typer.Context,
    grant_id: GrantId,
    digest: Annotated[str | None, typer.Option(help="Only if the grant still says this.")] = None,
    name: Name = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Give one's word for a pending grant."""
    from assent.gateway import Gateway, utc_now
    from assent.runtime.channels import channels_of
    from assent.runtime.console import deciding_person, opened
    from assent.store.queries import grants

    settings = settings_of(context)
    with opened(settings) as database:
        with database.read() as session:
            found = grants.one(session, grant_id, now=utc_now())
            person = deciding_person(session, name)
        if digest is not None and digest != found.digest:
            raise Conflict("The grant does not say that.", where="--digest", todo="Look at it again.")
        if digest is None:
            if not as_json:
                _show(found)
                typer.echo()
            confirm(f"Confirm this grant as {person.name}?", yes)
        prefix, channels = settings.task_queue_prefix, channels_of(settings)
        gateway = Gateway(None, database, task_queue_prefix=prefix, channels=channels)
        made = asyncio.run(gateway.confirm_grant(grant_id, digest=found.digest, by=person.acting(Via.CLI)))
    _told(made, as_json, "is confirmed and counts from now on")


@app.command()
def revoke(
    context: typer.Context,
    grant_id: GrantId,
    reason: Annotated[str, typer.Option(help="Why; kept with it.")] = "",
    as_json: Json = False,
) -> None:
    """Revoke a grant, or the approval of a plan: it covers nothing that has not begun. The database alone suffices."""
    from assent.gateway import Gateway
    from assent.runtime.console import console_actor, opened
    from assent_ui.api.grant_schemas import PlanApprovalOut

    settings = settings_of(context)
    with opened(settings) as database:
        gateway = Gateway(None, database, task_queue_prefix=settings.task_queue_prefix)
        if grant_id.startswith("plan-"):
            plan = asyncio.run(gateway.revoke_plan(grant_id, by=console_actor(), reason=reason))
            if as_json:
                print_json(PlanApprovalOut.model_validate(plan).model_dump(mode="json"))
            else:
                tell(f"{plan.id} is revoked; the steps of {plan.run_id} that have not begun ask.")
            return
        made = asyncio.run(gateway.revoke_grant(grant_id, by=console_actor(), reason=reason))
    _told(made, as_json, "")


def _like(gateway: Gateway, approval_id: str, by: Actor) -> dict[str, Any]:
    """The terms that fit exactly a request."""
    offer = asyncio.run(gateway.grant_offer(approval_id, by=by))
    if offer.terms is None:
        raise Forbidden(offer.why_not, where="grant")
    return dict(offer.terms)


def _terms(said: dict[str, Any], like: dict[str, Any]) -> GrantTerms:
    """What was said, over what fits a request."""
    from pydantic import ValidationError

    given = {name: value for name, value in said.items() if value}
    fields = {**like, **given, "arguments": {**like.get("arguments", {}), **said["arguments"]}}
    missing = [
        name for name in ("agent", "action_type", "uses", "expires_at") if name not in fields and said[name] is None
    ]
    if missing:
        raise InvalidInput(
            "A grant is for one agent and one type, for so many uses and so long.",
            where="grant",
            todo="Say `assent grant give AGENT TYPE --where … --uses N --for 7d`, or start with `--like REQUEST`.",
        )
    try:
        return GrantTerms.model_validate(fields | {"uses": fields["uses"] if said["uses"] is None else said["uses"]})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{first['msg']}.", where=place, todo="Correct it.") from error


def _end(lasts: str | None) -> datetime | None:
    from assent.gateway import utc_now
    from assent.policy.durations import parse_duration

    if lasts is None:
        return None
    try:
        span = parse_duration(lasts)
    except ValueError:
        span = None
    if not isinstance(span, timedelta):
        raise InvalidInput(f"{lasts!r} is no length of time.", where="--for", todo="It looks like 8h or 7d.")
    return utc_now() + span


def _told(made: GrantView, as_json: bool, active: str) -> None:
    from assent_ui.api.grant_schemas import GrantOut

    if as_json:
        print_json(GrantOut.model_validate(made).model_dump(mode="json"))
    elif made.status is GrantStatus.ACTIVE:
        tell(f"{made.id} {active}, for {made.terms.uses} actions.")
        note(f"It ends with `assent grant revoke {made.id}`.")
    elif made.status is GrantStatus.PENDING:
        tell(f"{made.id} covers nothing until it is confirmed by {made.missing}.")
        note(f"They say `assent grant confirm {made.id} --as ADDRESS`.")
    else:
        tell(f"{made.id} is {made.status.value}; it covers nothing that has not begun.")


def _show_terms(terms: GrantTerms) -> None:
    show_fields(
        [
            ("agent", terms.agent),
            ("type", terms.action_type),
            ("covers", "\n".join(terms.sentences) or "everything of this type"),
            ("uses", terms.uses),
            ("ends", f"{ago(terms.expires_at)} ({terms.expires_at:%Y-%m-%d %H:%M %Z})"),
        ]
    )


def _show(found: GrantView) -> None:
    words = "\n".join(f"{word.by.name} ({ago(word.at)})" for word in found.words)
    show_fields([("grant", found.id), ("status", found.status.value)])
    _show_terms(found.terms)
    revoked = f"{ago(found.revoked_at)} by {found.revoked_by.name}" if found.revoked_by else ""
    show_fields(
        [
            ("used", found.used),
            ("given", f"{ago(found.given_at)} by {found.given_by.name}"),
            ("words", words),
            ("missing", found.missing),
            ("note", found.note),
            ("request", found.approval_id),
            ("revoked", revoked),
            ("reason", found.revoke_reason),
            ("digest", found.digest),
        ]
    )

"""``assent approval``: look at what waits for people, and decide it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands import approval_check, approval_edit, approval_talk, approval_votes, deciding
from assent.commands.approval_shown import show_request, vouch
from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, Name, Yes, ago, confirm, note, show_page, tell
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.errors import Conflict, InvalidInput, NotFound
from assent.domain.people import Via

if TYPE_CHECKING:
    from assent.store.votes import Fate

app = typer.Typer(help="Look at what waits for people, and decide it.", no_args_is_help=True)
app.command()(approval_edit.edit)
app.command("revisions")(approval_edit.list_revisions)
app.command()(approval_talk.comment)
app.command()(approval_talk.ask)
app.command()(approval_talk.comments)
app.command()(approval_votes.votes)
app.command()(approval_votes.withdraw)
app.command()(approval_votes.reassign)
app.command()(approval_votes.ask_also)

ApprovalId = Annotated[str, typer.Argument(help="The request's id, ap-….", metavar="REQUEST")]
Requests = Annotated[
    list[str] | None,
    typer.Argument(help="Requests, each as ap-… or bound as ap-…=DIGEST.", metavar="REQUEST[=DIGEST]..."),
]
Digest = Annotated[str | None, typer.Option(help="Only if it still shows this.")]


@app.command("list")
def list_approvals(
    context: typer.Context,
    status: Annotated[
        ApprovalStatus | None, typer.Option(help="Those in this status; pending, or with --search any, if left out.")
    ] = None,
    search: Annotated[str, typer.Option(help="Those that have all these words or beginnings of words.")] = "",
    agent: Annotated[str | None, typer.Option(help="Only this agent's.")] = None,
    type: Annotated[str | None, typer.Option(help="Only this action type, of those that wait.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only what waits for the person of --as.")] = False,
    least: Annotated[float | None, typer.Option(help="Only what moves this much or more, of those that wait.")] = None,
    name: Name = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List requests: pending ones soonest due first, others and those that are searched for newest first."""
    from assent.gateway import utc_now
    from assent.runtime.console import deciding_person, reading
    from assent.store import electorate
    from assent.store.queries import approvals, checks_shown, inbox
    from assent.store.queries.inbox import Wanted
    from assent.store.queries.inbox_walk import Bounds
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.schemas import ApprovalOut

    request = PageRequest(limit, cursor)
    bounds = Bounds(agent=agent, type=type, least=least)
    if search.strip() and mine:
        raise InvalidInput("Searching looks at all requests.", where="--mine", todo="Leave out one of the two.")
    with reading(settings_of(context)) as session:
        whose = approval_check.whose(session, name)
        if search.strip():
            page = checks_shown.found(session, whose, search, utc_now(), status=status, bounds=bounds, request=request)
        elif status in (None, ApprovalStatus.PENDING):
            tokens: tuple[str, ...] | None = None
            if mine:
                person = deciding_person(session, name)
                tokens = inbox.asked_now(session, electorate.tokens_of(session, person.id, utc_now()))
            page = checks_shown.waiting(session, whose, Wanted(bounds, tokens), utc_now(), request=request)
        else:
            page = approvals.closed(session, status=status, agent=agent, request=request)
    show_page(
        page,
        as_json,
        lambda each: ApprovalOut.model_validate(each).model_dump(mode="json"),
        ["request", "agent", "asked", "due", "what"],
        lambda each: [each.id, each.agent, ago(each.created_at), ago(each.expires_at), each.headline],
    )


@app.command()
def show(
    context: typer.Context,
    approval_id: ApprovalId,
    revision: Annotated[int | None, typer.Option(help="This revision, not the newest.", min=1)] = None,
    decision: Annotated[str | None, typer.Option(help="What was seen by whoever made this decision.")] = None,
    as_json: Json = False,
) -> None:
    """Show exactly what an approver is shown, or was: the kept text, after its digest was checked."""
    from assent.runtime.console import reading
    from assent.store.queries import approvals, shown
    from assent.store.queries.checks_shown import as_request, as_shown
    from assent_ui.api.schemas import ApprovalInFull

    if revision is not None and decision is not None:
        raise InvalidInput("A decision says itself which revision it is about.", where="--revision", todo="Name one.")
    with reading(settings_of(context)) as session:
        check = approval_check.of(session, approval_id) if revision in (None, 1) and decision is None else None
        found = approvals.one(session, approval_id) if check is None else as_request(session, check)
        if check is not None:
            seen = as_shown(check)
        elif decision is None:
            seen = shown.of_revision(session, approval_id, revision)
        else:
            seen = shown.of_decision(session, approval_id, decision)
    if as_json:
        whole = ApprovalInFull.model_validate(found).model_dump(mode="json")
        card = {"card": seen.card.model_dump(mode="json"), "digest": seen.digest}
        how = {"revision": seen.revision, "sound": seen.sound, "check": approval_check.out(check)}
        print_json({**whole, **card, **how})
    else:
        show_request(found, seen)
        if check is not None and check.over:
            approval_check.tell_what_it_was(check)
    vouch(seen)


@app.command()
def approve(
    context: typer.Context,
    requests: Requests = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    plan: Annotated[bool, typer.Option("--plan", help="The whole plan of the request's run, or of a run.")] = False,
    agent: Annotated[str | None, typer.Option(help="All that wait of this agent.")] = None,
    action_type: Annotated[str | None, typer.Option("--type", help="All that wait of this action type.")] = None,
    digest: Digest = None,
    name: Name = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let an action run, several alike, or a whole plan."""
    if plan:
        if not requests or len(requests) != 1:
            raise InvalidInput("A plan is that of one request or run.", where="--plan", todo="Name it.")
        deciding.approve_plan(context, requests[0], reason=reason, digest=digest, name=name, yes=yes, as_json=as_json)
        return
    _decide(context, requests, Verb.APPROVE, reason, agent, action_type, digest, name, yes, as_json)


@app.command()
def reject(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why; the agent is given it.", prompt="Reason (the agent is given it)")],
    requests: Requests = None,
    agent: Annotated[str | None, typer.Option(help="All that wait of this agent.")] = None,
    action_type: Annotated[str | None, typer.Option("--type", help="All that wait of this action type.")] = None,
    digest: Digest = None,
    name: Name = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Refuse an action, or several alike, with a reason."""
    _decide(context, requests, Verb.REJECT, reason, agent, action_type, digest, name, yes, as_json)


def _decide(
    context: typer.Context,
    requests: list[str] | None,
    verb: Verb,
    reason: str,
    agent: str | None,
    action_type: str | None,
    digest: str | None,
    name: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """One request as it always was; several, or a filter, each bound to its own digest."""
    if requests and len(requests) == 1 and "=" not in requests[0] and agent is None and action_type is None:
        _decide_one(context, requests[0], verb, reason, digest, name, yes, as_json)
        return
    if digest is not None:
        raise InvalidInput("One digest is for one request.", where="--digest", todo="Say REQUEST=DIGEST for each.")
    if not requests and agent is None and action_type is None:
        raise InvalidInput("Which request?", where="request", todo="Name requests, or filter by --agent and --type.")
    deciding.decide_many(
        context,
        verb,
        requests or [],
        agent=agent,
        action_type=action_type,
        reason=reason,
        name=name,
        yes=yes,
        as_json=as_json,
    )


def _decide_one(
    context: typer.Context,
    approval_id: str,
    verb: Verb,
    reason: str,
    digest: str | None,
    name: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    from assent.domain.quality import Measure
    from assent.gateway import utc_now
    from assent.runtime.console import connected, deciding_person, reading
    from assent.store import openings
    from assent.store.queries import approvals, shown
    from assent.store.queries.checks_shown import as_request, as_shown
    from assent.store.queries.standing import standing
    from assent_ui.api.schemas import DecisionOut

    settings = settings_of(context)
    with reading(settings) as session:
        try:
            found, check = approvals.one(session, approval_id), None
            seen = shown.of_revision(session, approval_id)
        except NotFound:
            if (check := approval_check.own(session, approval_id, name)) is None:
                raise
            found, seen = as_request(session, check), as_shown(check)
        person = deciding_person(session, name)
    if digest is not None and digest != found.digest:
        raise Conflict("The request no longer shows that.", where="--digest", todo="Look at it again and decide anew.")
    if digest is None and not as_json:
        show_request(found, seen)
        vouch(seen)
        typer.echo()
    shown_at, looked = utc_now(), None
    if digest is None:
        confirm(f"{verb.value.capitalize()} this as {person.name}?", yes)
        looked = None if yes else (utc_now() - shown_at).total_seconds()

    if check is not None:
        approval_check.decide(settings, found, verb, person, reason=reason, seconds=looked, as_json=as_json)
        return

    async def send() -> tuple[DecisionOut, Fate | None, str]:
        async with connected(settings) as (gateway, database):
            if digest is None and not as_json:
                measured = Measure.UNKNOWN if looked is None else Measure.TERMINAL
                openings.keep(
                    database, approval_id, found.digest, person.id, shown_at, seconds=looked, measured=measured
                )
            by = person.acting(Via.CLI)
            made = await gateway.decide(approval_id, verb=verb, digest=found.digest, by=by, reason=reason)
            fate = await gateway.fate(made.id, wait_seconds=approval_votes.WAIT)
            with database.read() as session:
                missing = standing(session, approval_id, made.at).missing
        decision = DecisionOut(
            id=made.id,
            approval_id=made.approval_id,
            action_id=made.action_id,
            verdict=made.verb,
            reason=made.reason,
            by=made.by,
            at=made.at,
        )
        return decision, fate, missing

    decision, fate, missing = asyncio.run(send())
    if as_json:
        print_json(decision.model_dump(mode="json"))
    if fate is not None and not fate.counted:
        raise Conflict(f"It did not count. {fate.why_not}", where=approval_id, todo="Nothing was changed.")
    if not as_json:
        tell(f"{'Approved' if verb is Verb.APPROVE else 'Rejected'} as {person.name}.")
        approval_votes.tell_fate(verb, fate, missing)
        note(f"What came of it: `assent run show {found.run_id}`.")

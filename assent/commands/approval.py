"""``assent approval``: look at what waits for people, and decide it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from assent.commands.context import Json, print_json, settings_of
from assent.commands.printing import Cursor, Limit, Name, Yes, ago, confirm, note, show_fields, show_page, tell
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.errors import Conflict
from assent.domain.hostile_text import written_out
from assent.domain.people import Via

if TYPE_CHECKING:
    from assent.store.queries.approvals import ApprovalView

app = typer.Typer(help="Look at what waits for people, and decide it.", no_args_is_help=True)

ApprovalId = Annotated[str, typer.Argument(help="The request's id, ap-….", metavar="REQUEST")]


@app.command("list")
def list_approvals(
    context: typer.Context,
    status: Annotated[ApprovalStatus, typer.Option(help="Those in this status.")] = ApprovalStatus.PENDING,
    agent: Annotated[str | None, typer.Option(help="Only this agent's.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List requests: pending ones soonest due first, others newest first."""
    from assent.runtime.console import reading
    from assent.store.queries import approvals
    from assent.store.queries.paging import PageRequest
    from assent_ui.api.schemas import ApprovalOut

    request = PageRequest(limit, cursor)
    with reading(settings_of(context)) as session:
        if status is ApprovalStatus.PENDING:
            page = approvals.pending(session, agent=agent, request=request)
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
def show(context: typer.Context, approval_id: ApprovalId, as_json: Json = False) -> None:
    """Show everything that an approver is shown."""
    from assent.runtime.console import reading
    from assent.store.queries import approvals
    from assent_ui.api.schemas import ApprovalInFull

    with reading(settings_of(context)) as session:
        found = approvals.one(session, approval_id)
    if as_json:
        print_json(ApprovalInFull.model_validate(found).model_dump(mode="json"))
    else:
        _show(found)


@app.command()
def approve(
    context: typer.Context,
    approval_id: ApprovalId,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    digest: Annotated[str | None, typer.Option(help="Only if the request still shows this.")] = None,
    name: Name = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let an action run."""
    _decide(context, approval_id, Verb.APPROVE, reason, digest, name, yes, as_json)


@app.command()
def reject(
    context: typer.Context,
    approval_id: ApprovalId,
    reason: Annotated[str, typer.Option(help="Why; the agent is given it.", prompt="Reason (the agent is given it)")],
    digest: Annotated[str | None, typer.Option(help="Only if the request still shows this.")] = None,
    name: Name = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Refuse an action, with a reason."""
    _decide(context, approval_id, Verb.REJECT, reason, digest, name, yes, as_json)


def _decide(
    context: typer.Context,
    approval_id: str,
    verb: Verb,
    reason: str,
    digest: str | None,
    name: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    from assent.runtime.console import connected, deciding_person, reading
    from assent.store.queries import approvals
    from assent_ui.api.schemas import DecisionOut

    settings = settings_of(context)
    with reading(settings) as session:
        found = approvals.one(session, approval_id)
        person = deciding_person(session, name)
    if digest is not None and digest != found.digest:
        raise Conflict("The request no longer shows that.", where="--digest", todo="Look at it again and decide anew.")
    if digest is None and not as_json:
        _show(found)
        typer.echo()
    if digest is None:
        confirm(f"{verb.value.capitalize()} this as {person.name}?", yes)

    async def send() -> DecisionOut:
        async with connected(settings) as (gateway, _):
            by = person.acting(Via.CLI)
            made = await gateway.decide(approval_id, verb=verb, digest=found.digest, by=by, reason=reason)
        return DecisionOut(
            id=made.id,
            approval_id=made.approval_id,
            action_id=made.action_id,
            verdict=made.verb,
            reason=made.reason,
            by=made.by,
            at=made.at,
        )

    decision = asyncio.run(send())
    if as_json:
        print_json(decision.model_dump(mode="json"))
    else:
        tell(f"{'Approved' if verb is Verb.APPROVE else 'Rejected'} as {person.name}.")
        note(f"What came of it: `assent run show {found.run_id}`.")


def _show(found: ApprovalView) -> None:
    card = found.card
    changes = "\n".join(
        f"{change.resource}\n  before {written_out(change.before)}\n  after  {written_out(change.after)}"
        for change in card.changes
    )
    show_fields(
        [
            ("request", found.id),
            ("what", found.headline),
            ("status", found.status.value),
            ("agent", f"{found.agent} ({card.agent_title})" if card.agent_title else found.agent),
            ("goal", card.goal),
            ("type", found.type),
            ("arguments", written_out(card.arguments)),
            ("changes", changes or card.preview_note),
            ("asks because", "\n".join(reason.sentence for reason in card.stopped_because)),
            ("undo", card.undo),
            ("agent says", card.agent_words),
            ("due", f"{ago(found.expires_at)}. {card.on_silence}" if card.on_silence else ago(found.expires_at)),
            ("decided", f"{ago(found.decided_at)} by {found.decided_by.name}" if found.decided_by else ""),
            ("reason", found.decision_reason),
            ("digest", found.digest),
        ]
    )

"""Deciding several requests at once, or a whole plan: what ``assent approval approve`` and ``reject`` share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from assent.commands import approval_check
from assent.commands.context import print_json, settings_of
from assent.commands.printing import ago, confirm, note, show_table, tell
from assent.domain.approvals import Verb
from assent.domain.errors import Conflict, InvalidInput, NotFound
from assent.domain.people import Via
from assent.domain.words import counted

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from assent.gateway import ManyResult, PlanOffer
    from assent.store.queries.approvals import ApprovalView

EXIT_SOME_REFUSED = 1
_DONE = {Verb.APPROVE: "Approved", Verb.REJECT: "Rejected"}


def decide_many(
    context: typer.Context,
    verb: Verb,
    requests: Sequence[str],
    *,
    agent: str | None,
    action_type: str | None,
    reason: str,
    name: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """List requests, ask, and send the same verdict on each; ends with 1 if any of them was refused."""
    from assent.gateway import OneOfMany
    from assent.runtime.console import connected, deciding_person, reading
    from assent_ui.api.plans import item_of

    settings = settings_of(context)
    given = dict(_named(request) for request in requests)
    if len(given) < len(requests):
        raise InvalidInput("A request is named twice.", where="request", todo="Name each once.")
    with reading(settings) as session:
        found = _found(session, list(given), agent, action_type, name)
        person = deciding_person(session, name)
    if not found:
        raise NotFound(
            "No request like that waits.", where="request", todo="`assent approval list` shows those that do."
        )
    if not as_json:
        rows = [[each.id, each.agent, ago(each.expires_at), each.digest[:12], each.headline] for each in found]
        show_table(["request", "agent", "due", "digest", "what"], rows)
    if not all(given.get(each.id) for each in found):
        confirm(f"{verb.value.capitalize()} these {len(found)} as {person.name}?", yes)
    items = [OneOfMany(approval_id=each.id, digest=given.get(each.id) or each.digest) for each in found]

    async def send() -> list[ManyResult]:
        async with connected(settings) as (gateway, _):
            return await gateway.decide_many(items, verb=verb, by=person.acting(Via.CLI), reason=reason)

    results = asyncio.run(send())
    refused = sum(1 for result in results if not result.sent)
    if as_json:
        told = [item_of(result).model_dump(mode="json") for result in results]
        print_json({"items": told, "sent": len(results) - refused, "refused": refused})
    else:
        for result in results:
            if not result.sent:
                note(f"{result.approval_id}: {result.what} {result.todo}".rstrip())
        tell(f"{_DONE[verb]} {len(results) - refused} of {len(results)} as {person.name}.")
        for check in (result.check for result in results if result.check is not None):
            typer.echo()
            tell(f"{check.id}: {check.card.headline}")
            approval_check.tell_what_it_was(check)
    if refused:
        raise typer.Exit(EXIT_SOME_REFUSED)


def approve_plan(
    context: typer.Context,
    of: str,
    *,
    reason: str,
    digest: str | None,
    name: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Show the whole plan of a run, ask, and approve it at its highest class."""
    from assent.gateway import PlanApproved
    from assent.runtime.console import connected, deciding_person

    settings = settings_of(context)

    async def send() -> PlanApproved:
        async with connected(settings) as (gateway, database):
            with database.read() as session:
                run_id = _run_of(session, of)
                person = deciding_person(session, name)
            offer = await gateway.plan_offer(run_id)
            if offer is None:
                raise NotFound(f"The run {run_id} has no plan that asks for approval.", where="run")
            if digest is not None and digest != offer.digest:
                raise Conflict("The plan is not that any more.", where="--digest", todo="Look at it again.")
            if digest is None:
                if not as_json:
                    _show_plan(offer)
                confirm(f"Approve the whole plan as {person.name}?", yes)
            return await gateway.approve_plan(run_id, digest=offer.digest, by=person.acting(Via.CLI), reason=reason)

    made = asyncio.run(send())
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    for result in made.sent:
        if not result.sent:
            note(f"{result.approval_id}: {result.what} {result.todo}".rstrip())
    if made.missing:
        tell(f"{made.plan_approval_id} covers nothing until it is approved by {made.missing}, too.")
    else:
        gone_on = len({result.approval_id for result in made.sent if result.sent})
        tell(f"The plan is approved; {counted(gone_on, 'request')} that waited {'goes' if gone_on == 1 else 'go'} on.")
        note(f"It ends with `assent grant revoke {made.plan_approval_id}`.")


def _named(request: str) -> tuple[str, str]:
    approval_id, _, digest = request.partition("=")
    if digest and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
        raise InvalidInput(
            f"{digest!r} is no digest.", where=approval_id, todo="Say REQUEST=DIGEST with its 64 figures, or REQUEST."
        )
    return approval_id, digest


def _found(
    session: Session, ids: Sequence[str], agent: str | None, action_type: str | None, name: str | None
) -> list[ApprovalView]:
    from assent.gateway import MAX_ITEMS, utc_now
    from assent.store.queries import checks_shown
    from assent.store.queries.inbox import Wanted
    from assent.store.queries.inbox_walk import Bounds
    from assent.store.queries.paging import PageRequest

    if ids:
        if agent is not None or action_type is not None:
            raise InvalidInput("Name requests, or filter them.", where="request", todo="Not both at once.")
        return [_one(session, approval_id, name) for approval_id in ids]
    wanted = Wanted(Bounds(agent=agent, type=action_type))
    whose = approval_check.whose(session, name)
    page = checks_shown.waiting(session, whose, wanted, utc_now(), request=PageRequest(MAX_ITEMS))
    if page.next_cursor:
        note(f"There are more than {MAX_ITEMS}; these are the ones that are due first.")
    return list(page.items)


def _one(session: Session, approval_id: str, name: str | None) -> ApprovalView:
    from assent.store.queries import approvals, checks_shown

    try:
        return approvals.one(session, approval_id)
    except NotFound:
        if (check := approval_check.own(session, approval_id, name)) is None:
            raise
        return checks_shown.as_request(session, check)


def _run_of(session: Session, of: str) -> str:
    from assent.store.queries import approvals

    return approvals.one(session, of).run_id if of.startswith("ap-") else of


def _show_plan(offer: PlanOffer) -> None:
    rows = [
        [
            step.key,
            "asks" if step.asks else step.effect.value,
            step.status.value if step.status else "",
            step.needs,
            f"{step.sentence} (more may come up when it starts)" if step.open else step.sentence,
        ]
        for step in offer.steps
    ]
    show_table(["step", "people", "status", "needs", "what"], rows)
    tell(offer.needs)

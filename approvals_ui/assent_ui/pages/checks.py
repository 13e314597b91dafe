"""Seeded checks on the pages: announced, shown like a request, and told at once when they are answered."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.approvals import Verb
from assent.domain.checks import Check, CheckStatus
from assent.domain.errors import AssentError, InvalidInput
from assent.domain.people import Assurance
from assent.domain.search_words import words_of
from assent.domain.voting import in_words
from assent.store import checks
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.inbox import LINE, Group, InboxRow, Wanted
from assent.store.queries.inbox_walk import Sort
from assent.store.queries.standing import MayDo, Standing
from assent_ui.looks import Look
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.request_parts import Controls, neighbours, problem_of, proof_page

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from the form of a check."""

    verb: str
    digest: str
    reason: str
    look: Look | None


@router.post("/checks/read")
def read(here: Here, until: Annotated[datetime | None, Form()] = None) -> Response:
    """The viewer has read that they may be shown checks: what was announced until then, the newest that they saw."""
    if until is None or until.tzinfo is None:
        raise InvalidInput("It is not said what was read.", where="until", todo="Load your inbox and read it there.")
    with here.database.write() as session:
        checks.read(session, here.viewer.actor, until=until, at=here.clock())
    return RedirectResponse("/", status_code=303)


def shown_to(here: Place, check_id: str) -> Check | None:
    """The viewer's own check of this id, if there is one."""
    with here.database.read() as session:
        return checks.one(session, check_id, here.viewer.id)


def page_of(
    here: Place, check: Check, *, in_pane: bool = False, error: AssentError | None = None, **typed: str
) -> HTMLResponse:
    """A check as its person sees it: like a request while it waits, told for what it is once it is over."""
    with here.database.read() as session:
        approval = view_of(check)
        context = context_of(here, approval, check) | {"in_pane": in_pane, "typed": typed}
        if not in_pane:
            context |= neighbours(here, session, approval)
        if check.status is not CheckStatus.SHOWN:
            return here.show(session, "check.html", "inbox", **context)
        if isinstance(error, InvalidInput):
            context["fault"] = f"{error.what} {error.todo}".strip()
        elif error is not None:
            context["problem"] = problem_of(error, approval)
        return here.show(session, "request.html", "inbox", status=error.status if error else 200, **context)


def answer(here: Place, check: Check, given: Answer) -> HTMLResponse | RedirectResponse:
    """Keep an answer and tell at once what it was; nothing is sent to any run."""
    try:
        if given.verb not in (Verb.APPROVE, Verb.REJECT):
            raise InvalidInput("Choose approve or reject.", where="verb")
        with here.database.write() as session:
            checks.answer(
                session,
                check.id,
                verb=Verb(given.verb),
                digest=given.digest,
                reason=typed(given.reason),
                by=here.viewer.actor,
                at=here.clock(),
                seconds=given.look.seconds if given.look else None,
            )
    except AssentError as error:
        return page_of(here, check, error=error, reason=given.reason)
    return RedirectResponse(f"/approvals/{check.id}", status_code=303)


def question(here: Place, check: Check, text: str) -> HTMLResponse | RedirectResponse:
    """The viewer asked about a check, or commented: no agent is asked, and they are told what it was."""
    try:
        with here.database.write() as session:
            checks.question(session, check.id, text=text, by=here.viewer.actor, at=here.clock())
    except AssentError as error:
        return page_of(here, check, error=error, text=text)
    return RedirectResponse(f"/approvals/{check.id}", status_code=303)


def view_of(check: Check) -> ApprovalView:
    """A check in the place of a request; its run is that of the request it was made from."""
    return ApprovalView(
        id=check.id,
        action_id="",
        run_id=check.card.run_id,
        agent=check.agent,
        type=check.type,
        digest=check.digest,
        headline=check.card.headline,
        amount=check.card.amount,
        card=check.card,
        status=check.status.seen_as,
        created_at=check.created_at,
        expires_at=check.expires_at,
        decided_at=check.ended_at,
        decided_by=None,
        decision_reason=check.reason,
    )


def context_of(here: Place, approval: ApprovalView, check: Check) -> dict[str, Any]:
    """What the templates of a request need, for a check."""
    return {
        "approval": approval,
        "check": check,
        "action": None,
        "history": [],
        "history_records": 0,
        "standing": _standing(check),
        "controls": _controls(here, check),
        "thread": [],
        "may_undo": False,
        "decision_id": uuid.uuid4().hex,
        "look": here.looks.note(here.viewer.id, check.id, check.digest, here.clock()),
        "sent": "",
        "fate": None,
        "edited": "",
        "previous": None,
        "next": None,
        "problem": None,
        "fault": "",
        "typed": {},
    }


def rows_for(session: Session, person_id: str, wanted: Wanted, question: str, at: datetime) -> list[InboxRow]:
    """The viewer's checks that fit what the inbox is asked for."""
    return [_row(check) for check in checks.waiting(session, person_id, at) if _fits(check, wanted, question)]


def among(rows: tuple[InboxRow, ...], more: list[InboxRow], sort: Sort, *, last: bool) -> tuple[InboxRow, ...]:
    """Rows of the first page with others at their places; what belongs on a later page is left out."""
    places = {row.id: at for at, row in enumerate(rows)}
    found = list(rows)
    for row in more:
        before = [other for other in rows if _place(other, sort) <= _place(row, sort)]
        if before and not last and places[before[-1].id] == len(rows) - 1:
            continue
        found.insert(found.index(before[-1]) + 1 if before else 0, row)
    return tuple(found)


def grouped(groups: list[Group], more: list[InboxRow]) -> list[Group]:
    """Kinds of requests with checks among them."""
    found = {(group.agent, group.type): group for group in groups}
    for row in more:
        group = found.get((row.agent, row.type), Group(row.agent, row.type, 0, ()))
        found[row.agent, row.type] = replace(group, count=group.count + 1, items=(row, *group.items))
    return list(found.values())


def _place(row: InboxRow, sort: Sort) -> tuple[float, str]:
    """Where a row stands in an order, so that smaller comes first."""
    match sort:
        case Sort.DUE:
            return row.expires_at.timestamp(), row.id
        case Sort.LAST_DUE:
            return -row.expires_at.timestamp(), row.id
        case Sort.OLDEST:
            return row.created_at.timestamp(), row.id
        case Sort.NEWEST:
            return -row.created_at.timestamp(), row.id
        case Sort.AMOUNT:
            return -(row.amount or 0), row.id


def _fits(check: Check, wanted: Wanted, question: str) -> bool:
    bounds, amount = wanted.bounds, check.card.amount or 0
    if question:
        there = " ".join([check.card.text, check.agent, check.type]).casefold()
        return all(word in there for word in words_of(question))
    return (
        bounds.agent in (None, check.agent)
        and bounds.type in (None, check.type)
        and (bounds.least is None or amount >= bounds.least)
        and (bounds.most is None or amount <= bounds.most)
        and (bounds.asked_before is None or check.created_at < bounds.asked_before)
        and (bounds.due_before is None or check.expires_at < bounds.due_before)
    )


def _row(check: Check) -> InboxRow:
    return InboxRow(
        id=check.id,
        agent=check.agent,
        type=check.type,
        digest=check.digest,
        headline=check.card.headline[:LINE],
        size=len(check.card.headline),
        why=check.why,
        amount=check.card.amount,
        status=check.status.seen_as,
        created_at=check.created_at,
        expires_at=check.expires_at,
        changed_at=None,
        decided_at=check.ended_at,
        decided_by=None,
    )


def _standing(check: Check) -> Standing:
    rules = check.rules
    return Standing(
        needed=rules.electorate.size,
        given=0,
        needs=rules.needs_words,
        missing=in_words(rules.electorate.needs),
        deny=rules.electorate.deny,
        against=0,
        votes=(),
        because=rules.because,
        veto=rules.electorate.veto,
        silence=rules.silence,
        silence_words=rules.silence_words,
        ends_at=check.expires_at,
        silent_at=None,
        next=None,
        assurance=rules.electorate.assurance,
        edit=False,
        opened=rules.opened,
    )


def _controls(here: Place, check: Check) -> Controls:
    """What one may do about a check: decide, or prove first who one is, as for a request that needs it."""
    unproven = check.rules.electorate.assurance is Assurance.FRESH and here.viewer.assurance is not Assurance.FRESH
    why_not = "Confirm first that it is you." if unproven else ""
    may = MayDo(why_not, "", None, may_take_back=False, in_the_name_of="")
    return Controls(may=may, proof=proof_page(check.id) if unproven else "", edit=False, hand=False)

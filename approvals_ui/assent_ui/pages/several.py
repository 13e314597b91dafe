"""Deciding several requests at once: each is listed, bound to its own digest, and answered by itself."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from assent.domain.approvals import Verb
from assent.domain.errors import AssentError, InvalidInput
from assent.gateway import ManyResult, OneOfMany
from assent.store import checks as store
from assent.store.queries import approvals, checks_shown, inbox
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.paging import PageRequest
from assent.store.queries.standing import MayDo, may_do
from assent_ui.clicks import own_decision_id
from assent_ui.pages import checks
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.inbox import Asked, mail_of

router = APIRouter()

AT_ONCE = 50
"""Requests that a page decides at once: more than that nobody looks at."""

_BETWEEN = ":"


@router.get("/decide", response_class=HTMLResponse)
def show(here: Here, query: Asked, id: Annotated[list[str] | None, Query()] = None) -> HTMLResponse:
    """The chosen requests, or the first ones that filters let through, to be looked at and decided."""
    with here.database.read() as session:
        ids = list(dict.fromkeys(id or []))[:AT_ONCE]
        if not ids and query.bounds:
            wanted, request = mail_of(here, session, query).wanted, PageRequest(AT_ONCE)
            page = checks_shown.waiting(session, here.viewer.id, wanted, here.clock(), request=request)
            ids = [each.id for each in page.items]
        return _page(here, session, ids, left_out=max(0, len(set(id or [])) - AT_ONCE))


@router.post("/decide")
async def decide(
    here: Here,
    verb: str = Form(""),
    item: Annotated[list[str] | None, Form()] = None,
    reason: str = Form(""),
    click: str = Form(""),
) -> Response:
    """Send the same verdict on each ticked request, and tell what came of each."""
    chosen = [OneOfMany(approval_id=id, digest=digest) for id, _, digest in (_parts(each) for each in item or [])]
    try:
        if verb not in (Verb.APPROVE, Verb.REJECT):
            raise InvalidInput("Choose approve or reject.", where="verb")
        results = await here.gateway.decide_many(
            chosen,
            verb=Verb(verb),
            by=here.viewer.actor,
            reason=typed(reason),
            decision_id=own_decision_id(click, here.viewer.id),
        )
    except AssentError as error:
        ids, fault = [each.approval_id for each in chosen], error
        return await here.in_thread(lambda: _again(here, ids, fault, reason))
    return await here.in_thread(lambda: _results(here, Verb(verb), results))


def _page(here: Place, session: Session, ids: list[str], *, left_out: int = 0) -> HTMLResponse:
    return here.show(session, "several.html", "inbox", **_context(here, session, ids), left_out=left_out)


def _again(here: Place, ids: list[str], error: AssentError, reason: str) -> HTMLResponse:
    with here.database.read() as session:
        context = _context(here, session, ids) | {
            "left_out": 0,
            "fault": f"{error.what} {error.todo}".strip(),
            "reason": reason,
        }
        return here.show(session, "several.html", "inbox", status=error.status, **context)


def _context(here: Place, session: Session, ids: list[str]) -> dict[str, Any]:
    now = here.clock()
    decidable: list[ApprovalView] = []
    others: list[tuple[ApprovalView, str]] = []
    requests = {row.id for row in inbox.rows(session, ids)}
    unknown = 0
    for approval_id in ids:
        if approval_id in requests:
            approval = approvals.one(session, approval_id)
            may = may_do(session, approval_id, here.viewer.id, here.viewer.assurance, now)
        elif (check := store.one(session, approval_id, here.viewer.id)) is not None:
            approval, may = checks_shown.as_request(session, check), checks.controls_of(here, check).may
        else:
            unknown += 1
            continue
        why_not = _why_not(approval, may)
        if why_not:
            others.append((approval, why_not))
        else:
            decidable.append(approval)
    return {
        "decidable": decidable,
        "others": others,
        "unknown": unknown,
        "total": sum(each.amount or 0 for each in decidable),
        "click": uuid.uuid4().hex,
        "fault": "",
        "reason": "",
    }


def _why_not(approval: ApprovalView, may: MayDo) -> str:
    if approval.decided_at is not None:
        return f"It is already {approval.status.value}."
    if may.vote is not None:
        return "You have given your vote already."
    return may.why_not_approve if may.why_not_approve and may.why_not_reject else ""


def _results(here: Place, verb: Verb, results: list[ManyResult]) -> HTMLResponse:
    with here.database.read() as session:
        rows = {row.id: row for row in inbox.rows(session, [each.approval_id for each in results])}
        told = [
            (checks_shown.as_row(each.check) if each.check else rows.get(each.approval_id), each) for each in results
        ]
        return here.show(session, "several_results.html", "inbox", verb=verb.value, results=told)


def _parts(item: str) -> tuple[str, str, str]:
    return item.partition(_BETWEEN)

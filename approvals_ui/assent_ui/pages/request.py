"""Request: may this happen?"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.approvals import Verb
from assent.domain.errors import AssentError, Conflict, InvalidInput, NotFound, Unavailable
from assent.domain.people import Role
from assent.store.queries import approvals, ledger, runs
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.ledger import TouchView
from assent.store.queries.paging import PageRequest
from assent_ui.clicks import own_decision_id
from assent_ui.pages.context import Here
from assent_ui.rendering.records import records

router = APIRouter()

HISTORY = 6
"""Earlier actions on the same records that a request shows."""

HISTORY_RECORDS = 3
"""Records whose history is looked up."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a decision did not go through."""

    title: str
    text: str
    tone: str = "red"
    shape: str = "cross"


@router.get("/approvals/{approval_id}", response_class=HTMLResponse)
def request(here: Here, approval_id: str, sent: str = "", place: str = "") -> HTMLResponse:
    """One request; ``place=inbox`` gives it as it stands beside the inbox."""
    return _page(here, approval_id, sent=bool(sent), in_pane=place == "inbox")


@router.post("/approvals/{approval_id}/decision")
async def decide(
    here: Here,
    approval_id: str,
    verb: str = Form(""),
    digest: str = Form(""),
    decision_id: str = Form(""),
    reason: str = Form(""),
    next: str = Form(""),
) -> Response:
    """Send a decision; a problem shows the request again, with what was typed."""
    try:
        if verb not in list(Verb):
            raise InvalidInput("Choose approve or reject.", where="verb")
        await here.gateway.decide(
            approval_id,
            verb=Verb(verb),
            digest=digest,
            by=here.viewer.actor,
            reason=reason.replace("\r\n", "\n"),
            decision_id=own_decision_id(decision_id, here.viewer.id),
        )
    except NotFound:
        raise
    except AssentError as error:
        return await here.in_thread(partial(_page, here, approval_id, error=error, reason=reason))
    to = f"/?decided={approval_id}" if next == "inbox" else f"/approvals/{approval_id}?sent=yes"
    return RedirectResponse(to, status_code=303)


def request_context(here: Here, session: Session, approval: ApprovalView) -> dict[str, Any]:
    """What the templates of a request need besides the request."""
    rows = records(approval.card.changes)
    return {
        "approval": approval,
        "action": _action(session, approval),
        "rows": rows,
        "history": _history(session, approval),
        "history_records": len({change.resource for change in approval.card.changes}),
        "may_decide": here.viewer.may(Role.APPROVER),
        "may_undo": here.viewer.may(Role.OPERATOR),
        "decision_id": uuid.uuid4().hex,
        "sent": False,
        "problem": None,
        "fault": "",
        "reason": "",
    }


def _page(
    here: Here,
    approval_id: str,
    *,
    sent: bool = False,
    in_pane: bool = False,
    error: AssentError | None = None,
    reason: str = "",
) -> HTMLResponse:
    with here.database.read() as session:
        approval = approvals.one(session, approval_id)
        context = request_context(here, session, approval) | {"sent": sent, "in_pane": in_pane, "reason": reason}
        if isinstance(error, InvalidInput):
            context["fault"] = f"{error.what} {error.todo}".strip()
        elif error is not None:
            context["problem"] = _problem(error, reason)
        return here.show(session, "request.html", "inbox", status=error.status if error else 200, **context)


def _problem(error: AssentError, reason: str) -> Problem:
    kept = " What you typed is kept below." if reason.strip() else ""
    if isinstance(error, Conflict) and error.where == "digest":
        return Problem(
            "It has changed since you opened it",
            f"Your decision was not sent. Below is what would run now; look again and decide on that.{kept}",
            "amber",
            "question",
        )
    if isinstance(error, Conflict):
        return Problem(
            "Somebody else was quicker", f"{error.what} Yours changed nothing and nothing is lost.", "amber", "person"
        )
    if isinstance(error, Unavailable):
        return Problem("Your decision did not get through", f"{error.what} Nothing was decided; send it again.{kept}")
    return Problem(error.what, f"{error.todo}{kept}".strip())


def _action(session: Session, approval: ApprovalView) -> runs.ActionView | None:
    try:
        return runs.action(session, approval.action_id)
    except NotFound:
        return None


def _history(session: Session, approval: ApprovalView) -> list[TouchView]:
    resources = list(dict.fromkeys(change.resource for change in approval.card.changes))[:HISTORY_RECORDS]
    found = [
        touch
        for resource in resources
        for touch in ledger.touches(session, resource, request=PageRequest(HISTORY)).items
        if touch.action_id != approval.action_id
    ]
    unique = {(touch.action_id, touch.undo): touch for touch in found}
    return sorted(unique.values(), key=lambda touch: touch.at, reverse=True)[:HISTORY]

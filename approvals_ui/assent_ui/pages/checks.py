"""Seeded checks on the pages: announced, shown like a request, and told at once when they are answered."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.approvals import Verb
from assent.domain.canonical import Json
from assent.domain.checks import Check
from assent.domain.errors import AssentError, InvalidInput
from assent.domain.people import Assurance
from assent.store import checks
from assent.store.queries import approvals, revisions
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.checks_shown import as_request, editable, may_do_with, standing_of
from assent.store.queries.revisions import Editable
from assent_ui.looks import Look
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.request_parts import Controls, neighbours, problem_of, proof_page, request_context

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
        approval = as_request(session, check)
        context = context_of(here, approval, check) | {"in_pane": in_pane, "typed": typed}
        if not in_pane:
            context |= neighbours(here, session, approval)
        if check.over:
            return here.show(session, "check.html", "inbox", **context)
        if isinstance(error, InvalidInput):
            context["fault"] = f"{error.what} {error.todo}".strip()
        elif error is not None:
            context["problem"] = problem_of(error, approval)
        return here.show(session, "request.html", "inbox", status=error.status if error else 200, **context)


def instead(here: Place, approval_id: str) -> RedirectResponse | None:
    """Back to a check of the viewer's, for whoever asks for a page of a request that checks have not."""
    return None if shown_to(here, approval_id) is None else _back(approval_id)


def about(here: Place, session: Session, approval_id: str) -> dict[str, Any]:
    """What the templates of a request need, for a request or for a check of the viewer's.

    Raises:
        NotFound: There is neither.
    """
    check = checks.one(session, approval_id, here.viewer.id)
    if check is None:
        return request_context(here, session, approvals.one(session, approval_id))
    return context_of(here, as_request(session, check), check)


def start_of(session: Session, approval_id: str, person_id: str) -> Editable:
    """What an edit starts from, of a request or of a check of somebody's.

    Raises:
        NotFound: There is neither.
    """
    check = checks.one(session, approval_id, person_id)
    return revisions.editable(session, approval_id) if check is None else editable(session, check)


async def answer(here: Place, check: Check, given: Answer) -> Response:
    """Keep an answer and tell at once what it was; nothing is sent to any run."""
    try:
        if given.verb not in (Verb.APPROVE, Verb.REJECT):
            raise InvalidInput("Choose approve or reject.", where="verb")
        await here.gateway.decide_check(
            check.id,
            verb=Verb(given.verb),
            digest=given.digest,
            by=here.viewer.actor,
            reason=typed(given.reason),
            seconds=given.look.seconds if given.look else None,
        )
    except AssentError as error:
        problem = error
        return await here.in_thread(lambda: page_of(here, check, error=problem, reason=given.reason))
    return _back(check.id)


async def question(here: Place, check: Check, text: str) -> Response:
    """The viewer asked about a check, or commented: no agent is asked, and they are told what it was."""
    try:
        await here.gateway.ask_about_check(check.id, text, by=here.viewer.actor)
    except AssentError as error:
        problem = error
        return await here.in_thread(lambda: page_of(here, check, error=problem, text=text))
    return _back(check.id)


async def change(here: Place, check: Check, arguments: dict[str, Json], *, digest: str, reason: str) -> Response:
    """The viewer set out to change a check: nothing is changed, and they are told what it was.

    Raises:
        InvalidInput: It would be no edit.
    """
    try:
        await here.gateway.change_check(check.id, arguments, digest=digest, by=here.viewer.actor, reason=reason)
    except InvalidInput:
        raise
    except AssentError as error:
        problem = error
        return await here.in_thread(lambda: page_of(here, check, error=problem, reason=reason))
    return _back(check.id)


def _back(check_id: str) -> RedirectResponse:
    return RedirectResponse(f"/approvals/{check_id}", status_code=303)


def context_of(here: Place, approval: ApprovalView, check: Check) -> dict[str, Any]:
    """What the templates of a request need, for a check."""
    return {
        "approval": approval,
        "check": check,
        "action": None,
        "history": [],
        "history_records": 0,
        "standing": standing_of(check),
        "controls": controls_of(here, check),
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


def controls_of(here: Place, check: Check) -> Controls:
    """What the viewer may do about a check: decide, or prove first who one is, as for a request that needs it."""
    unproven = check.rules.electorate.assurance is Assurance.FRESH and here.viewer.assurance is not Assurance.FRESH
    why_not = "Confirm first that it is you." if unproven else ""
    proof = proof_page(check.id) if unproven else ""
    return Controls(may=may_do_with(why_not), proof=proof, edit=check.rules.edit, hand=True)

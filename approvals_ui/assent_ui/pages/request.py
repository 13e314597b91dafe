"""Request: may this happen?"""

from __future__ import annotations

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.approvals import Verb
from assent.domain.errors import AssentError, InvalidInput, NotFound
from assent.store import openings, votes
from assent.store.queries import approvals
from assent_ui.clicks import own_decision_id
from assent_ui.pages import checks
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.request_parts import fate_problem, neighbours, refused_in_thread, request_context

router = APIRouter()

SOON = 1.0
"""Seconds that a decision may take to be taken up before the page comes back without knowing."""


@router.get("/approvals/{approval_id}", response_class=HTMLResponse)
def request(here: Here, approval_id: str, sent: str = "", place: str = "", edited: str = "") -> HTMLResponse:
    """One request; ``place=inbox`` gives it as it stands beside the inbox, ``sent`` names a decision just sent."""
    openings.note(here.database, approval_id, here.viewer.id, here.clock())
    with here.database.read() as session:
        try:
            approval = approvals.one(session, approval_id)
        except NotFound:
            if (check := checks.shown_to(here, approval_id)) is None:
                raise
            return checks.page_of(here, check, in_pane=place == "inbox")
        context = request_context(here, session, approval)
        in_pane = place == "inbox"
        if not in_pane:
            context |= neighbours(here, session, approval)
        fate = votes.fate(session, sent) if sent else None
        context |= {"sent": sent, "fate": fate, "in_pane": in_pane, "edited": edited, "problem": fate_problem(fate)}
        return here.show(session, "request.html", "inbox", **context)


@router.post("/approvals/{approval_id}/decision")
async def decide(
    here: Here,
    approval_id: str,
    verb: str = Form(""),
    digest: str = Form(""),
    decision_id: str = Form(""),
    reason: str = Form(""),
    next: str = Form(""),
    look: str = Form(""),
    visible: str = Form(""),
) -> Response:
    """Send a decision; a problem shows the request again, with what was typed."""
    if (check := await here.in_thread(lambda: checks.shown_to(here, approval_id))) is not None:
        seen = here.looks.read(look, here.viewer.id, approval_id, digest, here.clock(), visible)
        given = checks.Answer(verb, digest, reason, seen)
        return await checks.answer(here, check, given)
    try:
        if verb not in list(Verb):
            raise InvalidInput("Choose approve or reject.", where="verb")
        await here.in_thread(lambda: _keep_look(here, approval_id, digest, look, visible))
        decision = await here.gateway.decide(
            approval_id,
            verb=Verb(verb),
            digest=digest,
            by=here.viewer.actor,
            reason=typed(reason),
            decision_id=own_decision_id(decision_id, here.viewer.id),
        )
        fate = await here.gateway.fate(decision.id, wait_seconds=SOON)
    except AssentError as error:
        return await refused_in_thread(here, approval_id, error, typed={"reason": reason})
    if next == "inbox" and fate_problem(fate) is None:
        return RedirectResponse(f"/?decided={approval_id}", status_code=303)
    return RedirectResponse(f"/approvals/{approval_id}?sent={decision.id}", status_code=303)


def _keep_look(here: Place, approval_id: str, digest: str, note: str, visible: str) -> None:
    """Keep that the whole request was in front of who decides now, and for how long."""
    seen = here.looks.read(note, here.viewer.id, approval_id, digest, here.clock(), visible)
    if seen is not None:
        openings.keep(
            here.database,
            approval_id,
            digest,
            here.viewer.id,
            seen.at,
            seconds=seen.seconds,
            measured=seen.measured,
        )

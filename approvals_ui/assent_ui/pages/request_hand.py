"""Handing a request to somebody else, or asking somebody besides."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.checks import handed
from assent.domain.errors import AssentError, InvalidInput
from assent.domain.people import Role
from assent.store import people
from assent.store.queries.paging import MAX_LIMIT, PageRequest
from assent_ui.pages import checks
from assent_ui.pages.context import Here, Place
from assent_ui.pages.request_parts import refused_in_thread

router = APIRouter()


@router.get("/approvals/{approval_id}/hand", response_class=HTMLResponse)
def show(here: Here, approval_id: str) -> HTMLResponse:
    """Who else could decide it."""
    with here.database.read() as session:
        context = checks.about(here, session, approval_id) | _others(here, session)
        return here.show(session, "request_hand.html", "inbox", **context)


@router.post("/approvals/{approval_id}/hand")
async def hand(
    here: Here, approval_id: str, to: str = Form(""), how: str = Form("ask"), reason: str = Form("")
) -> Response:
    """Ask somebody besides (``how=ask``), or let them decide in one's place (``how=reassign``)."""
    by = here.viewer.actor
    if (check := await here.in_thread(lambda: checks.shown_to(here, approval_id))) is not None:
        return await checks.question(here, check, handed(reason))
    try:
        person = await here.in_thread(lambda: _person(here, to))
        if how == "reassign":
            await here.gateway.reassign(approval_id, to=person, by=by, reason=reason)
        else:
            await here.gateway.ask_also(approval_id, to=person, by=by, reason=reason)
    except AssentError as error:
        return await refused_in_thread(
            here,
            approval_id,
            error,
            typed={"to": to, "how": how, "reason": reason},
            template="request_hand.html",
            extra=lambda session: _others(here, session),
        )
    return RedirectResponse(f"/approvals/{approval_id}?handed={how}#votes", status_code=303)


def _person(here: Place, to: str) -> str:
    """Somebody's id, by id or address."""
    with here.database.read() as session:
        found = people.one(session, to) or people.by_email(session, to.strip())
    if found is None:
        raise InvalidInput("Nobody here has this address.", where="to", todo="Choose somebody from the list.")
    return found.id


def _others(here: Place, session: Session) -> dict[str, Any]:
    listed = people.page(session, request=PageRequest(MAX_LIMIT)).items
    able = [each for each in listed if not each.disabled and each.may(Role.APPROVER) and each.id != here.viewer.id]
    return {"others": sorted(able, key=lambda each: each.name.casefold())}

"""What is still to be mailed, to whom, and why it was not."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.people import Role
from assent.store import notices, outbox, people
from assent.store.letters import MAIL
from assent.store.notices import NOTICE
from assent.store.queries.paging import PageRequest
from assent_ui.deps import DepsHere
from assent_ui.pages.context import Here

router = APIRouter()

SHOWN = 50
"""Waiting mails that the page shows."""


@router.get("/system/mail", response_class=HTMLResponse)
def show(here: Here, deps: DepsHere) -> HTMLResponse:
    """The queue."""
    with here.database.read() as session:
        waiting = outbox.queue(session, MAIL, request=PageRequest(SHOWN)).items
        ids = {one.recipient for one in waiting if one.recipient}
        names = {id: person.name for id in ids if (person := people.one(session, id)) is not None}
        return here.show(
            session,
            "mail_queue.html",
            "system",
            backlog=outbox.backlog(session, MAIL),
            mails=waiting,
            names=names,
            paths={one.subject: _path(session, one.subject) for one in waiting if one.kind == NOTICE},
            on=MAIL in deps.channels,
            now=deps.clock(),
            may_retry=here.viewer.may(Role.OPERATOR),
        )


@router.post("/system/mail/retry")
def retry(here: Here, deps: DepsHere) -> Response:
    """Try what failed again at once."""
    here.viewer.require(Role.OPERATOR, "retry what the mail server did not take")
    with here.database.write() as session:
        outbox.hurry(session, MAIL, at=deps.clock())
    return RedirectResponse("/system/mail", status_code=303)


def _path(session: Session, notice_id: str) -> str:
    """The page that a notice leads to; empty if to none."""
    found = notices.one(session, notice_id)
    return found.path if found else ""

"""Inbox: what needs me?"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from assent.domain.errors import NotFound
from assent.domain.people import Role
from assent.store.queries import approvals
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.paging import Page, PageRequest
from assent_ui.pages.context import Here
from assent_ui.pages.request import request_context

router = APIRouter()

RECENT = 8
"""Decided requests shown below those that wait."""

SHOWN = 60
"""Requests of one page of the inbox."""


@router.get("/", response_class=HTMLResponse)
def inbox(here: Here, agent: str = "", cursor: str | None = None, decided: str = "") -> HTMLResponse:
    """The inbox; ``decided`` names a request whose decision was just sent."""
    with here.database.read() as session:
        page = approvals.pending(session, agent=agent or None, request=PageRequest(SHOWN, cursor))
        # A decision is a signal to the run: the projection may still call the request pending for a moment.
        page = Page(tuple(item for item in page.items if item.id != decided), page.next_cursor)
        opened = approvals.one(session, page.items[0].id) if page.items else None
        context = request_context(here, session, opened) if opened else {}
        context |= {
            "page": page,
            "opened": opened,
            "decided": _found(session, decided),
            "recent": [] if cursor else approvals.closed(session, request=PageRequest(RECENT)).items,
            "last_decided_at": approvals.last_decided_at(session),
            "agent": agent,
            "agents": here.agent_names(session),
            "may_decide": here.viewer.may(Role.APPROVER),
        }
        return here.show(session, "inbox.html", "inbox", **context)


def _found(session: Session, approval_id: str) -> ApprovalView | None:
    try:
        return approvals.one(session, approval_id) if approval_id else None
    except NotFound:
        return None

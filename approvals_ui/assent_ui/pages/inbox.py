"""Inbox: what needs me?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.checks import ANNOUNCED
from assent.domain.errors import NotFound
from assent.domain.people import Role
from assent.store import checks as store
from assent.store import electorate, saved_views
from assent.store.queries import agents, alike, approvals, checks_shown, inbox, inbox_walk
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.inbox import COUNTED, InboxPage, Wanted
from assent.store.queries.inbox_walk import Sort
from assent.store.queries.paging import PageRequest
from assent_ui.pages import checks, effects, grants
from assent_ui.pages.context import Here, Place
from assent_ui.pages.inbox_query import EVERYBODY, GROUP, MINE, SORTS, TIMES, InboxQuery
from assent_ui.pages.request_parts import request_context

router = APIRouter()

RECENT = 8
"""Decided requests shown below those that wait."""

SHOWN = 50
"""Requests of one page of the inbox."""

KINDS = 10
"""Kinds of one page of the inbox laid out by kind."""

EACH = 4
"""Requests shown of each kind."""

MAX_KNOWN = 200
"""Requests on a page that live updates follow."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Whose inbox it is.

    Attributes:
        query: What the address asks for.
        wanted: The same for the store.
        who: Whose requests are shown.
        groups: Groups that the viewer decides for.
    """

    query: InboxQuery
    wanted: Wanted
    who: str
    groups: list[str]


def asked_for(
    who: str = "",
    agent: str = "",
    type: str = "",
    least: str = "",
    most: str = "",
    older: str = "",
    due: str = "",
    sort: str = "",
    alike: str = "",
    q: str = "",
) -> InboxQuery:
    """What an address asks for."""
    fields = (who, agent, type, least, most, older, due, sort, alike, q)
    return InboxQuery(*(field.strip() for field in fields))


Asked = Annotated[InboxQuery, Depends(asked_for)]


def mail_of(here: Place, session: Session, query: InboxQuery) -> Mail:
    """The viewer's inbox as an address asks for it."""
    now = here.clock()
    tokens = electorate.tokens_of(session, here.viewer.id, now)
    default = MINE if tokens else EVERYBODY
    groups = sorted(token.removeprefix(GROUP) for token in tokens if token.startswith(GROUP))
    return Mail(query, query.wanted(inbox.asked_now(session, tokens), now, default), query.who or default, groups)


@router.get("/", response_class=HTMLResponse)
def show(here: Here, query: Asked, cursor: str | None = None, decided: str = "", view: str = "") -> HTMLResponse:
    """The inbox; ``decided`` names a request whose decision was just sent."""
    with here.database.read() as session:
        mail = mail_of(here, session, query)
        context = _list(session, mail, cursor, decided)
        _add_checks(here, session, mail, cursor, context)
        opened = _opened(here, session, context)
        context |= _frame(here, session, mail, cursor, view) | {
            "opened": opened,
            "decided": _found(session, decided),
            "unread_checks": store.unread(session, here.viewer.id) if here.viewer.may(Role.APPROVER) else [],
            "checks_announced": ANNOUNCED,
            "unknown_tasks": [] if cursor else effects.tasks(here, session),
            "in_inbox": effects.IN_INBOX,
            "grants_wanted": () if cursor else grants.waiting_for(here, session),
            "grants_in_inbox": grants.IN_INBOX,
        }
        return here.show(session, "inbox.html", "inbox", stop_scopes=(), **context)


@router.get("/inbox/news", response_class=HTMLResponse)
def news(here: Here, query: Asked, shown: Annotated[list[str] | None, Query()] = None) -> HTMLResponse:
    """What became of the requests on a page, and how many others would stand on it now."""
    known = (shown or [])[:MAX_KNOWN]
    with here.database.read() as session:
        mail = mail_of(here, session, query)
        context = _list(session, mail, None, "")
        _add_checks(here, session, mail, None, context)
        fresh = [row.id for row in context["page"].items if row.pending and row.id not in set(known)]
        context |= {
            "rows": inbox.rows(session, known),
            "fresh": fresh,
            "mail": mail,
            "total": context["total"],
            "may_decide": here.viewer.may(Role.APPROVER),
        }
        return here.show(session, "inbox_news.html", "inbox", **context)


@router.get("/views/{view_id}")
def follow_view(here: Here, view_id: str) -> Response:
    """The inbox as a saved view has it, the viewer's own or somebody else's."""
    with here.database.read() as session:
        view = saved_views.one(session, view_id)
    query = InboxQuery.read(view.query).address()
    return RedirectResponse(f"/?{query}{'&' if query else ''}view={view.id}", status_code=303)


@router.post("/views")
def save_view(here: Here, name: str = Form(""), query: str = Form("")) -> Response:
    """Keep the filters of an address under a name."""
    kept = InboxQuery.read(query[:4_000]).address()
    with here.database.write() as session:
        view_id = saved_views.save(session, person_id=here.viewer.id, name=name, query=kept, at=here.clock())
    return RedirectResponse(f"/views/{view_id}", status_code=303)


@router.post("/views/{view_id}/remove")
def remove_view(here: Here, view_id: str) -> Response:
    """Remove a view of one's own."""
    with here.database.write() as session:
        if not saved_views.remove(session, view_id, person_id=here.viewer.id):
            raise NotFound("You have no such view.", where="view", todo="It may be removed already.")
    return RedirectResponse("/", status_code=303)


def _list(session: Session, mail: Mail, cursor: str | None, decided: str) -> dict[str, Any]:
    request = PageRequest(SHOWN, cursor)
    groups: list[inbox.Group] = []
    more_kinds = False
    total = inbox.count(session, mail.wanted) if not mail.query.q else 0
    if mail.query.q:
        page = inbox.found(session, mail.query.q, request=request)
    elif mail.query.alike:
        first = int(cursor) if cursor and cursor.isascii() and cursor.isdecimal() and len(cursor) < 4 else 0
        groups, more_kinds = inbox.groups(session, mail.wanted, first=first, most=KINDS, each=EACH)
        following = str(first + KINDS) if more_kinds else None
        page = InboxPage(tuple(row for group in groups for row in group.items), following)
    else:
        page = inbox.page(session, mail.wanted, request=request)
    # A decision is a signal to the run: the projection may still call the request pending for a moment.
    if decided:
        page = InboxPage(tuple(row for row in page.items if row.id != decided), page.next_cursor, page.gave_up)
    counts = {"waiting": total} if mail.who == MINE and not mail.query.narrowed else {}
    return counts | {"page": page, "groups": groups, "total": total, "counted": COUNTED}


def _add_checks(here: Place, session: Session, mail: Mail, cursor: str | None, context: dict[str, Any]) -> None:
    """Put the viewer's own checks where requests like them would stand on the first page."""
    if cursor is not None:
        return
    mine = checks_shown.rows_for(session, here.viewer.id, mail.wanted, mail.query.q, here.clock())
    if not mine:
        return
    page = context["page"]
    if mail.query.alike and not mail.query.q:
        context["groups"] = checks_shown.grouped(context["groups"], mine)
        rows = tuple(row for group in context["groups"] for row in group.items)
    else:
        sort = Sort.NEWEST if mail.query.q else mail.wanted.sort
        rows = checks_shown.among(page.items, mine, sort, last=page.next_cursor is None)
    context["page"] = InboxPage(rows, page.next_cursor, page.gave_up)
    context["total"] += len(mine)
    if "waiting" in context:
        context["waiting"] = context["total"]


def _frame(here: Place, session: Session, mail: Mail, cursor: str | None, view: str) -> dict[str, Any]:
    """What stands around the list."""
    kinds = alike.kinds(session, inbox_walk.everything)
    views = saved_views.of_person(session, here.viewer.id)
    return {
        "mail": mail,
        "query": mail.query,
        "sorts": SORTS,
        "times": TIMES,
        "types": sorted({kind.type for kind in kinds} | ({mail.query.type} if mail.query.type else set())),
        "agents": sorted({*agents.names(session), *({mail.query.agent} if mail.query.agent else ())}),
        "views": views,
        "view": next((each for each in views if each.id == view), None) or _view(session, view),
        "later": bool(cursor),
        "recent": [] if cursor or mail.query.q else approvals.closed(session, request=PageRequest(RECENT)).items,
        "last_decided_at": approvals.last_decided_at(session),
        "may_decide": here.viewer.may(Role.APPROVER),
    }


def _opened(here: Place, session: Session, context: dict[str, Any]) -> ApprovalView | None:
    """The request that stands beside the list, the first one that still waits; adds what its templates need."""
    first = next((row.id for row in context["page"].items if row.pending), "")
    if (approval := _found(session, first)) is not None:
        context |= request_context(here, session, approval)
    elif (check := store.one(session, first, here.viewer.id)) is not None:
        approval = checks_shown.as_request(session, check)
        context |= checks.context_of(here, approval, check)
    return approval


def _view(session: Session, view_id: str) -> saved_views.SavedView | None:
    try:
        return saved_views.one(session, view_id) if view_id else None
    except NotFound:
        return None


def _found(session: Session, approval_id: str) -> ApprovalView | None:
    try:
        return approvals.one(session, approval_id) if approval_id else None
    except NotFound:
        return None

"""Slack: what is still to be posted, where the app is installed, and which Slack user one is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from assent.domain.errors import Forbidden, InvalidInput, NotFound
from assent.domain.people import Role
from assent.store import checks, notices, outbox, people, slack_people, slack_workspaces
from assent.store.direct_digests import DIGEST
from assent.store.incident_writing import TOLD
from assent.store.notices import NOTICE
from assent.store.outbox import Notification
from assent.store.people import Person
from assent.store.queries import incidents
from assent.store.queries.paging import PageRequest
from assent.store.slack_people import How
from assent.store.slack_tickets import Purpose, Ticket
from assent_ui.deps import DepsHere
from assent_ui.identity.own import may_change_proofs
from assent_ui.pages.context import Here, Place

router = APIRouter()

CHANNEL = "slack"
"""The way of Slack in the outbox."""

SHOWN = 50
"""Waiting messages that the page shows."""


@dataclass(frozen=True, slots=True)
class Made:
    """Something that works once, made just now: a code to type, or a link to open."""

    code: str = ""
    link: str = ""


@router.get("/system/slack", response_class=HTMLResponse)
def show(here: Here, deps: DepsHere) -> HTMLResponse:
    """The queue, the workspaces, and oneself in Slack."""
    return _page(here, bool(deps.slack.install_url))


@router.post("/system/slack/retry")
def retry(here: Here, deps: DepsHere) -> Response:
    """Try what failed again at once."""
    here.viewer.require(Role.OPERATOR, "retry what Slack did not take")
    with here.database.write() as session:
        outbox.hurry(session, CHANNEL, at=deps.clock())
    return RedirectResponse("/system/slack", status_code=303)


@router.post("/system/slack/code", response_class=HTMLResponse)
def code(here: Here, deps: DepsHere) -> HTMLResponse:
    """A code that links whoever types it in Slack to whoever asked for it; it is shown this once."""
    with here.database.write() as session:
        may_change_proofs(session, here.viewer, deps)
        made = deps.slack.tickets.make(session, Ticket(Purpose.TYPED_IN_SLACK, here.viewer.id), at=deps.clock())
    return _page(here, bool(deps.slack.install_url), Made(code=made))


@router.post("/system/slack/install", response_class=HTMLResponse)
def install(here: Here, deps: DepsHere) -> HTMLResponse:
    """A link that installs the app in one more workspace; it is shown this once."""
    here.viewer.require(Role.ADMIN, "install Assent in a Slack workspace")
    here.viewer.require_fresh("install Assent in a Slack workspace")
    if not deps.slack.install_url:
        raise InvalidInput(
            "Other workspaces cannot install the app.",
            where="slack",
            todo="Set ASSENT_SLACK_CLIENT_ID, ASSENT_SLACK_CLIENT_SECRET and ASSENT_SLACK_SIGNING_SECRET.",
        )
    with here.database.write() as session:
        made = deps.slack.tickets.make(session, Ticket(Purpose.INSTALL, here.viewer.id), at=deps.clock())
    return _page(here, True, Made(link=f"{deps.slack.install_url}{quote(made)}"))


@router.get("/system/slack/link/{ticket}", response_class=HTMLResponse)
def ask(here: Here, deps: DepsHere, ticket: str) -> HTMLResponse:
    """Ask whether a Slack user is oneself."""
    with here.database.read() as session:
        found = _found(deps.slack.tickets.look(session, ticket, Purpose.OPENED_ON_THE_WEB, at=deps.clock()))
        workspace = slack_workspaces.one(session, found.team_id)
        return here.show(
            session,
            "slack_link.html",
            "system",
            ticket=ticket,
            found=found,
            workspace=workspace.name if workspace else found.team_id,
            own=slack_people.users_of(session, [here.viewer.id]),
        )


@router.post("/system/slack/link/{ticket}")
def link(here: Here, deps: DepsHere, ticket: str) -> Response:
    """Confirm it."""
    at = deps.clock()
    with here.database.write() as session:
        # Whoever decides in Slack decides in this person's name, also when this session is long over.
        may_change_proofs(session, here.viewer, deps)
        found = _found(deps.slack.tickets.use_up(session, ticket, Purpose.OPENED_ON_THE_WEB, at=at))
        slack_people.link(
            session,
            _myself(here, session),
            team_id=found.team_id,
            user_id=found.user_id,
            how=How.CODE,
            at=at,
            by=here.viewer.actor,
        )
    return RedirectResponse("/system/slack", status_code=303)


@router.post("/system/slack/unlink")
def unlink(here: Here, deps: DepsHere) -> Response:
    """Take one's own Slack users away."""
    with here.database.write() as session:
        slack_people.unlink(session, _myself(here, session), at=deps.clock(), by=here.viewer.actor)
    return RedirectResponse("/system/slack", status_code=303)


def _found(ticket: Ticket | None) -> Ticket:
    if ticket is None:
        raise NotFound(
            "This link is unknown, was used or is too old.", where="link", todo="Type `/assent link` in Slack again."
        )
    return ticket


def _myself(here: Place, session: Session) -> Person:
    person = people.one(session, here.viewer.id)
    if person is None or person.disabled:
        raise Forbidden("You may not do this any more.", where="person")
    return person


def _path(session: Session, waiting: Notification) -> str:
    """The page of what a message is about."""
    if waiting.kind == DIGEST:
        return "/"
    if waiting.kind == NOTICE:
        notice = notices.one(session, waiting.subject)
        return (notice.path if notice else "") or "/system/slack"
    if waiting.kind == TOLD:
        telling = incidents.telling(session, waiting.subject)
        return f"/incidents/{quote(telling.incident_id, safe='')}" if telling else "/incidents"
    return f"/approvals/{quote(waiting.subject, safe='')}"


def _page(here: Place, installable: bool, made: Made | None = None) -> HTMLResponse:
    with here.database.read() as session:
        queued = outbox.queue(session, CHANNEL, request=PageRequest(SHOWN)).items
        hidden = checks.of_others(session, [one.subject for one in queued], here.viewer.id)
        waiting = [one for one in queued if one.subject not in hidden]
        backlog = outbox.backlog(session, CHANNEL)
        return here.show(
            session,
            "slack.html",
            "system",
            backlog=replace(backlog, waiting=max(0, backlog.waiting - (len(queued) - len(waiting)))),
            messages=waiting,
            paths={one.id: _path(session, one) for one in waiting},
            workspaces=slack_workspaces.every(session),
            own=slack_people.users_of(session, [here.viewer.id]),
            made=made,
            installable=installable,
            may_retry=here.viewer.may(Role.OPERATOR),
            may_install=here.viewer.may(Role.ADMIN),
        )

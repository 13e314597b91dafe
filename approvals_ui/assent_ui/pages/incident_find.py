"""Finding what an incident affected: by table, id or customer, across all agents, since a time."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import AssentError, InvalidInput
from assent.store.queries import incidents
from assent.store.queries.affected import Affected, Sought, SoughtBy, find
from assent.store.queries.paging import Page, PageRequest
from assent_ui.incident_rights import may_write, require_reader, require_writer
from assent_ui.pages.context import Here, Place
from assent_ui.pages.incident import read_kind
from assent_ui.pages.times import moment

router = APIRouter()

Text = Annotated[str, Form()]

SHOWN = 50
"""Effects of one page."""


@router.get("/incidents/{incident_id}/find", response_class=HTMLResponse)
def look(
    here: Here,
    incident_id: str,
    by: str = SoughtBy.RECORD.value,
    name: str = "",
    since: str | None = None,
    agent: str = "",
    cursor: str | None = None,
) -> HTMLResponse:
    """What agents did to the records that are sought."""
    require_reader(here.viewer)
    return _page(here, incident_id, by, name, since, agent, cursor=cursor)


@router.post("/incidents/{incident_id}/find")
async def add(
    here: Here,
    incident_id: str,
    by: Text = "",
    name: Text = "",
    since: Text = "",
    agent: Text = "",
    kind: Text = "",
) -> Response:
    """Let everything that was found belong to the incident, as its records or as its runs."""
    require_writer(here.viewer)
    try:
        sought = _sought(by, name, since, agent)
        await here.gateway.group_found(incident_id, sought, read_kind(kind), by=here.viewer.actor)
    except AssentError as error:
        found = error
        return await here.in_thread(lambda: _page(here, incident_id, by, name, since, agent, problem=found))
    return RedirectResponse(f"/incidents/{quote(incident_id, safe='')}#parts-title", status_code=303)


def _sought(by: str, name: str, since: str, agent: str) -> Sought:
    if by not in list(SoughtBy):
        raise InvalidInput(f"Nothing is sought by {by!r}.", where="by", todo="By table, record or customer.")
    return Sought(SoughtBy(by), name.strip(), moment(since, "since"), agent.strip())


def _page(
    here: Place,
    incident_id: str,
    by: str,
    name: str,
    since: str | None,
    agent: str,
    *,
    cursor: str | None = None,
    problem: AssentError | None = None,
) -> HTMLResponse:
    with here.database.read() as session:
        found = incidents.one(session, incident_id)
        since = f"{found.began_at:%Y-%m-%dT%H:%M}" if since is None else since
        page: Page[Affected] | None = None
        if name.strip() and problem is None:
            page = find(session, _sought(by, name, since, agent), request=PageRequest(SHOWN, cursor))
        return here.show(
            session,
            "incident_find.html",
            "incidents",
            status=problem.status if problem else 200,
            incident=found,
            page=page,
            asked={"by": by, "name": name, "since": since, "agent": agent},
            query=urlencode({"by": by, "name": name, "since": since, "agent": agent}),
            kinds=(("record", "Record"), ("table", "Table"), ("customer", "Customer")),
            agents=here.agent_names(session),
            problem=problem,
            may_write=may_write(here.viewer) and found.closed_at is None,
        )

"""What was agreed after incidents: whose is it, and until when?"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import AssentError, InvalidInput
from assent.domain.incidents import FollowUpState
from assent.store.queries import follow_ups
from assent.store.queries.paging import PageRequest
from assent_ui.incident_rights import may_write, require_reader, require_writer
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.incident_report import read_day
from assent_ui.pages.incidents import leaders

router = APIRouter()

Text = Annotated[str, Form()]

SHOWN = 40
"""Actions of one page."""

STATES = (("open", "Open"), ("done", "Done"), ("dropped", "Dropped"))


@router.get("/incidents/actions", response_class=HTMLResponse)
def list_actions(here: Here, state: str = "open", cursor: str | None = None) -> HTMLResponse:
    """Actions in a state, soonest due first."""
    require_reader(here.viewer)
    return _page(here, state, cursor)


@router.post("/incidents/actions/{action_id}")
async def change(
    here: Here,
    action_id: str,
    state: Text = "",
    note: Text = "",
    owner: Text = "",
    due: Text = "",
    back: Text = "",
) -> Response:
    """Say what became of an action, or give it another owner or day."""
    require_writer(here.viewer)
    try:
        if state:
            if state not in list(FollowUpState):
                raise InvalidInput(f"There is no state {state!r}.", where="state", todo="Open, done or dropped.")
            incident_id = await here.gateway.settle_follow_up(
                action_id, FollowUpState(state), note=typed(note), by=here.viewer.actor
            )
        else:
            incident_id = await here.gateway.hand_over_follow_up(
                action_id, owner_id=owner or None, due=read_day(due) if due else None, by=here.viewer.actor
            )
    except AssentError as error:
        found = error
        return await here.in_thread(lambda: _page(here, "open", None, problem=found))
    to = f"/incidents/{quote(incident_id, safe='')}/report#actions-title" if back else "/incidents/actions"
    return RedirectResponse(to, status_code=303)


def _page(here: Place, state: str, cursor: str | None, *, problem: AssentError | None = None) -> HTMLResponse:
    if state not in list(FollowUpState):
        raise InvalidInput(f"There is no state {state!r}.", where="state", todo="Open, done or dropped.")
    with here.database.read() as session:
        today = here.clock().date()
        return here.show(
            session,
            "incident_actions.html",
            "incidents",
            status=problem.status if problem else 200,
            page=follow_ups.in_state(session, FollowUpState(state), request=PageRequest(SHOWN, cursor)),
            states=STATES,
            chosen=state,
            later=cursor is not None,
            overdue=follow_ups.count_overdue(session, today),
            today=today,
            leaders=leaders(session),
            problem=problem,
            may_write=may_write(here.viewer),
        )

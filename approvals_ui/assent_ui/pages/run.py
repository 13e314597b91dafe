"""Run: what happened?"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from assent.domain.actions import ActionStatus
from assent.domain.pauses import ScopeKind
from assent.domain.people import Role
from assent.store.queries import approvals, pauses, rollbacks, runs, timeline
from assent.store.queries.events import EventView
from assent.store.queries.paging import PageRequest
from assent.store.queries.runs import ActionView, RunView
from assent_ui.pages.context import Here
from assent_ui.rendering.stories import tell

router = APIRouter()

SHOWN = 50
"""Actions of one page of a timeline."""

EVENTS_READ = 4 * timeline.TIMELINE_LIMIT
"""Events read at once for a run that fits on one page."""


@router.get("/runs/{run_id}", response_class=HTMLResponse)
def run(here: Here, run_id: str, cursor: str | None = None) -> HTMLResponse:
    """A run with its timeline."""
    with here.database.read() as session:
        found = runs.one(session, run_id)
        page = runs.actions(session, run_id, request=PageRequest(SHOWN, cursor))
        stories = tell(page.items, _events(session, found, page.items))
        holding = pauses.covering(session, agent=found.agent, run_id=run_id)
        waiting = {item.action.approval_id for item in stories if item.action.status is ActionStatus.AWAITING}
        return here.show(
            session,
            "run.html",
            "runs",
            run=found,
            stories=stories,
            first_page=not cursor,
            next_cursor=page.next_cursor,
            holding=holding,
            held_alone=any(pause.scope.kind is ScopeKind.RUN for pause in holding),
            effects_done=any(item.action.status is ActionStatus.DONE and item.changed_fields for item in stories),
            rollbacks=[item for item in rollbacks.of_scope(session, run_id) if item.id.startswith("rollback-")],
            dues={each: approvals.one(session, each).expires_at for each in waiting if each},
            temporal_link=here.temporal_link(run_id),
            may_operate=here.viewer.may(Role.OPERATOR),
            may_decide=here.viewer.may(Role.APPROVER),
        )


def _events(session: Session, found: RunView, shown: tuple[ActionView, ...]) -> list[EventView]:
    """The events of the actions shown: all of a short run at once, else action by action."""
    if found.actions > SHOWN:
        return [event for action in shown for event in timeline.of_action(session, action.action_id)]
    events: list[EventView] = []
    while len(events) < EVENTS_READ:
        more = timeline.of_run(session, found.run_id, after=events[-1].id if events else 0)
        events += more
        if len(more) < timeline.TIMELINE_LIMIT:
            break
    return events

"""What every page has at hand: who looks, the application's parts, and the frame around the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import anyio.to_thread
from fastapi import Depends
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from assent.domain.people import Role
from assent.store import checks, electorate
from assent.store.queries import agents, inbox, incidents, pauses, timeline, unknowns
from assent.store.queries.inbox import Wanted
from assent_ui.auth import Viewer, csrf_protect, current_person
from assent_ui.deps import Deps, DepsHere
from assent_ui.incident_rights import may_read
from assent_ui.pages.stop_choices import choices
from assent_ui.stopping_rights import may_stop

COUNT_SHOWN = 100
"""Where the count beside Inbox stops: more than a person can look at in a day."""

_T = TypeVar("_T")


class Place:
    """One request for a page, by somebody who is signed in and whose own page sent it."""

    def __init__(self, deps: Deps, viewer: Viewer) -> None:
        self.viewer = viewer
        self.database = deps.database
        self.gateway = deps.gateway
        self.clock = deps.clock
        self.looks = deps.looks
        self._deps = deps

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Do something that waits for the database without holding up other requests."""
        return await anyio.to_thread.run_sync(work)

    def show(self, session: Session, template: str, place: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Render a page with the frame around it.

        Args:
            session: For what the frame shows.
            template: Its file.
            place: Which entry of the navigation it belongs to.
            status: HTTP status.
            context: What its template needs.
        """
        frame = {
            "viewer": self.viewer,
            "place": place,
            "pauses": pauses.active(session),
            "waiting": context["waiting"] if "waiting" in context else self._waiting(session),
            "to_find_out": self._to_find_out(session),
            "stop_choices": choices(context) if place != "stop" and self._may_stop(session) else [],
            "incidents_open": incidents.count_open(session) if may_read(self.viewer) else None,
            "newest_event": timeline.newest_id(session),
            "in_pane": False,
            "problem": None,
        }
        html = self._deps.templates.get_template(template).render(frame | context)
        return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})

    def _waiting(self, session: Session) -> int:
        """How many requests wait for the viewer; for somebody who decides nothing, how many wait."""
        tokens = electorate.tokens_of(session, self.viewer.id, self.clock())
        asked = inbox.asked_now(session, tokens) if tokens else None
        count = inbox.count(session, Wanted(tokens=asked), cap=COUNT_SHOWN)
        return count + checks.count_waiting(session, self.viewer.id, self.clock())

    def _to_find_out(self, session: Session) -> int:
        """How many effects nobody knows about that the viewer may settle, counting no further than a person would."""
        if self.viewer.may(Role.OPERATOR):
            return unknowns.count(session, cap=COUNT_SHOWN)
        if not self.viewer.may(Role.APPROVER):
            return 0
        found = unknowns.tally(session, most=COUNT_SHOWN)
        return sum(
            count
            for kind, count in found.items()
            if not self.gateway.why_not_settle(session, self.viewer.id, *kind, self.clock())
        )

    def _may_stop(self, session: Session) -> bool:
        return may_stop(session, self.viewer, self.clock())

    @property
    def may_publish(self) -> bool:
        """Whether the viewer can publish cards from the pages: they own agents, and connectors are at hand here."""
        return self.viewer.may(Role.OWNER) and self._deps.cards is not None

    def agent_names(self, session: Session) -> list[str]:
        """Names of the agents, for filters."""
        return agents.names(session)

    def temporal_link(self, run_id: str) -> str:
        """Temporal's own page of a run; empty if it is not known where that is."""
        base = (self._deps.temporal_ui_url or "").rstrip("/")
        namespace = quote(self._deps.temporal_namespace, safe="")
        return f"{base}/namespaces/{namespace}/workflows/{quote(run_id, safe='')}" if base else ""


async def here(
    deps: DepsHere, viewer: Annotated[Viewer, Depends(current_person)], _: Annotated[None, Depends(csrf_protect)]
) -> Place:
    """The place of a request for a page."""
    return Place(deps, viewer)


Here = Annotated[Place, Depends(here)]
"""What page functions take."""


def typed(text: str) -> str:
    """What somebody typed into a form, with the ends of lines of everything else: browsers send two characters."""
    return text.replace("\r\n", "\n")

"""Breakers: how far is an agent from being paused by itself, and why was it?"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from assent.gateway import breakers
from assent.store import health
from assent.store.queries import pauses, trips
from assent.store.queries.paging import PageRequest
from assent_ui.pages.context import Here
from assent_ui.rendering.breakers import figures_of, row_of

router = APIRouter()

TRIPS = 10
"""Trips of an agent that a page shows."""

GAUGES = 20
"""Runs or records that a page shows by themselves, the highest first."""


@router.get("/agents/{name}/breakers/{breaker}", response_class=HTMLResponse)
def show(here: Here, name: str, breaker: str) -> HTMLResponse:
    """A breaker as it stands now."""
    now = here.clock()
    with here.database.read() as session:
        view = breakers.one(session, name, breaker, now)
        return here.show(
            session,
            "breaker.html",
            "agents",
            row=row_of(view, now),
            gauges=view.gauges[:GAUGES],
            more=len(view.gauges) > GAUGES,
            health=health.of_connector(session, view.rule.of) if view.rule.measure.value == "probe" else None,
        )


@router.get("/trips", response_class=HTMLResponse)
def list_trips(here: Here, agent: str = "", cursor: str | None = None) -> HTMLResponse:
    """Breakers that fired, newest first."""
    with here.database.read() as session:
        request = PageRequest(cursor=cursor)
        page = trips.page(session, agent=agent or None, request=request)
        return here.show(session, "trips.html", "agents", page=page, agent=agent)


@router.get("/trips/{trip_id}", response_class=HTMLResponse)
def trip(here: Here, trip_id: str) -> HTMLResponse:
    """One time that a breaker fired."""
    with here.database.read() as session:
        found = trips.one(session, trip_id)
        return here.show(
            session,
            "trip.html",
            "agents",
            trip=found,
            figures=figures_of(found),
            recovery=breakers.recovery(session, found),
            pause=pauses.one(session, found.pause_id),
        )

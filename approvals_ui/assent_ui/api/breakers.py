"""Breakers: what pauses an agent by itself, and when it did."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from assent.gateway import breakers
from assent.store import health
from assent.store.queries import trips
from assent.store.queries.paging import PageRequest
from assent_ui.api import breaker_schemas as schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import api_person
from assent_ui.api.schemas import Page
from assent_ui.deps import DepsHere

router = APIRouter(tags=["breakers"], dependencies=[Depends(api_person)])


@router.get("/agents/{name}/breakers", responses=problems(404))
async def list_breakers(name: str, deps: DepsHere) -> schemas.BreakersOut:
    """An agent's breakers as they stand now: what is measured, what it may be, and what it paused."""
    found = await deps.read(lambda session: breakers.views(session, name, deps.clock()))
    return schemas.BreakersOut(items=[schemas.BreakerOut.of(each) for each in found])


@router.get("/agents/{name}/breakers/{breaker}", responses=problems(404))
async def show_breaker(name: str, breaker: str, deps: DepsHere) -> schemas.BreakerOut:
    """One breaker, with what it measured before."""
    return schemas.BreakerOut.of(await deps.read(lambda session: breakers.one(session, name, breaker, deps.clock())))


@router.get("/trips", responses=problems())
async def list_trips(
    deps: DepsHere, page: Annotated[PageRequest, Depends(page_request)], agent: str | None = None
) -> Page[schemas.TripOut]:
    """Breakers that fired, newest first."""
    found = await deps.read(lambda session: trips.page(session, agent=agent, request=page))
    return page_of(found, schemas.TripOut.of)


@router.get("/trips/{trip_id}", responses=problems(404))
async def show_trip(trip_id: str, deps: DepsHere) -> schemas.TripOut:
    """One time that a breaker fired: rule, figures, evidence, pause, and who was woken."""
    return schemas.TripOut.of(await deps.read(lambda session: trips.one(session, trip_id)))


@router.get("/connectors", responses=problems())
async def list_connectors(deps: DepsHere) -> schemas.HealthsOut:
    """How connectors are that a card has a breaker for, as they were when they were asked last."""
    found = await deps.read(health.every)
    return schemas.HealthsOut(items=[schemas.HealthOut.model_validate(each) for each in found])

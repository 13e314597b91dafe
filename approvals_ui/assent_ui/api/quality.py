"""Quality of decisions: figures, and what they suggest."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from assent.domain.people import Role
from assent.store import checks, suggestions
from assent.store.queries import quality
from assent.store.queries.checks import Tally, tallies
from assent.store.queries.paging import MAX_LIMIT, PageRequest
from assent_ui.api import quality_schemas as schemas
from assent_ui.api.answers import page_of, problems
from assent_ui.api.callers import api_person, person_with
from assent_ui.api.schemas import Page
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere

router = APIRouter(tags=["quality"])

Owner = Annotated[Viewer, Depends(person_with(Role.OWNER, "put suggestions aside"))]


@router.get("/quality", responses=problems(), dependencies=[Depends(api_person)])
async def figures(
    deps: DepsHere,
    days: Annotated[int, Query(description="7, 30 or 90, today (UTC) included.")] = 30,
    agent: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page.")] = quality.KINDS.limit,
    cursor: Annotated[str | None, Query(max_length=1_000, description="`next_cursor` of the page before.")] = None,
) -> Page[schemas.KindOut]:
    """Figures by agent and action type, from what was sealed until a few seconds ago."""
    request, now = PageRequest(limit, cursor), deps.clock()
    found = await deps.read(lambda session: quality.page(session, now, days=days, agent=agent, request=request))
    return page_of(found, schemas.KindOut.of)


@router.get("/quality/suggestions", responses=problems(), dependencies=[Depends(api_person)])
async def list_suggestions(deps: DepsHere) -> schemas.SuggestionsOut:
    """What the last 30 days suggest, and nobody has put aside."""
    found = await deps.read(lambda session: suggestions.open_ones(session, deps.clock()))
    return schemas.SuggestionsOut(
        items=[
            schemas.SuggestionOut(
                agent=each.agent,
                type=each.type,
                direction=each.direction,
                tier=each.tier.word,
                sentence=each.sentence,
                evidence=list(each.evidence),
                change=each.change,
            )
            for each in found
        ]
    )


@router.get("/quality/checks", responses=problems())
async def seeded_checks(
    viewer: Annotated[Viewer, Depends(api_person)],
    deps: DepsHere,
    days: Annotated[int, Query(ge=1, le=365)] = 90,
) -> schemas.ChecksOut:
    """Seeded checks by agent. Nothing can run of a check; while it waits, no list tells it from a request."""
    since = deps.clock() - timedelta(days=days)

    def look(session: Session) -> schemas.ChecksOut:
        return schemas.ChecksOut(
            announced=[schemas.AnnouncementOut.model_validate(each) for each in checks.announced(session, viewer.id)],
            items=[schemas.TallyOut(agent=each.of, **_counts(each)) for each in tallies(session, since)],
        )

    return await deps.read(look)


@router.post("/quality/dismissals", status_code=201, responses=problems(404))
async def dismiss(body: schemas.DismissalIn, viewer: Owner, deps: DepsHere) -> schemas.DismissalOut:
    """Put a suggestion aside for some days. Needs the role owner."""
    done = await deps.write(
        lambda session: suggestions.dismiss(
            session,
            body.agent,
            body.type,
            body.direction,
            days=body.days,
            reason=body.reason,
            by=viewer.actor,
            at=deps.clock(),
        )
    )
    return schemas.DismissalOut.model_validate(done)


def _counts(each: Tally) -> dict[str, int]:
    return {
        "shown": each.shown,
        "caught": each.caught,
        "missed": each.missed,
        "questioned": each.questioned,
        "unanswered": each.unanswered,
    }

"""The ledger, for auditors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime
from sqlalchemy.orm import Session

from assent.domain.errors import InvalidInput
from assent.domain.people import Role
from assent.store.queries import ledger
from assent.store.queries.events import EventView
from assent.store.queries.ledger import LedgerFilter
from assent.store.queries.paging import Page, PageRequest
from assent_ui.api import schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import person_with
from assent_ui.deps import DepsHere

router = APIRouter(tags=["ledger"])

Text = Annotated[str | None, Query(min_length=1, max_length=300)]


@router.get("/ledger", responses=problems(), dependencies=[Depends(person_with(Role.AUDITOR, "read the ledger"))])
async def list_events(
    deps: DepsHere,
    page: Annotated[PageRequest, Depends(page_request)],
    run: Text = None,
    action: Text = None,
    agent: Text = None,
    kind: Annotated[str | None, Query(max_length=60, examples=["effect.done"])] = None,
    resource: Annotated[
        str | None, Query(max_length=300, description="Name of a record; goes alone.", examples=["shop/orders/W123"])
    ] = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> schemas.Page[schemas.EventOut]:
    """Events, newest first. Needs the role auditor.

    With `resource`: everything that led to and followed from what touched a record; then `limit` counts the effects
    and undos that touched it, each with all its events.
    """
    wanted = LedgerFilter(run_id=run, action_id=action, agent=agent, kind=kind, since=since, until=until)
    if resource is not None and wanted != LedgerFilter():
        raise InvalidInput(
            "`resource` goes alone.", where="resource", todo="Leave the other filters out, or leave it out."
        )

    def look(session: Session) -> Page[EventView]:
        if resource is not None:
            return ledger.page_of_resource(session, resource, request=page)
        return ledger.page(session, wanted, request=page)

    return page_of(await deps.read(look), schemas.EventOut.model_validate)

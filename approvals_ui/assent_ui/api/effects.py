"""Effects that nobody knows about: finding out what became of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from assent.gateway.finding_out import how_to_find_out, undo_of
from assent.store.queries import unknowns
from assent.store.queries.paging import PageRequest
from assent.store.queries.unknowns import UnknownInFull, UnknownView
from assent_ui.api import effect_schemas as schemas
from assent_ui.api.answers import page_of, page_request, problems
from assent_ui.api.callers import api_person
from assent_ui.api.schemas import Page
from assent_ui.auth import Viewer
from assent_ui.deps import DepsHere

router = APIRouter(tags=["effects"])

Somebody = Annotated[Viewer, Depends(api_person)]


@router.get("/effects", responses=problems(), dependencies=[Depends(api_person)])
async def list_unknown_effects(
    deps: DepsHere,
    page: Annotated[PageRequest, Depends(page_request)],
    agent: Annotated[str | None, Query(max_length=60)] = None,
    settled: Annotated[bool, Query(description="Those that were unknown and are not any more.")] = False,
) -> Page[schemas.UnknownEffectOut]:
    """Effects that nobody knows about, the longest unknown first; settled ones, the last one first."""
    found = await deps.read(
        lambda session: (
            unknowns.settled(session, request=page) if settled else unknowns.page(session, agent=agent, request=page)
        )
    )
    return page_of(found, schemas.UnknownEffectOut.model_validate)


@router.get("/effects/{action_id}", responses=problems(404))
async def show_unknown_effect(action_id: str, viewer: Somebody, deps: DepsHere) -> schemas.UnknownEffectInFull:
    """Everything that somebody needs to find out what became of an effect."""

    def look(session: Session) -> schemas.UnknownEffectInFull:
        found = unknowns.one(session, action_id)
        why_not = deps.gateway.why_not_settle(session, viewer.id, found.view.agent, found.view.type, deps.clock())
        return in_full(found, may_settle=not why_not)

    return await deps.read(look)


@router.post("/effects/{action_id}/reconcile", responses=problems(404))
async def reconcile_effect(action_id: str, viewer: Somebody, deps: DepsHere) -> schemas.ReconciledOut:
    """Ask the connector what became of an effect. It stays unknown if the connector cannot say."""
    done = await deps.gateway.reconcile(action_id, by=viewer.actor)
    return schemas.ReconciledOut.model_validate(done)


@router.post("/effects/{action_id}/settle", responses=problems(404, 409))
async def settle_effect(
    action_id: str, body: schemas.SettleIn, viewer: Somebody, deps: DepsHere
) -> schemas.ReconciledOut:
    """Say what became of an effect, once: operators, and whoever the card asks to approve its type.

    The connector is asked once more first; where it can say, that counts. 409 if somebody was quicker.
    """
    status = await deps.gateway.settle_effect(
        action_id,
        by=viewer.actor,
        happened=body.happened,
        note=body.note,
        reference=body.reference,
        changes=body.changes,
    )
    return schemas.ReconciledOut(action_id=action_id, status=status, settled=True)


@router.post("/effects/{action_id}/retry", status_code=202, responses=problems(404, 409))
async def retry_effect(action_id: str, viewer: Somebody, deps: DepsHere) -> schemas.ReconciledOut:
    """Try an action again that is settled as not happened; it goes through admission with the same key."""
    await deps.gateway.retry_effect(action_id, by=viewer.actor)
    return schemas.ReconciledOut(action_id=action_id, status=None, settled=True)


def in_full(found: UnknownInFull, *, may_settle: bool) -> schemas.UnknownEffectInFull:
    """A question as the API and the command line show it whole."""
    view: UnknownView = found.view
    fields = {name: getattr(view, name) for name in schemas.UnknownEffectOut.model_fields}
    return schemas.UnknownEffectInFull(
        **fields,
        effect=found.effect,
        arguments=found.action.arguments,
        reason=found.action.reason,
        how_to_find_out=how_to_find_out(found),
        foreseen=list(found.foreseen),
        undo=_undo(found),
        run_ended=found.run.status.ended,
        may_settle=may_settle,
    )


def _undo(found: UnknownInFull) -> schemas.UndoOut | None:
    undo = undo_of(found)
    if undo is None:
        return None
    return schemas.UndoOut(
        kind=undo.kind,
        sentence=undo.sentence,
        within_seconds=undo.within.total_seconds() if undo.within else None,
        runbook=undo.runbook,
        runbook_link=undo.link,
    )

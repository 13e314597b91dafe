"""A rollback: how far it is, what waits for whom, and what is left for a person."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assent.domain.errors import AssentError, Forbidden, InvalidInput, NotFound
from assent.domain.rollback_approval import RollbackVerb
from assent.domain.rollbacks import RollbackStatus
from assent.domain.undo_steps import SettledHow, StepOutcome, Undoable
from assent.domain.words import counted
from assent.gateway.undo_rights import may_do
from assent.store.queries import rollback_steps, rollbacks
from assent.store.queries.paging import PageRequest
from assent.store.queries.rollbacks import RollbackView
from assent_ui.pages.context import Here, Place, typed
from assent_ui.pages.undo import SHOWN, goal_of, include_later, preview_page
from assent_ui.pages.undo_choose import scope_query
from assent_ui.rendering import rollbacks as pictures
from assent_ui.rendering.faces import ROLLBACK
from assent_ui.rendering.undo_steps import lay_out

router = APIRouter()

_FILTERED = (
    RollbackStatus.AWAITING,
    RollbackStatus.RUNNING,
    RollbackStatus.HELD,
    RollbackStatus.NEEDS_PERSON,
    RollbackStatus.DONE,
    RollbackStatus.REFUSED,
)

_PLANNED = (RollbackStatus.CHECKING, RollbackStatus.AWAITING, RollbackStatus.REFUSED)
"""Not begun: there is a plan, and nothing has come of it."""


@router.get("/rollbacks", response_class=HTMLResponse)
def list_rollbacks(here: Here, status: str = "", cursor: str | None = None) -> HTMLResponse:
    """All rollbacks, newest first."""
    chosen = RollbackStatus(status) if status in _FILTERED else None
    with here.database.read() as session:
        return here.show(
            session,
            "rollbacks.html",
            "undo",
            page=rollbacks.page(session, status=chosen, request=PageRequest(SHOWN, cursor)),
            chosen=chosen.value if chosen else "",
            statuses=[("", "All"), *((each.value, ROLLBACK[each].word) for each in _FILTERED)],
            later=cursor is not None,
        )


@router.get("/rollbacks/{rollback_id}", response_class=HTMLResponse)
def rollback(
    here: Here,
    rollback_id: str,
    verdict: str = "",
    outcome: str = "",
    cursor: str | None = None,
    was: str = "",
    reason: str = "",
) -> HTMLResponse:
    """A preview, or a rollback with its progress and its rest.

    Args:
        here: Where it is shown.
        rollback_id: Which one.
        verdict: Of a preview or of what was not begun, only effects with this verdict.
        outcome: Of a rollback, only effects that came to this.
        cursor: Which page of the effects.
        was: Of a preview, the one that somebody saw before it, to compare.
        reason: Of a preview, the reason that they gave.
    """
    with here.database.read() as session:
        found = rollbacks.header(session, rollback_id)
        if found.status is RollbackStatus.PREVIEW:
            return preview_page(here, session, found, verdict=verdict, cursor=cursor, was=was, reason=reason)
    return _page(here, rollback_id, kind=outcome or verdict, cursor=cursor)


@router.post("/rollbacks/{rollback_id}/hold")
async def hold(here: Here, rollback_id: str) -> Response:
    """Let what is being undone end, and begin nothing more."""
    return await _then(here, rollback_id, here.gateway.hold_rollback(rollback_id, by=here.viewer.actor))


@router.post("/rollbacks/{rollback_id}/continue")
async def go_on(here: Here, rollback_id: str) -> Response:
    """Let a held one go on."""
    return await _then(here, rollback_id, here.gateway.continue_rollback(rollback_id, by=here.viewer.actor))


@router.post("/rollbacks/{rollback_id}/withdraw")
async def withdraw(here: Here, rollback_id: str, reason: Annotated[str, Form()] = "") -> Response:
    """Take back one that has not begun."""
    asked = here.gateway.withdraw_rollback(rollback_id, by=here.viewer.actor, reason=typed(reason))
    return await _then(here, rollback_id, asked)


@router.post("/rollbacks/{rollback_id}/decide")
async def decide(
    here: Here,
    rollback_id: str,
    verb: Annotated[str, Form()] = "",
    digest: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Say yes or no to one that awaits approval."""
    if verb not in list(RollbackVerb):
        raise InvalidInput("Choose approve or reject.", where="verb")
    said = here.gateway.decide_rollback(
        rollback_id, verb=RollbackVerb(verb), digest=digest, by=here.viewer.actor, reason=typed(reason)
    )
    return await _then(here, rollback_id, said)


@router.post("/rollbacks/{rollback_id}/rest")
async def rest(
    here: Here,
    rollback_id: str,
    do: Annotated[str, Form()] = "",
    step: Annotated[list[int] | None, Form()] = None,
    note: Annotated[str, Form()] = "",
    evidence: Annotated[str, Form()] = "",
) -> Response:
    """Try effects that were left again, or close them with a person's word."""
    chosen = sorted(set(step or []))
    faults: dict[int, AssentError] = {}
    try:
        if do == "retry_all":
            await here.gateway.retry_steps(rollback_id, [], by=here.viewer.actor)
        elif not chosen:
            raise InvalidInput("Nothing is ticked.", where="step", todo="Tick the effects that are meant.")
        elif do == "retry":
            await here.gateway.retry_steps(rollback_id, chosen, by=here.viewer.actor)
        elif do in list(SettledHow):
            faults = await _settle(here, rollback_id, chosen, SettledHow(do), typed(note).strip(), evidence.strip())
        else:
            raise InvalidInput("Choose what to do with them.", where="do")
    except (NotFound, Forbidden):
        raise
    except AssentError as error:
        return await here.in_thread(partial(_page, here, rollback_id, problem=error))
    if faults:
        return await here.in_thread(partial(_page, here, rollback_id, faults=faults))
    return _to(rollback_id)


async def _settle(
    here: Place, rollback_id: str, ordinals: Sequence[int], how: SettledHow, note: str, evidence: str
) -> dict[int, AssentError]:
    """Close each by itself; gives those that could not be, and why."""
    if not note:
        raise InvalidInput("This needs a note.", where="note", todo="Say what was done by hand, or why it may stay.")
    faults: dict[int, AssentError] = {}
    for ordinal in ordinals:
        try:
            await here.gateway.settle_step(
                rollback_id, ordinal, by=here.viewer.actor, how=how, note=note, evidence=evidence
            )
        except (NotFound, Forbidden):
            raise
        except AssentError as error:
            faults[ordinal] = error
    return faults


async def _then(here: Place, rollback_id: str, doing: Awaitable[object]) -> Response:
    """Lead back to the rollback, or show it with why that could not be done."""
    try:
        await doing
    except (NotFound, Forbidden):
        raise
    except AssentError as error:
        return await here.in_thread(partial(_page, here, rollback_id, problem=error))
    return _to(rollback_id)


def _to(rollback_id: str) -> RedirectResponse:
    return RedirectResponse(f"/rollbacks/{rollback_id}", status_code=303)


def _page(
    here: Place,
    rollback_id: str,
    *,
    kind: str = "",
    cursor: str | None = None,
    problem: AssentError | None = None,
    faults: Mapping[int, AssentError] | None = None,
) -> HTMLResponse:
    with here.database.read() as session:
        found = rollbacks.header(session, rollback_id)
        counts = rollback_steps.outcomes(session, rollback_id)
        planned = found.status in _PLANNED
        outcome = StepOutcome(kind) if kind in list(StepOutcome) and not planned else None
        verdict = Undoable(kind) if kind in list(Undoable) and planned else None
        chosen = outcome or verdict
        page = rollback_steps.page(
            session, rollback_id, outcome=outcome, verdict=verdict, request=PageRequest(SHOWN, cursor)
        )
        failed = rollback_steps.some(session, rollback_id, list(faults or {}))
        still_open, left = (counts.get(each, 0) for each in (StepOutcome.OPEN, StepOutcome.LEFT))
        running = found.status is RollbackStatus.RUNNING
        awaits = found.status is RollbackStatus.AWAITING
        may = may_do(
            session,
            found.scope,
            here.viewer.actor,
            here.clock(),
            rules=found.rules if awaits else None,
            planned=found.totals.by_agent,
        )
        may_operate = not may.why_not
        steps = lay_out(page.items)
        kept = {"verdict" if planned else "outcome": chosen.value} if chosen else {}
        address = f"/rollbacks/{rollback_id}"
        return here.show(
            session,
            "rollback.html",
            "undo",
            status=problem.status if problem else 409 if faults else 200,
            rollback=found,
            headline=_headline(found, counts),
            goal=goal_of(session, found.scope),
            picture=pictures.of_verdicts(found.totals) if planned else pictures.of_outcomes(counts),
            planned=planned,
            dealt_with=sum(counts.values()) - still_open,
            pace=pictures.pace(rollback_steps.lately(session, rollback_id), still_open) if running else None,
            left=left,
            steps=steps,
            settle=may_operate and not found.status.open and any(each.selectable for each in steps),
            chosen=chosen.value if chosen else "",
            here_address=f"{address}?{urlencode(kept)}",
            next_address=f"{address}?{urlencode({**kept, 'cursor': page.next_cursor})}",
            next_cursor=page.next_cursor,
            later=cursor is not None,
            include_later=include_later(found.scope) if may_operate and not found.status.open else "",
            again=urlencode(scope_query(found.scope)) if not found.status.open else "",
            faults=[(placed.step.sentence, str(faults[placed.ordinal])) for placed in failed] if faults else [],
            problem=problem,
            may=may,
            votes=rollbacks.votes(session, rollback_id) if found.rules else (),
            may_operate=may_operate,
        )


def _headline(found: RollbackView, counts: Mapping[StepOutcome, int]) -> str:
    total = sum(counts.values())
    undone, left = counts.get(StepOutcome.UNDONE, 0), counts.get(StepOutcome.LEFT, 0)
    match found.status:
        case RollbackStatus.CHECKING:
            return "Looking at the world again, before anything is undone"
        case RollbackStatus.AWAITING:
            return f"{counted(found.totals.to_undo, 'effect')} wait for approval to be undone"
        case RollbackStatus.RUNNING:
            return f"Undoing {counted(total, 'effect')}" if total else "Looking at what there is to undo"
        case RollbackStatus.HELD:
            return f"Held with {counted(counts.get(StepOutcome.OPEN, 0), 'effect')} to go"
        case RollbackStatus.REFUSED:
            return "Nothing was undone"
    if not total:
        return "There was nothing to undo"
    settled = counts.get(StepOutcome.SETTLED, 0)
    rest = [f"{settled:,} settled by people"] if settled else []
    rest += [f"{left:,} left for a person"] if left else []
    return ", ".join([f"{counted(undone, 'effect')} undone", *rest])

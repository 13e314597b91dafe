"""Writing the plan of a rollback: page by page, going on where an earlier attempt broke off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session
from temporalio import activity

from assent.domain.rollback_approval import RollbackRules
from assent.domain.rollbacks import RollbackRequest, RollbackTotals
from assent.domain.undo_steps import UndoStep
from assent.policy.cards import AgentCard
from assent.policy.undoing import longest_window, rollback_rules, trusted, why_not_undo
from assent.store import cards, earlier_undos, electorate, rollback_plans, scoped_effects
from assent.store.rollback_plans import PlanState
from assent.store.scoped_effects import Effect, Position
from assent_activities.dependencies import Dependencies
from assent_activities.retrying import try_again
from assent_activities.rollback_preview import RollbackPreview

FIRST_PAGE = 50
"""Effects of the first page: somebody waits for it."""

PAGE = 400
"""Effects of the others."""

_SOON = timedelta(milliseconds=200)


def write_plan(dependencies: Dependencies, request: RollbackRequest) -> PlanState:
    """Write the plan of a rollback or preview whose row is there, as far as it is not written yet.

    Memory does not grow with the number of effects: each page knows what the one before it left in the database.

    Returns:
        The plan, complete; or as it was when the rollback was given up meanwhile.

    Raises:
        ApplicationError: Somebody else goes on with it; it is tried again.
    """
    found = _state(dependencies, request.rollback_id)
    while not found.complete:
        _beat(found.totals.steps)
        effects, position, last = _next(dependencies, request, found)
        preview = RollbackPreview(
            dependencies, request.rollback_id, request.scope, dependencies.clock(), lambda: _beat("asking")
        )
        steps = preview.steps(effects, only_new=request.scope.with_later)
        written = _write(dependencies, request.rollback_id, found, steps, position=position, complete=last)
        if written is None:
            now = _state(dependencies, request.rollback_id)
            if now.status is not found.status:
                return now
            raise try_again(f"Somebody else writes the plan of {request.rollback_id}.", after=_SOON)
        found = written
    return found


def authority(
    session: Session, request: RollbackRequest, totals: RollbackTotals, now: datetime
) -> tuple[str, RollbackRules]:
    """Why whoever asked may not undo all of this, empty if they may; and who must agree.

    Nobody else begins a rollback until the transaction ends, so that two at once count each other.
    """
    earlier_undos.count_alone(session)
    concerned = []
    for agent in sorted(totals.by_agent):
        version = cards.version_in_force(session, agent)
        found = None if version is None else cards.read_version(session, agent, version)
        if found is not None:
            concerned.append(AgentCard.model_validate(found.card))
    window = longest_window(concerned)
    rules = rollback_rules(
        concerned,
        totals.among(request.among),
        requester=request.by.id,
        requester_mailbox=electorate.mailbox(session, request.by.id),
        asked_at=request.requested_at,
        earlier=earlier_undos.without_approval(
            session,
            since=request.requested_at - window,
            beside=request.rollback_id,
            of_pause=request.of_pause,
            money=any(card.undoing.money for card in concerned),
        ),
    )
    if trusted(request.by):
        return "", rules
    voter = electorate.voter(session, request.by.id, now)
    if voter is None or not voter.enabled:
        return f"{request.by.name} is not known here, or may not act.", rules
    return why_not_undo(concerned, voter.own), rules


def _next(
    dependencies: Dependencies, request: RollbackRequest, found: PlanState
) -> tuple[list[Effect], Position | None, bool]:
    """The effects of the next page, where they end, and whether they are the last."""
    limit = PAGE if found.begun else FIRST_PAGE
    with dependencies.database.read() as session:
        running = [] if found.begun else scoped_effects.under_way(session, request.scope)
        effects = scoped_effects.page(session, request.scope, after=found.position, limit=limit)
    last = effects[-1] if effects else None
    position = Position(last.finished_at, last.action_id) if last and last.finished_at else found.position
    return [*running, *effects], position, len(effects) < limit


def _write(
    dependencies: Dependencies,
    rollback_id: str,
    found: PlanState,
    steps: Sequence[UndoStep],
    *,
    position: Position | None,
    complete: bool,
) -> PlanState | None:
    return dependencies.database.together(
        lambda session: rollback_plans.add_page(
            session, rollback_id, found, steps, position=position, complete=complete
        )
    )


def _state(dependencies: Dependencies, rollback_id: str) -> PlanState:
    with dependencies.database.read() as session:
        found = rollback_plans.state(session, rollback_id)
    if found is None:
        raise LookupError(f"There is no row of {rollback_id} to write its plan to.")
    return found


def _beat(detail: object) -> None:
    if activity.in_activity():
        activity.heartbeat(detail)

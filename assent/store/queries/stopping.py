"""What belongs to a pause: what was under way, what each held run waits for, what became of its rollbacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus
from assent.domain.effects import EffectStatus
from assent.domain.pauses import Scope, ScopeKind, Subject
from assent.domain.rollbacks import RollbackStatus
from assent.store.pause_scopes import held, scope_of, within
from assent.store.queries.labels import labels_of
from assent.store.queries.paging import FIRST, Order, Page, PageRequest
from assent.store.queries.pauses import one
from assent.store.tables import (
    ActionRow,
    ApprovalRow,
    EffectRow,
    PauseClaimRow,
    PauseHoldRow,
    PauseReleaseRow,
    PauseRollbackRow,
    PauseRow,
    RollbackRow,
    RunRow,
)

MOST_ACTIONS = 20
"""Held actions that are shown of one run; the rest is counted."""


@dataclass(frozen=True, slots=True)
class ClaimView:
    """An effect that was under way when a pause began, or was found under way since.

    Attributes:
        action_id: Its action.
        run_id: Its run.
        agent: Its agent.
        type: Its action type.
        holder: The attempt that held it.
        since: When it was claimed.
        asked_at: When it was asked to stop; ``None`` if nobody asked.
        status: What it is now; claimed is still under way, ``None`` was given back without an effect.
        finished_at: When it ended.
        sentence: What it does, in words; empty if nobody wrote it down.
    """

    action_id: str
    run_id: str
    agent: str
    type: str
    holder: str
    since: datetime
    asked_at: datetime | None
    status: EffectStatus | None
    finished_at: datetime | None
    sentence: str


@dataclass(frozen=True, slots=True)
class HeldAction:
    """An action that is held.

    Attributes:
        action_id: Its id.
        type: Its type.
        sentence: What it would do.
        since: When it was proposed.
        pauses: Ids of all pauses in force that hold it; it goes on when the last of them lets it.
        approval_id: The request that people decided, or are to decide, if there is one.
        approved: They approved it: it runs as soon as it is let go. Else it is admitted, and perhaps asked for, then.
    """

    action_id: str
    type: str
    sentence: str
    since: datetime
    pauses: tuple[str, ...]
    approval_id: str | None
    approved: bool


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A run that a pause holds, and what it waits for.

    Attributes:
        run_id: The run.
        agent: Its agent.
        goal: What the agent was asked to do.
        started_at: When it began.
        actions: Its held actions, the oldest first, at most :data:`MOST_ACTIONS`.
        more_actions: How many further ones there are.
    """

    run_id: str
    agent: str
    goal: str
    started_at: datetime
    actions: tuple[HeldAction, ...]
    more_actions: int = 0


@dataclass(frozen=True, slots=True)
class PauseRollbackView:
    """The rollback of one run by a pause that compensates; without a status it has not been taken up yet."""

    run_id: str
    rollback_id: str
    started_at: datetime
    status: RollbackStatus | None
    finished_at: datetime | None


_CLAIMS = Order("pause-claims", [col(PauseClaimRow.since), col(PauseClaimRow.action_id)], descending=False)
_RUNS = Order("pause-held", [col(ActionRow.agent), col(ActionRow.run_id)], descending=False)
_ROLLBACKS = Order("pause-rollbacks", [col(PauseRollbackRow.run_id)], descending=False)


def claims(session: Session, pause_id: str, *, request: PageRequest = FIRST) -> Page[ClaimView]:
    """Effects that were under way, the oldest first.

    Raises:
        NotFound: There is no such pause.
    """
    one(session, pause_id)
    found = select(PauseClaimRow).where(col(PauseClaimRow.pause_id) == pause_id)
    rows = session.execute(_CLAIMS.window(found, request)).scalars().all()
    if not rows:
        return Page(())
    ids = [row.action_id for row in rows]
    wanted = select(EffectRow).where(col(EffectRow.action_id).in_(ids))
    effects = {row.action_id: row for row in session.execute(wanted).scalars()}
    said = select(col(ActionRow.action_id), col(ActionRow.sentence)).where(col(ActionRow.action_id).in_(ids))
    sentences = {row.action_id: row.sentence for row in session.execute(said)}

    def view(row: PauseClaimRow) -> ClaimView:
        effect = effects.get(row.action_id)
        return ClaimView(
            row.action_id,
            row.run_id,
            row.agent,
            row.type,
            row.holder,
            row.since,
            row.asked_at,
            EffectStatus(effect.status) if effect else None,
            effect.finished_at if effect else None,
            sentences.get(row.action_id, ""),
        )

    return _CLAIMS.page(rows, request, view)


def held_runs(session: Session, pause_id: str, *, request: PageRequest = FIRST) -> Page[HeldRun]:
    """Runs with an action that a pause holds, by agent and id, and what each of them waits for.

    Raises:
        NotFound: There is no such pause.
    """
    view = one(session, pause_id)
    found = select(col(ActionRow.agent), col(ActionRow.run_id)).distinct()
    found = found.where(col(ActionRow.status) == ActionStatus.HELD.value, _held_by(session, pause_id, view.scope))
    rows = session.execute(_RUNS.window(found, request)).all() if view.active else []
    if not rows:
        return Page(())
    ids = [row.run_id for row in rows]
    runs = {row.run_id: row for row in session.execute(select(RunRow).where(col(RunRow.run_id).in_(ids))).scalars()}
    waiting = _actions(session, ids)

    def shown(row: Any) -> HeldRun:
        run, actions = runs[row.run_id], waiting.get(row.run_id, [])
        more = max(len(actions) - MOST_ACTIONS, 0)
        return HeldRun(run.run_id, run.agent, run.goal, run.started_at, tuple(actions[:MOST_ACTIONS]), more)

    return _RUNS.page(rows, request, shown)


def rollbacks(session: Session, pause_id: str, *, request: PageRequest = FIRST) -> Page[PauseRollbackView]:
    """Rollbacks that a compensating pause began, and what came of each.

    Raises:
        NotFound: There is no such pause.
    """
    one(session, pause_id)
    found = select(PauseRollbackRow).where(col(PauseRollbackRow.pause_id) == pause_id)
    rows = session.execute(_ROLLBACKS.window(found, request)).scalars().all()
    if not rows:
        return Page(())
    wanted = select(RollbackRow).where(col(RollbackRow.id).in_([row.rollback_id for row in rows]))
    known = {row.id: row for row in session.execute(wanted).scalars()}

    def view(row: PauseRollbackRow) -> PauseRollbackView:
        rollback = known.get(row.rollback_id)
        return PauseRollbackView(
            row.run_id,
            row.rollback_id,
            row.started_at,
            RollbackStatus(rollback.status) if rollback else None,
            rollback.finished_at if rollback else None,
        )

    return _ROLLBACKS.page(rows, request, view)


def _held_by(session: Session, pause_id: str, scope: Scope) -> ColumnElement[bool]:
    """Whether a held action is in scope, or was noted as held by the pause; what is about a record is found by name."""
    if scope.kind is ScopeKind.RECORD:
        return col(ActionRow.action_id).in_([each.action_id for each in held(session, pause_id, scope)])
    noted = select(col(PauseHoldRow.action_id)).where(col(PauseHoldRow.pause_id) == pause_id)
    return within(ActionRow, scope) | col(ActionRow.action_id).in_(noted)


def _actions(session: Session, run_ids: Sequence[str]) -> dict[str, list[HeldAction]]:
    """The held actions of some runs with the pauses that hold each."""
    found = select(ActionRow).where(
        col(ActionRow.run_id).in_(run_ids), col(ActionRow.status) == ActionStatus.HELD.value
    )
    rows = sorted(session.execute(found).scalars(), key=lambda row: (row.proposed_at, row.action_id))
    ids = [row.action_id for row in rows]
    holds: dict[str, set[str]] = {}
    for hold in session.execute(select(PauseHoldRow).where(col(PauseHoldRow.action_id).in_(ids))).scalars():
        holds.setdefault(hold.action_id, set()).add(hold.pause_id)
    asked = {
        row.action_id: row
        for row in session.execute(
            select(col(ApprovalRow.action_id), col(ApprovalRow.id), col(ApprovalRow.status)).where(
                col(ApprovalRow.action_id).in_(ids)
            )
        )
    }
    in_force = session.execute(select(PauseRow).where(col(PauseRow.active) == true())).scalars().all()
    labels = labels_of(session, run_ids)
    released = _released(session, run_ids)
    waiting: dict[str, list[HeldAction]] = {}
    for row in rows:
        subject = Subject(
            agent=row.agent,
            run_id=row.run_id,
            version=row.card_version,
            type=row.type,
            labels=frozenset(labels.get(row.run_id, ())),
        )
        noted = holds.get(row.action_id, set())
        pauses = tuple(
            each.id
            for each in in_force
            if (each.id, row.run_id) not in released and (each.id in noted or scope_of(each).covers(subject))
        )
        request = asked.get(row.action_id)
        waiting.setdefault(row.run_id, []).append(
            HeldAction(
                row.action_id,
                row.type,
                row.sentence,
                row.proposed_at,
                pauses,
                request.id if request else None,
                request is not None and request.status == ApprovalStatus.APPROVED.value,
            )
        )
    return waiting


def _released(session: Session, run_ids: Sequence[str]) -> set[tuple[str, str]]:
    found = select(col(PauseReleaseRow.pause_id), col(PauseReleaseRow.run_id)).where(
        col(PauseReleaseRow.run_id).in_(run_ids), col(PauseReleaseRow.taken_back_at).is_(None)
    )
    return {(row.pause_id, row.run_id) for row in session.execute(found)}

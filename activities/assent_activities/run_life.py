"""Activities ``note_run`` and ``finish_run``: the beginning and the end of a run in the projection."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session
from sqlmodel import col
from temporalio import activity

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.approvals import ApprovalStatus
from assent.domain.people import SYSTEM
from assent.domain.ports import (
    ACTIVITY_FIND,
    ACTIVITY_FINISH_RUN,
    ACTIVITY_NOTE_RUN,
    FindAction,
    FinishRun,
    NoteRun,
)
from assent.domain.runs import RunHeader, WaitingAction
from assent.domain.tiers import Speed
from assent.store import approvals, grants, ledger, projection, usage
from assent.store.tables import ActionRow
from assent_activities.dependencies import Dependencies
from assent_activities.effects import EffectProtocol
from assent_activities.jobs import Job
from assent_activities.outcomes import action_of, outcome_of


class RunLife:
    """Records the beginning and the end of runs.

    Args:
        dependencies: Shared by all activities.
        effects: To resolve claims that nobody finished.
    """

    def __init__(self, dependencies: Dependencies, effects: EffectProtocol) -> None:
        self._deps = dependencies
        self._effects = effects

    @activity.defn(name=ACTIVITY_NOTE_RUN, no_thread_cancel_exception=True)
    def note(self, request: NoteRun) -> None:
        """Make sure that a run can be seen, before or without its first action."""

        def write(session: Session) -> None:
            now = self._deps.clock()
            self._ensure(session, request.header, now)
            projection.step_run(session, request.header.run_id, status=request.status, step="", at=now)

        self._deps.database.together(write)

    @activity.defn(name=ACTIVITY_FIND, no_thread_cancel_exception=True)
    def find(self, request: FindAction) -> WaitingAction | None:
        """Look for an action that the database has and the run's history may not, because a crash came between."""
        with self._deps.database.read() as session:
            row = projection.read_action(session, f"{request.header.run_id}:{request.key}")
            if row is None:
                return None
            operation = self._deps.registry.get(row.type)
            speed = operation.type.speed if operation else Speed.QUICK
            outcome = outcome_of(session, row, speed=speed, now=self._deps.clock())
            return WaitingAction(action=action_of(row), outcome=outcome)

    @activity.defn(name=ACTIVITY_FINISH_RUN, no_thread_cancel_exception=True)
    def finish(self, request: FinishRun) -> None:
        """Record the end of a run, and adopt what the database has and the run's history does not.

        An Update and a local activity become durable only with their workflow task, so a crash in between can leave
        an action that the history never saw. Such strays are resolved like any claim and noted in the ledger.
        """
        header = request.header
        with self._deps.database.read() as session:
            before = self._counts(session, header.run_id)
            claimed = self._strays(session, header.run_id, _CLAIMED) if before.keys() & _CLAIMED else []
        for stray in claimed:
            self._effects.recover(Job(header, stray, f"{header.run_id}:{stray.key}", uuid.uuid4().hex))

        def write(session: Session) -> None:
            now = self._deps.clock()
            if not before:
                self._ensure(session, header, now)
            if claimed or before.keys() & _UNSETTLED:
                for stray in self._strays(session, header.run_id, _UNSETTLED):
                    self._withdraw(session, header, stray, now)
            counts = self._counts(session, header.run_id)
            actions = sum(counts.values())
            adopted = actions - sum(request.counts.values())
            body: dict[str, object] = {
                "status": request.status.value,
                "message": request.message,
                "counts": counts,
            }
            if adopted > 0:
                body["adopted"] = adopted
            if projection.end_run(
                session, header.run_id, status=request.status, message=request.message, at=now, actions=actions
            ):
                ledger.append(
                    session, at=now, kind="run.ended", actor=SYSTEM, run_id=header.run_id, agent=header.agent, body=body
                )

        self._deps.database.together(write)

    def _ensure(self, session: Session, header: RunHeader, now: datetime) -> None:
        if projection.ensure_run(session, header, at=now):
            ledger.append(
                session,
                at=now,
                kind="run.started",
                actor=header.started_by,
                run_id=header.run_id,
                agent=header.agent,
                body={"goal": header.goal, "received": header.received},
            )

    def _strays(self, session: Session, run_id: str, statuses: set[str]) -> list[ProposedAction]:
        found = select(ActionRow).where(col(ActionRow.run_id) == run_id, col(ActionRow.status).in_(statuses))
        return [action_of(row) for row in session.execute(found).scalars()]

    def _withdraw(self, session: Session, header: RunHeader, stray: ProposedAction, now: datetime) -> None:
        action_id = f"{header.run_id}:{stray.key}"
        message = "The run ended before it was decided."
        projection.update_action(
            session, action_id, status=ActionStatus.WITHDRAWN.value, settled_at=now, message=message
        )
        usage.release(session, action_id)
        grants.give_back(session, action_id, at=now)
        asked = approvals.request_for(session, action_id)
        if asked is not None:
            approvals.close_request(
                session,
                asked.id,
                to=ApprovalStatus.WITHDRAWN,
                decision=None,
                message=message,
                at=now,
                channels=self._deps.channels,
            )
        ledger.append(
            session,
            at=now,
            kind="action.withdrawn",
            actor=SYSTEM,
            run_id=header.run_id,
            action_id=action_id,
            agent=header.agent,
            body={"message": message},
        )

    def _counts(self, session: Session, run_id: str) -> dict[str, int]:
        return {str(row[0]): int(row[1]) for row in session.execute(_COUNTS, {"for_run": run_id}).all()}


_CLAIMED = {ActionStatus.CLAIMED.value}
_UNSETTLED = {ActionStatus.AWAITING.value, ActionStatus.HELD.value, ActionStatus.CLEARED.value}
_COUNTS = (
    select(col(ActionRow.status), func.count())
    .where(col(ActionRow.run_id) == bindparam("for_run"))
    .group_by(col(ActionRow.status))
)

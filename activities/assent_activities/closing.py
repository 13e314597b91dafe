"""Activity ``close_action``: an action ends without an effect, or a decision came too late."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from assent.domain.actions import ActionOutcome, ActionStatus, advance
from assent.domain.approvals import ApprovalStatus, Decision
from assent.domain.people import SYSTEM
from assent.domain.ports import ACTIVITY_CLOSE, CloseAction
from assent.domain.runs import RunStatus
from assent.domain.tiers import Speed
from assent.store import approvals, fence, grants, ledger, projection, usage
from assent.store.tables import ActionRow, ApprovalRow
from assent_activities.cases import Case
from assent_activities.dependencies import Dependencies
from assent_activities.fencing import admitted_subject
from assent_activities.outcomes import outcome_of
from assent_activities.passing import Passing
from assent_activities.weighing import Weighing

_REQUEST_STATUS = {
    ActionStatus.REJECTED: ApprovalStatus.REJECTED,
    ActionStatus.EXPIRED: ApprovalStatus.EXPIRED,
    ActionStatus.WITHDRAWN: ApprovalStatus.WITHDRAWN,
}
_EVENT = {
    ActionStatus.REJECTED: "approval.decided",
    ActionStatus.EXPIRED: "approval.expired",
    ActionStatus.WITHDRAWN: "action.withdrawn",
}


class Closing:
    """Closes actions.

    Args:
        dependencies: Shared by all activities.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies
        self._weighing = Weighing(dependencies)
        self._passing = Passing(dependencies)

    @activity.defn(name=ACTIVITY_CLOSE, no_thread_cancel_exception=True)
    def close(self, request: CloseAction) -> ActionOutcome:
        """Record that an action was rejected, has expired or was withdrawn; or that a decision lost.

        Returns:
            What the action is now. To expire means to look at what time has brought: a reminder, an escalation, the
            end. During a pause it brings nothing. Awaiting comes with the time of the next look; cleared means that
            nobody objected, so that it is to be executed.
        """

        def write(session: Session) -> ActionOutcome:
            now = self._deps.clock()
            row = projection.read_action(session, request.action_id, for_update=True)
            if row is None:
                raise ApplicationError(f"The action {request.action_id} was never admitted.", non_retryable=True)
            # The pauses before the request: one that ends in between has given its time back to what is read then.
            found = fence.seen(session, admitted_subject(request.header, row, self._deps.registry))
            asked = approvals.request_for(session, request.action_id)
            held = self._holding(session, found, request, row, asked)
            if request.to is None or ActionStatus(row.status).settled or row.status == ActionStatus.CLAIMED.value:
                self._late(session, request, row, "It was already settled.", now)
            elif request.to is ActionStatus.EXPIRED and (held or not self._time_is_up(session, row, asked, now)):
                pass
            elif request.decision is not None and asked is None:
                self._late(session, request, row, "Nobody was asked about it.", now)
            elif asked is None or self._weighed(session, row, asked, request.decision, held, now):
                self._close(session, request, row, asked, now)
            operation = self._deps.registry.get(row.type)
            speed = operation.type.speed if operation else Speed.QUICK
            return outcome_of(session, row, speed=speed, now=now, held_by=held)

        return self._deps.database.together(write)

    def _holding(
        self, session: Session, found: fence.Fence, request: CloseAction, row: ActionRow, asked: ApprovalRow | None
    ) -> list[str]:
        """The pauses by which the time of an action stands still that waits for people."""
        if not found.pauses:
            return []
        records = fence.asked_about(session, found, asked.id) if asked is not None else ()
        return found.holds(admitted_subject(request.header, row, self._deps.registry, records))

    def _time_is_up(self, session: Session, row: ActionRow, asked: ApprovalRow | None, now: datetime) -> bool:
        """Do what is due; true if it ends the request without an effect."""
        return asked is None or self._passing.look(session, row, asked, now) is ActionStatus.EXPIRED

    def _weighed(
        self,
        session: Session,
        row: ActionRow,
        asked: ApprovalRow,
        decision: Decision | None,
        held: list[str],
        now: datetime,
    ) -> bool:
        """Let a rejection count; true if it ends the request, or if no person ends it."""
        return decision is None or self._weighing.reject(session, Case(row, asked, bool(held), now), decision)

    def _close(
        self, session: Session, request: CloseAction, row: ActionRow, asked: ApprovalRow | None, now: datetime
    ) -> None:
        assert request.to is not None
        row.status = advance(ActionStatus(row.status), request.to).value
        row.message = request.message or (request.decision.reason if request.decision else "")
        row.settled_at = now
        session.flush()
        usage.release(session, row.action_id)
        grants.give_back(session, row.action_id, at=now)
        body: dict[str, object] = {"message": row.message, "status": row.status}
        if asked is not None:
            body["approval"] = asked.id
            approvals.close_request(
                session,
                asked.id,
                to=_REQUEST_STATUS[request.to],
                decision=request.decision,
                message=row.message,
                at=now,
                channels=self._deps.channels,
            )
        if request.decision is not None:
            body |= {"verb": request.decision.verb.value, "reason": request.decision.reason}
            body["digest"] = request.decision.digest
        actor = request.decision.by if request.decision else SYSTEM
        ledger.append_of(session, row, _EVENT[request.to], body, at=now, actor=actor)
        step = f"{row.sentence}: {row.status}"
        projection.step_run(session, row.run_id, status=RunStatus.RUNNING, step=step, at=now)

    def _late(self, session: Session, request: CloseAction, row: ActionRow, why_not: str, now: datetime) -> None:
        decision = request.decision
        if decision is None or not approvals.record_decision(session, decision, counted=False, why_not=why_not):
            return
        body: dict[str, object] = {"approval": decision.approval_id, "verb": decision.verb.value, "why_not": why_not}
        ledger.append_of(session, row, "approval.late", body, at=now, actor=decision.by)

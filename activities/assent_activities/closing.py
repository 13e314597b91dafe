"""Activity ``close_action``: an action ends without an effect, or a decision came too late."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from assent.domain.actions import ActionOutcome, ActionStatus, advance
from assent.domain.approvals import ApprovalStatus
from assent.domain.people import SYSTEM
from assent.domain.ports import ACTIVITY_CLOSE, CloseAction
from assent.domain.runs import RunStatus
from assent.domain.tiers import Speed
from assent.store import approvals, ledger, pauses, projection, usage
from assent.store.tables import ActionRow, ApprovalRow
from assent_activities.dependencies import Dependencies
from assent_activities.outcomes import outcome_of

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

    @activity.defn(name=ACTIVITY_CLOSE)
    def close(self, request: CloseAction) -> ActionOutcome:
        """Record that an action was rejected, has expired or was withdrawn; or that a decision lost.

        Returns:
            What the action is now. An expiry during a pause, or before the time that a pause gave back, changes
            nothing: the outcome then is awaiting, with the remaining time.
        """
        with self._deps.database.write() as session:
            now = self._deps.clock()
            row = projection.read_action(session, request.action_id, for_update=True)
            if row is None:
                raise ApplicationError(f"The action {request.action_id} was never admitted.", non_retryable=True)
            # The pauses before the request: one that ends in between has given its time back to what is read then.
            held = pauses.in_force(session, agent=row.agent, run_id=row.run_id)
            asked = approvals.request_for(session, request.action_id)
            if request.to is None or ActionStatus(row.status).settled or row.status == ActionStatus.CLAIMED.value:
                self._late(session, request, row, "It was already settled.", now)
            elif why_not := self._refusal(session, request, asked):
                self._late(session, request, row, why_not, now)
            elif request.to is ActionStatus.EXPIRED and (held or (asked and asked.expires_at > now)):
                pass
            else:
                self._close(session, request, row, asked, now)
            operation = self._deps.registry.get(row.type)
            speed = operation.type.speed if operation else Speed.QUICK
            return outcome_of(session, row, speed=speed, now=now, held_by=held)

    def _refusal(self, session: Session, request: CloseAction, asked: ApprovalRow | None) -> str:
        """Why a rejection does not count; empty if it does."""
        decision = request.decision
        if decision is None:
            return ""
        if asked is None or decision.digest != asked.digest:
            return "The decision is about something other than what would run."
        if not approvals.may_decide(session, decision.by.id):
            return f"{decision.by.name} may not decide any more."
        return ""

    def _close(
        self, session: Session, request: CloseAction, row: ActionRow, asked: ApprovalRow | None, now: datetime
    ) -> None:
        assert request.to is not None
        row.status = advance(ActionStatus(row.status), request.to).value
        row.message = request.message or (request.decision.reason if request.decision else "")
        row.settled_at = now
        session.flush()
        usage.release(session, row.action_id)
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
            approvals.record_decision(session, request.decision, counted=True)
            body |= {"verb": request.decision.verb.value, "reason": request.decision.reason}
            body["digest"] = request.decision.digest
        self._event(session, request, row, _EVENT[request.to], body, now)
        step = f"{row.sentence}: {row.status}"
        projection.step_run(session, row.run_id, status=RunStatus.RUNNING, step=step, at=now)

    def _late(self, session: Session, request: CloseAction, row: ActionRow, why_not: str, now: datetime) -> None:
        decision = request.decision
        if decision is None or not approvals.record_decision(session, decision, counted=False, why_not=why_not):
            return
        body: dict[str, object] = {"approval": decision.approval_id, "verb": decision.verb.value, "why_not": why_not}
        self._event(session, request, row, "approval.late", body, now)

    def _event(
        self,
        session: Session,
        request: CloseAction,
        row: ActionRow,
        kind: str,
        body: dict[str, object],
        at: datetime,
    ) -> None:
        ledger.append(
            session,
            at=at,
            kind=kind,
            actor=request.decision.by if request.decision else SYSTEM,
            run_id=row.run_id,
            action_id=row.action_id,
            agent=row.agent,
            body=body,
        )

"""Activity ``execute_action``: perform an action that people approved, or a long one that was cleared."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import datetime

from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from assent.domain.actions import ActionOutcome, ActionStatus, AdmissionEffect, advance
from assent.domain.approvals import ApprovalStatus, Decision, Verb
from assent.domain.ports import ACTIVITY_EXECUTE, ExecuteAction
from assent.domain.runs import RunStatus
from assent.domain.tiers import Speed, Tier
from assent.policy.admission import admit, declared_limits
from assent.store import approvals, cards, fence, ledger, projection, usage
from assent.store.tables import ActionRow
from assent_activities.cases import Case
from assent_activities.covering import covered_again
from assent_activities.dependencies import CardShelf, Dependencies
from assent_activities.effects import EffectProtocol
from assent_activities.fencing import admitted_subject, cleared_at, subject_of
from assent_activities.jobs import Job
from assent_activities.limit_use import count_use
from assent_activities.outcomes import action_of, outcome_of
from assent_activities.previews import look
from assent_activities.weighing import Weighing


@dataclasses.dataclass(frozen=True, slots=True)
class _LookFirst:
    """A record is paused: look at the records that the action would touch, then come again."""

    job: Job


class Execution:
    """Performs actions that were cleared.

    Args:
        dependencies: Shared by all activities.
        effects: The effect protocol.
    """

    def __init__(self, dependencies: Dependencies, effects: EffectProtocol) -> None:
        self._deps = dependencies
        self._effects = effects
        self._cards = CardShelf()
        self._weighing = Weighing(dependencies)

    @activity.defn(name=ACTIVITY_EXECUTE)
    def execute(self, request: ExecuteAction) -> ActionOutcome:
        """Check the approval and the pauses, claim the action and perform it.

        Returns:
            The outcome of the effect; awaiting if the decision does not count, or more are needed; held if a pause
            holds it; cleared if only the vote was to count, and it was the last one.
        """
        action_id = f"{request.header.run_id}:{request.action.key}"
        job = Job(request.header, request.action, action_id, uuid.uuid4().hex)

        touched: list[str] | None = None

        def prepare(session: Session) -> ActionOutcome | Job | _LookFirst:
            return self._prepare(session, job, request, touched)

        while True:
            outcome = self._deps.database.together(prepare)
            if isinstance(outcome, _LookFirst):
                touched = [change.resource for change in look(self._deps.registry, outcome.job).changes]
                continue
            if isinstance(outcome, Job):
                return self._effects.perform(outcome)
            if outcome.status is not ActionStatus.CLAIMED:
                return outcome
            recovered = self._effects.recover(job)
            if recovered is not None:
                return recovered

    def _prepare(
        self, session: Session, job: Job, asked: ExecuteAction, touched: list[str] | None = None
    ) -> ActionOutcome | Job | _LookFirst:
        """Claim the action, as it was admitted, if everything allows it; else say what it is."""
        now = self._deps.clock()
        # The fence comes first: pauses take it before the rows that they change, too.
        found = fence.under(self._deps.database, session, subject_of(job.header, job.action, None))
        row = projection.read_action(session, job.action_id, for_update=True)
        if row is None:
            raise ApplicationError(f"The action {job.action_id} was never admitted.", non_retryable=True)
        request = approvals.request_for(session, job.action_id)
        status = ActionStatus(row.status)
        held: list[str] = []
        if row.type != job.action.type:
            # The key stands for another action than the run proposes now: the one that was admitted is what is done.
            found = fence.seen(session, admitted_subject(job.header, row, self._deps.registry))
        if found.pauses:
            subject = admitted_subject(job.header, row, self._deps.registry, touched or ())
            held = found.holds(subject, cleared_at=cleared_at(row, request, asked.decision))
            if not held and found.records and touched is None:
                return _LookFirst(dataclasses.replace(job, action=action_of(row), edited=row.edited))
        approved = request is None or request.status == ApprovalStatus.APPROVED.value
        if request is not None and not status.settled and status is not ActionStatus.CLAIMED:
            approved = self._weigh_all(session, job, Case(row, request, bool(held), now), asked, approved)
        elif request is not None:
            for decision in asked.votes:
                self._weighing.late(session, Case(row, request, bool(held), now), decision)
        if status.settled or status is ActionStatus.CLAIMED or not approved:
            return self._outcome(session, job, row, now)
        job = dataclasses.replace(job, action=action_of(row), edited=row.edited)
        if self._refused_meanwhile(session, job, row, now):
            return self._outcome(session, job, row, now)
        if held:
            self._hold(session, job, row, held, now)
            return self._outcome(session, job, row, now, held)
        if request is None and row.tier == Tier.APPROVE and not self._covered_still(session, job, row, now):
            return self._outcome(session, job, row, now)
        if asked.vote_only:
            row.status = advance(ActionStatus(row.status), ActionStatus.CLEARED).value
            session.flush()
            return self._outcome(session, job, row, now)
        self._claim(session, job, row, now)
        return job

    def _weigh_all(self, session: Session, job: Job, case: Case, asked: ExecuteAction, approved: bool) -> bool:
        """Weigh votes in the order in which they came; those behind the one that decides are late."""
        approved_before, weighed = approved, 0
        while weighed < len(asked.earlier) and not approved:
            approved = self._weigh(session, job, case, asked.earlier[weighed], approved)
            weighed += 1
        if approved == approved_before:
            return self._weigh(session, job, case, asked.decision, approved)
        session.refresh(case.request)
        for vote in asked.votes[weighed:]:
            self._weighing.late(session, case, vote)
        return True

    def _weigh(self, session: Session, job: Job, case: Case, decision: Decision | None, approved: bool) -> bool:
        """Whether the request is approved, by this decision or before; what had to wait since is looked at again."""
        if decision is not None and decision.verb is Verb.WITHDRAW:
            self._weighing.take_back(session, case, decision)
            approved = case.request.status == ApprovalStatus.APPROVED.value
        elif decision is not None and self._weighing.approve(session, case, job.action, decision):
            return True
        if approved and ActionStatus(case.row.status) in (ActionStatus.HELD, ActionStatus.CLEARED):
            return self._weighing.still_approved(session, case)
        return approved

    def _refused_meanwhile(self, session: Session, job: Job, row: ActionRow, now: datetime) -> bool:
        """Whether a card published since then refuses the action; then it is refused."""
        version = cards.version_in_force(session, job.header.agent)
        if version is None or version == row.card_version:
            return False
        card = self._cards.get(session, job.header.agent, version)
        operation = self._deps.registry.get(job.action.type)
        verdict = admit(
            card=card,
            card_version=version,
            type=operation.type if operation else None,
            action=job.action,
            run_id=job.header.run_id,
            used=[0.0] * len(declared_limits(card, job.action.type)),
        )
        if verdict.effect is not AdmissionEffect.REFUSE:
            return False
        row.status, row.settled_at, row.card_version = ActionStatus.REFUSED.value, now, version
        row.message = " ".join(r.sentence for r in verdict.reasons if r.effect is AdmissionEffect.REFUSE)
        session.flush()
        ledger.append_of(session, row, "action.refused", {"message": row.message, "card_version": version}, at=now)
        return True

    def _hold(self, session: Session, job: Job, row: ActionRow, held: list[str], now: datetime) -> None:
        fence.note_held(session, held, action_id=job.action_id, run_id=job.header.run_id, at=now)
        if row.status != ActionStatus.HELD.value:
            row.status = advance(ActionStatus(row.status), ActionStatus.HELD).value
            session.flush()
            ledger.append_of(session, row, "action.held", {"pauses": held}, at=now)
            step = f"{row.sentence}: held"
            projection.step_run(session, job.header.run_id, status=RunStatus.HELD, step=step, at=now)

    def _covered_still(self, session: Session, job: Job, row: ActionRow, now: datetime) -> bool:
        """Whether what people approved ahead covers the action now; else admission looks at it again, and asks."""
        card = self._cards.get(session, job.header.agent, row.card_version)
        operation = self._deps.registry.get(job.action.type)
        if operation is not None and covered_again(session, job, row, card=card, type=operation.type, now=now):
            return True
        row.status = advance(ActionStatus(row.status), ActionStatus.HELD).value
        row.message = "What covered it does so no more, so people are asked."
        session.flush()
        ledger.append_of(session, row, "action.held", {"pauses": [], "message": row.message}, at=now)
        return False

    def _claim(self, session: Session, job: Job, row: ActionRow, now: datetime) -> None:
        self._effects.claim(session, job, at=now)
        claimed = advance(ActionStatus(row.status), ActionStatus.CLAIMED)
        projection.set_status(session, job.action_id, claimed)
        card = self._cards.get(session, job.header.agent, row.card_version)
        limits = declared_limits(card, job.action.type)
        if limits:
            usage.release(session, job.action_id)
            count_use(session, job, limits, now)
        ledger.append_of(session, row, "effect.claimed", {}, at=now)
        if self._deps.registry[job.action.type].type.speed is Speed.LONG:
            step = f"{row.sentence}: running"
            projection.step_run(session, job.header.run_id, status=RunStatus.RUNNING, step=step, at=now)

    def _outcome(
        self, session: Session, job: Job, row: ActionRow, now: datetime, held: list[str] | None = None
    ) -> ActionOutcome:
        speed = self._deps.registry[job.action.type].type.speed
        return outcome_of(session, row, speed=speed, now=now, held_by=held or [])

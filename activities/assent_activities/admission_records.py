"""Writing down what admission decided: the action's row, the run's newest step and the events."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.actions import ActionOutcome, ActionStatus, AdmissionEffect, Verdict
from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.people import SYSTEM, Actor, Via
from assent.domain.runs import RunStatus
from assent.domain.tiers import Speed
from assent.policy.sentences import fill, redacted
from assent.store import ledger, plan_approvals, projection
from assent.store.database import Database
from assent.store.tables import ActionRow
from assent_activities.jobs import Job
from assent_activities.outcomes import handed_on


class AdmissionRecords:
    """Writes admissions in the caller's transaction.

    Args:
        database: Assent's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(
        self,
        session: Session,
        job: Job,
        row: ActionRow | None,
        type: ActionType | None,
        verdict: Verdict,
        status: ActionStatus,
        now: datetime,
        *,
        message: str = "",
        held: list[str] | None = None,
        extra: list[dict[str, object]] | None = None,
    ) -> ActionOutcome:
        """Write the action's row and events; the row may stand already if a pause held it."""
        sentence = fill(type.sentence, type, job.action.arguments) if type else f"Call {job.action.type}"
        if status is ActionStatus.REFUSED and not message:
            message = " ".join(r.sentence for r in verdict.reasons if r.effect is AdmissionEffect.REFUSE)
        events: list[dict[str, object]] = []
        if projection.ensure_run(session, job.header, at=now) if job.header.first else False:
            events.append(self.started(job, now))
        if job.header.plan:
            plan_approvals.keep_plan(session, job.header.run_id, job.header.plan, at=now)
        if row is None:
            projection.insert_action(
                session,
                job.header,
                job.action,
                action_id=job.action_id,
                sentence=sentence,
                status=status,
                verdict=verdict,
                message=message,
                at=now,
            )
            events.append(self.event(job, "action.proposed", _proposed(job, type, sentence, verdict), now, agent=True))
        elif row.status != status.value:
            projection.update_action(
                session,
                job.action_id,
                status=status.value,
                message=message,
                tier=verdict.tier,
                reasons=[reason.model_dump(mode="json") for reason in verdict.reasons],
                card_version=verdict.card_version,
                settled_at=now if status.settled else None,
            )
        if status in _EVENTS and (row is None or row.status != status.value):
            body: dict[str, Json] = {"message": message}
            if held:
                body["pauses"] = held
            events.append(self.event(job, _EVENTS[status], body, now))
        ledger.append_many(session, [*events, *(extra or [])]) if events or extra else None
        if status is not ActionStatus.CLAIMED:
            projection.step_run(
                session,
                job.header.run_id,
                status=_RUN_STATUS.get(status, RunStatus.RUNNING),
                step=f"{sentence}: {status.value}",
                at=now,
                new_actions=1 if row is None else 0,
            )
        return ActionOutcome(
            action_id=job.action_id,
            key=job.action.key,
            type=job.action.type,
            status=status,
            speed=type.speed if type else Speed.QUICK,
            sentence=handed_on(sentence),
            reasons=verdict.reasons,
            message=message,
            held_by=held or [],
            settled_at=now if status.settled else None,
        )

    def started(self, job: Job, now: datetime) -> dict[str, object]:
        """The event that a run began."""
        header = job.header
        body = {"goal": header.goal, "received": header.received}
        return ledger.event_row(now, "run.started", header.started_by, header.run_id, "", header.agent, body)

    def event(
        self, job: Job, kind: str, body: dict[str, Json], now: datetime, *, agent: bool = False
    ) -> dict[str, object]:
        """An event of this action, by the system or by the agent itself."""
        name = job.header.agent
        actor = Actor(id=name, name=name, via=Via.API) if agent else SYSTEM
        return ledger.event_row(now, kind, actor, job.header.run_id, job.action_id, name, body)


def _proposed(job: Job, type: ActionType | None, sentence: str, verdict: Verdict) -> dict[str, Json]:
    arguments = redacted(type, job.action.arguments) if type else job.action.arguments
    replaces = {"instead_of": job.action.instead_of} if job.action.instead_of else {}
    return {
        **replaces,
        "key": job.action.key,
        "type": job.action.type,
        "sentence": sentence,
        "arguments": arguments,
        "reason": job.action.reason,
        "verdict": verdict.model_dump(mode="json"),
    }


_EVENTS = {
    ActionStatus.REFUSED: "action.refused",
    ActionStatus.SUGGESTED: "action.suggested",
    ActionStatus.HELD: "action.held",
    ActionStatus.CLEARED: "action.cleared",
    ActionStatus.FAILED: "action.failed",
    ActionStatus.WITHDRAWN: "action.withdrawn",
}
_RUN_STATUS = {ActionStatus.AWAITING: RunStatus.WAITING, ActionStatus.HELD: RunStatus.HELD}

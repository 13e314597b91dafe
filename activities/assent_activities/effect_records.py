"""Writing down what became of an effect: its outcome, its budget, the action's row and the events."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType, changes_without_secrets
from assent.domain.effects import EffectStatus, Performed
from assent.domain.people import SYSTEM
from assent.domain.runs import RunStatus
from assent.policy.sentences import fill
from assent.store import claims, grants, ledger, projection, questions, usage
from assent_activities.dependencies import Dependencies
from assent_activities.jobs import Job
from assent_activities.outcomes import answer_of, handed_on, outcome_of, told_of_edit

RELEASED = "effect.released"
"""The ledger's word for a claim that was given back without an effect."""

_ACTION_STATUS = {
    EffectStatus.DONE: ActionStatus.DONE,
    EffectStatus.FAILED: ActionStatus.FAILED,
    EffectStatus.UNKNOWN: ActionStatus.UNKNOWN,
}


class EffectRecords:
    """Writes what became of effects, each in one transaction.

    Args:
        dependencies: Shared by all activities.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies

    def outcome(self, session: Session, action_id: str, type: ActionType) -> ActionOutcome:
        """The outcome as the database has it."""
        row = projection.read_action(session, action_id)
        assert row is not None, action_id
        return outcome_of(session, row, speed=type.speed, now=self._deps.clock())

    def record(
        self,
        job: Job,
        type: ActionType,
        status: EffectStatus,
        *,
        performed: Performed | None = None,
        message: str = "",
    ) -> ActionOutcome:
        """Record the outcome of a claim, unless somebody else recorded one: then theirs is given.

        Args:
            job: What was performed.
            type: Its action type.
            status: Done, failed or unknown.
            performed: What the connector said.
            message: What went wrong.
        """
        answer = answer_of(performed or Performed(), job.action_id)
        to = _ACTION_STATUS[status]
        message = message or answer.fault
        changes = changes_without_secrets(answer.changes, type.secrets)
        body: dict[str, Json] = {
            "message": message,
            "changes": [change.model_dump(mode="json") for change in changes],
            "result_digest": answer.digest,
        }

        def write(session: Session) -> ActionOutcome:
            now = self._deps.clock()
            counts = claims.finish(
                session,
                action_id=job.action_id,
                holder=job.holder,
                status=status,
                at=now,
                changes=changes,
                undo_data=answer.undo_data,
                message=message,
            )
            counts = counts and projection.settle_action(
                session, job.action_id, status=to, result=answer.result, message=message, at=now
            )
            if not counts:
                self.event(session, job, "effect.late", {**body, "said": status.value}, now)
                return self.outcome(session, job.action_id, type)
            if status is EffectStatus.FAILED:
                usage.release(session, job.action_id)
                grants.give_back(session, job.action_id, at=now)
            elif status is EffectStatus.UNKNOWN:
                header = job.header
                questions.ask(
                    session,
                    action_id=job.action_id,
                    run_id=header.run_id,
                    agent=header.agent,
                    type=type.name,
                    said=message,
                    at=now,
                )
            self.event(session, job, f"effect.{status.value}", body, now)
            return ActionOutcome(
                action_id=job.action_id,
                key=job.action.key,
                type=type.name,
                status=to,
                speed=type.speed,
                sentence=handed_on(self._show(session, job, type, to.value, now)),
                result=answer.handed_on,
                reasons=list(job.reasons),
                message=message,
                settled_at=now,
                **told_of_edit(job.edited, job.action_id),
            )

        return self._deps.database.together(write)

    def release(self, job: Job, type: ActionType) -> None:
        """Give back a claim that certainly had no effect, unless another attempt took it over."""

        def write(session: Session) -> None:
            if claims.release_claim(session, action_id=job.action_id, holder=job.holder):
                now = self._deps.clock()
                projection.update_action(session, job.action_id, status=ActionStatus.CLEARED.value)
                usage.release(session, job.action_id)
                grants.give_back(session, job.action_id, at=now)
                self.event(session, job, RELEASED, {}, now)
                self._show(session, job, type, "cleared", now)

        self._deps.database.together(write)

    def fail_unclaimed(self, job: Job, type: ActionType, message: str) -> ActionOutcome:
        """End an action whose claim was given back, unless another attempt got further."""

        def write(session: Session) -> ActionOutcome:
            now = self._deps.clock()
            row = projection.read_action(session, job.action_id, for_update=True)
            assert row is not None, job.action_id
            if row.status != ActionStatus.CLEARED.value:
                return outcome_of(session, row, speed=type.speed, now=now)
            row.status, row.message, row.settled_at = ActionStatus.FAILED.value, message, now
            session.flush()
            usage.release(session, job.action_id)
            self.event(session, job, "effect.failed", {"message": message, "changes": []}, now)
            self._show(session, dataclasses.replace(job, unseen=0), type, "failed", now)
            return outcome_of(session, row, speed=type.speed, now=now)

        return self._deps.database.together(write)

    def expire_lease(self, job: Job) -> None:
        """Let another attempt take the claim over at once."""
        self._deps.database.together(
            lambda session: claims.renew(
                session, action_id=job.action_id, holder=job.holder, lease_until=self._deps.clock()
            )
        )

    def event(self, session: Session, job: Job, kind: str, body: dict[str, Json], at: datetime) -> None:
        """Write a ledger event of an effect in the caller's transaction."""
        ledger.append(
            session,
            at=at,
            kind=kind,
            actor=SYSTEM,
            run_id=job.header.run_id,
            action_id=job.action_id,
            agent=job.header.agent,
            body=body,
        )

    def _show(self, session: Session, job: Job, type: ActionType, word: str, at: datetime) -> str:
        """Make this the newest step of the run, and give the action's sentence."""
        sentence = fill(type.sentence, type, job.action.arguments)
        projection.step_run(
            session,
            job.header.run_id,
            status=RunStatus.RUNNING,
            step=f"{sentence}: {word}",
            at=at,
            new_actions=job.unseen,
        )
        return sentence

"""The effect protocol: claim, call, outcome, and what to do when one of them is missing.

1. One transaction checks pauses and inserts the claim (the caller does this, see ``admission`` and ``execution``).
2. The operation is called with the action's id as idempotency key.
3. One transaction records the outcome (see ``effect_records``).

A claim without an outcome is never repeated blindly: after its lease ran out, the operation is asked what became of it
(``lookup``); it is repeated only if it declares itself idempotent, and otherwise recorded as unknown, for a person.
"""

from __future__ import annotations

import dataclasses
import logging
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from assent.domain.actions import ActionOutcome, ActionStatus
from assent.domain.catalogue import ActionType
from assent.domain.effects import EffectStatus, Performed
from assent.domain.tiers import Speed
from assent.store import claims, fence, ledger, projection
from assent.store.tables import EffectRow
from assent_activities.connectors import ActionFailed, Call, ConnectorUnavailable, Operation
from assent_activities.dependencies import Dependencies
from assent_activities.effect_records import RELEASED, EffectRecords
from assent_activities.fencing import subject_of
from assent_activities.heartbeats import LeaseKeeper
from assent_activities.jobs import Job
from assent_activities.outcomes import action_of, outcome_of, spoken
from assent_activities.retrying import MAX_ATTEMPTS, attempt, try_again

log = logging.getLogger(__name__)

_REPEATED = "effect.repeated"
_SOON = timedelta(milliseconds=200)


class EffectProtocol:
    """Performs claimed actions."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies
        self._records = EffectRecords(dependencies)

    def lease(self, type: ActionType) -> datetime:
        """When a lease taken now runs out."""
        leases = self._deps.leases
        return self._deps.clock() + (leases.quick if type.speed is Speed.QUICK else leases.long)

    def claim(self, session: Session, job: Job, *, at: datetime) -> None:
        """Insert the claim in the caller's transaction, which must have checked the pauses.

        Raises:
            temporalio.exceptions.ApplicationError: This worker may not claim now; to be tried again.
        """
        self._deps.switch.check()
        type = self._operation(job).type
        claims.claim(
            session,
            action_id=job.action_id,
            run_id=job.header.run_id,
            agent=job.header.agent,
            type=type.name,
            holder=job.holder,
            lease_until=self.lease(type),
            at=at,
        )

    def perform(self, job: Job) -> ActionOutcome:
        """Call the operation for a claim that ``job`` holds, and record the outcome.

        Raises:
            temporalio.exceptions.ApplicationError: To be tried again; the claim was given back or stays found.
        """
        operation = self._operation(job)
        with LeaseKeeper(self._deps, job.action_id, job.holder, operation.type) as keeper:
            call = self._call(job, keeper)
            try:
                performed = operation.perform(call)
            except ActionFailed as error:
                return self._records.record(job, operation.type, EffectStatus.FAILED, message=spoken(error))
            except ConnectorUnavailable as error:
                return self._give_back(job, operation.type, f"The system could not be reached: {spoken(error)}")
            except Exception as error:
                log.exception("The action %s broke off.", job.action_id)
                return self._resolve(job, operation, f"The call broke off: {_named(error)}")
        return self._records.record(job, operation.type, EffectStatus.DONE, performed=performed)

    def recover(self, job: Job) -> ActionOutcome | None:
        """Find out what became of a claim that another attempt left behind.

        Returns:
            The outcome, or ``None`` if there certainly was no effect and the claim was given back.

        Raises:
            temporalio.exceptions.ApplicationError: Its lease still runs; try again later.
        """
        found = self._deps.database.together(partial(self._take_over, job=job))
        if not isinstance(found, Job):
            return found
        operation = self._operation(found)
        return self._look_up(found, operation, "An earlier attempt ended without saying what became of it.")

    def _take_over(self, session: Session, job: Job) -> Job | ActionOutcome | None:
        """Take over an abandoned claim; gives the job as it was admitted, the outcome, or none if unclaimed."""
        now = self._deps.clock()
        found = claims.read_claim(session, job.action_id)
        if found is None:
            return None
        row = projection.read_action(session, job.action_id)
        assert row is not None, job.action_id
        job = dataclasses.replace(job, action=action_of(row), edited=row.edited)
        operation = self._operation(job)
        if found.status is not EffectStatus.CLAIMED:
            return self._records.outcome(session, job.action_id, operation.type)
        wait = found.lease_until - now
        if wait > timedelta(0):
            delay = min(max(wait, timedelta(milliseconds=50)), timedelta(seconds=2))
            raise try_again(f"Another attempt may still be at {job.action_id}.", after=delay)
        self._deps.switch.check()
        if not claims.take_over(session, found, holder=job.holder, lease_until=self.lease(operation.type)):
            raise try_again(f"Another attempt took over {job.action_id}.", after=_SOON)
        return job

    def _resolve(self, job: Job, operation: Operation, why: str) -> ActionOutcome:
        outcome = self._look_up(job, operation, why)
        return outcome or self._again_or_never(job, operation.type, f"{why} It had no effect.")

    def _look_up(self, job: Job, operation: Operation, why: str) -> ActionOutcome | None:
        """Ask the connector; ``None`` if there was certainly no effect, with the claim given back."""
        found: Performed | bool | None
        try:
            found = operation.lookup(self._call(job, None))
        except ConnectorUnavailable as error:
            self._records.expire_lease(job)
            raise try_again(
                f"{why} The system could not be asked: {spoken(error)}", after=_backoff(attempt())
            ) from error
        except Exception as error:
            log.exception("Asking about the action %s broke off.", job.action_id)
            found, why = None, f"{why} Asking the system broke off, too: {_named(error)}."
        if isinstance(found, Performed):
            return self._records.record(job, operation.type, EffectStatus.DONE, performed=found)
        if found is False:
            self._records.release(job, operation.type)
            return None
        if operation.type.idempotent or operation.type.reads_only:
            return self._repeat(job, operation, why)
        explained = f"{why} The system cannot say whether it happened, so a person must find out."
        return self._records.record(job, operation.type, EffectStatus.UNKNOWN, message=explained)

    def _repeat(self, job: Job, operation: Operation, why: str) -> ActionOutcome:
        repeated = self._deps.database.together(partial(self._note_repeat, job=job, type=operation.type, why=why))
        if isinstance(repeated, ActionOutcome):
            return repeated
        if repeated >= MAX_ATTEMPTS:
            explained = f"{why} Repeating it {MAX_ATTEMPTS} times did not help, so a person must find out."
            return self._records.record(job, operation.type, EffectStatus.UNKNOWN, message=explained)
        return self._perform_again(job, operation, why, _backoff(repeated + 1))

    def _note_repeat(self, session: Session, job: Job, type: ActionType, why: str) -> int | ActionOutcome:
        """Write down that a call is repeated; gives how often it was before, or what holds it."""
        held = self._held(session, job, type)
        now = self._deps.clock()
        until = now if held else self.lease(type)
        if not claims.renew(session, action_id=job.action_id, holder=job.holder, lease_until=until):
            raise try_again(f"Another attempt took over {job.action_id}.", after=_SOON)
        if held:
            row = projection.read_action(session, job.action_id)
            assert row is not None
            outcome = outcome_of(session, row, speed=type.speed, now=now, held_by=held)
            return outcome.model_copy(update={"status": ActionStatus.HELD})
        repeated = ledger.count(session, action_id=job.action_id, kind=_REPEATED)
        if repeated < MAX_ATTEMPTS:
            self._records.event(session, job, _REPEATED, {"message": why}, now)
        return repeated

    def _held(self, session: Session, job: Job, type: ActionType) -> list[str]:
        """The pauses that hold a call that is to be repeated; one that drains lets go what was claimed before it."""
        row = projection.read_action(session, job.action_id)
        version = row.card_version if row is not None else 0
        subject = subject_of(job.header, job.action, type, version=version)
        found = fence.under(self._deps.database, session, subject)
        claim = session.get(EffectRow, job.action_id) if found.pauses else None
        return found.holds(subject, cleared_at=claim.claimed_at) if claim is not None else []

    def _perform_again(self, job: Job, operation: Operation, why: str, delay: timedelta) -> ActionOutcome:
        with LeaseKeeper(self._deps, job.action_id, job.holder, operation.type) as keeper:
            try:
                performed = operation.perform(self._call(job, keeper))
            except ActionFailed as error:
                return self._records.record(job, operation.type, EffectStatus.FAILED, message=spoken(error))
            except Exception as error:
                self._records.expire_lease(job)
                raise try_again(f"{why} Repeating it: {spoken(error)}", after=delay) from error
        return self._records.record(job, operation.type, EffectStatus.DONE, performed=performed)

    def _give_back(self, job: Job, type: ActionType, why: str) -> ActionOutcome:
        self._records.release(job, type)
        return self._again_or_never(job, type, why)

    def _again_or_never(self, job: Job, type: ActionType, why: str) -> ActionOutcome:
        """Have an action whose claim was given back tried again, or fail it after :data:`MAX_ATTEMPTS`."""
        with self._deps.database.read() as session:
            tried = ledger.count(session, action_id=job.action_id, kind=RELEASED)
        if tried >= MAX_ATTEMPTS:
            return self._records.fail_unclaimed(job, type, f"{why} Tried {tried} times.")
        raise try_again(why, after=_backoff(tried))

    def _operation(self, job: Job) -> Operation:
        operation = self._deps.registry.get(job.action.type)
        if operation is None:
            raise try_again(f"No connector of this worker offers {job.action.type}.", after=_backoff(attempt()))
        return operation

    def _call(self, job: Job, keeper: LeaseKeeper | None) -> Call:
        call = Call(
            key=job.action_id,
            arguments=job.action.arguments,
            agent=job.header.agent,
            run_id=job.header.run_id,
        )
        return call if keeper is None else keeper.watched(call)


def _backoff(tried: int) -> timedelta:
    """Delay before the next attempt: doubles from 200 milliseconds, at most five seconds."""
    return timedelta(seconds=min(0.2 * 2 ** min(max(tried, 1) - 1, 10), 5.0))


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {spoken(error)}"

"""Actions that no card decides on: what cannot run or be written down, and those of agents without a card."""

from __future__ import annotations

import dataclasses

from sqlalchemy.orm import Session

from assent.domain.actions import ActionOutcome, ActionStatus, AdmissionEffect, Reason, Verdict
from assent.domain.canonical import Json, stable_text
from assent.domain.catalogue import ActionType
from assent.domain.errors import InvalidInput
from assent.domain.tiers import Speed
from assent.store import projection
from assent_activities.admission_records import AdmissionRecords
from assent_activities.dependencies import Dependencies
from assent_activities.jobs import Job
from assent_activities.outcomes import outcome_of


class Refusals:
    """Writes down actions that are never admitted, each in one transaction.

    Args:
        dependencies: Shared by all activities.
        records: Writes them.
    """

    def __init__(self, dependencies: Dependencies, records: AdmissionRecords) -> None:
        self._deps = dependencies
        self._records = records

    def block(self, job: Job, type: ActionType | None, why: str) -> ActionOutcome:
        """Record an action that cannot run whatever admission says."""

        def write(session: Session) -> ActionOutcome:
            now = self._deps.clock()
            row = projection.read_action(session, job.action_id, for_update=True)
            if row is not None:
                return outcome_of(session, row, speed=type.speed if type else Speed.QUICK, now=now)
            verdict = Verdict(effect=AdmissionEffect.REFUSE, tier=None, reasons=[], card_version=0)
            return self._records.write(session, job, None, type, verdict, ActionStatus.WITHDRAWN, now, message=why)

        return self._deps.database.together(write)

    def refuse(self, job: Job, fault: InvalidInput) -> ActionOutcome:
        """Record an action whose arguments cannot be written down, without them."""
        bare = dataclasses.replace(job, action=job.action.model_copy(update={"arguments": {}}))

        def write(session: Session) -> ActionOutcome:
            now = self._deps.clock()
            row = projection.read_action(session, job.action_id, for_update=True)
            if row is not None:
                return outcome_of(session, row, speed=Speed.QUICK, now=now)
            refused = Verdict(effect=AdmissionEffect.REFUSE, tier=None, reasons=[], card_version=0)
            return self._records.write(session, bare, None, None, unbound(refused, fault), ActionStatus.REFUSED, now)

        return self._deps.database.together(write)


def unknown_agent(name: str) -> Verdict:
    """The verdict on an agent that no card was published for."""
    reason = Reason(
        rule="unknown-agent", effect=AdmissionEffect.REFUSE, sentence=f"No card is published for the agent {name}."
    )
    return Verdict(effect=AdmissionEffect.REFUSE, tier=None, reasons=[reason], card_version=0)


def unwritable(arguments: Json) -> InvalidInput | None:
    """Why arguments cannot be written down at all; half characters and infinite numbers, say."""
    try:
        stable_text(arguments).encode()
    except InvalidInput as error:
        return error
    except UnicodeEncodeError:
        return InvalidInput("The arguments are not valid Unicode text.", where="arguments")
    return None


def unbound(verdict: Verdict, error: InvalidInput) -> Verdict:
    """The verdict on what no approval can be bound to, because it cannot be written down exactly."""
    reason = Reason(rule="digest", effect=AdmissionEffect.REFUSE, sentence=str(error))
    return verdict.model_copy(
        update={"effect": AdmissionEffect.REFUSE, "tier": None, "reasons": [reason, *verdict.reasons]}
    )

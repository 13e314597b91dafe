"""Opening the request in which people are asked about an action: what they are shown, and what it binds them to."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.actions import ActionOutcome, ActionStatus, AdmissionEffect, Verdict
from assent.domain.approvals import approval_digest
from assent.domain.catalogue import ActionType
from assent.domain.errors import InvalidInput
from assent.policy.admission import declared_limits
from assent.policy.cards import AgentCard
from assent.store import approvals, asked_about, revisions
from assent.store.tables import ActionRow
from assent_activities.admission_records import AdmissionRecords
from assent_activities.asking import asking
from assent_activities.cards_shown import request_card
from assent_activities.dependencies import Dependencies
from assent_activities.facts import gather
from assent_activities.jobs import Job
from assent_activities.limit_use import count_use
from assent_activities.predecessors import predecessor_of
from assent_activities.previews import Preview
from assent_activities.refusals import unbound


def approval_id_of(action_id: str) -> str:
    """The id of the approval request of an action: always the same."""
    return f"ap-{hashlib.sha256(action_id.encode()).hexdigest()[:16]}"


class Requests:
    """Opens approval requests.

    Args:
        dependencies: Shared by all activities.
        records: Writes the action down.
    """

    def __init__(self, dependencies: Dependencies, records: AdmissionRecords) -> None:
        self._deps = dependencies
        self._records = records

    def open(
        self,
        session: Session,
        job: Job,
        row: ActionRow | None,
        type: ActionType,
        card: AgentCard,
        verdict: Verdict,
        preview: Preview,
        now: datetime,
    ) -> ActionOutcome:
        """Ask people about an action in the caller's transaction.

        Args:
            session: The transaction.
            job: The action.
            row: Its row, where it stands already.
            type: Its action type.
            card: The card that was applied.
            verdict: What admission says: to approve, or a veto window.
            preview: What the action would do.
            now: When.

        Returns:
            Awaiting, with the request's id and digest; failed if the system would refuse the action; refused if no
            approval can be bound to it.
        """
        if preview.refused:
            return self._records.write(
                session, job, row, type, verdict, ActionStatus.FAILED, now, message=preview.refused
            )
        approval_id = approval_id_of(job.action_id)
        facts = gather(session, self._deps.registry, job, type, preview.changes, approval_id=approval_id)
        how = asking(session, job.header, card, job.action, verdict.effect, now)
        shown = request_card(
            header=job.header,
            card=card,
            type=type,
            action=job.action,
            verdict=verdict,
            preview=preview,
            facts=facts,
            rules=how.rules,
            instead_of=predecessor_of(session, job, type),
        )
        try:
            digest = approval_digest(
                run_id=job.header.run_id,
                action_id=job.action_id,
                action_type=type.name,
                arguments=job.action.arguments,
                card_version=verdict.card_version,
                shown=shown,
            )
        except InvalidInput as error:
            return self._records.write(session, job, row, type, unbound(verdict, error), ActionStatus.REFUSED, now)
        approvals.open_request(
            session,
            job.header,
            approval_id=approval_id,
            action_id=job.action_id,
            digest=digest,
            card=shown,
            at=now,
            expires_at=how.end,
            channels=self._deps.channels,
            rules=how.rules,
            agenda=how.agenda,
        )
        revisions.write(
            session,
            approval_id=approval_id,
            digest=digest,
            card=shown,
            arguments=job.action.arguments,
            card_version=verdict.card_version,
            at=now,
        )
        asked_about.remember(session, approval_id, type=type.name, resources=facts.resources, at=now)
        asked = {"approval": approval_id, "digest": digest, "shown": shown.model_dump(mode="json")}
        extra = [self._records.event(job, "approval.requested", asked, now)]
        outcome = self._records.write(session, job, row, type, verdict, ActionStatus.AWAITING, now, extra=extra)
        if verdict.effect is AdmissionEffect.VETO:  # It may run without anybody looking at it again.
            count_use(session, job, declared_limits(card, type.name), now)
        look_in = how.agenda.next_look(how.end) - now
        asked_for = {"expires_in": look_in, "votes": how.rules.electorate.size}
        return outcome.model_copy(update={"approval_id": approval_id, "digest": digest, **asked_for})

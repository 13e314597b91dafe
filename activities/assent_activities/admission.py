"""Activity ``submit_action``: admit an action and, if it is automatic and quick, perform it."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session
from temporalio import activity

from assent.domain.actions import ActionOutcome, ActionStatus, AdmissionEffect, ProposedAction, Verdict
from assent.domain.canonical import stable_text
from assent.domain.catalogue import ActionType
from assent.domain.ports import ACTIVITY_SUBMIT, SubmitAction
from assent.domain.tiers import Speed, Tier
from assent.policy.admission import admit, declared_limits
from assent.policy.breakers_block import Then
from assent.policy.cards import Limit
from assent.store import approvals, fence, grants, projection, usage
from assent.store.glance import glance
from assent.store.tables import ActionRow
from assent_activities.admission_records import AdmissionRecords
from assent_activities.covering import cover
from assent_activities.dependencies import CardShelf, Dependencies
from assent_activities.effects import EffectProtocol
from assent_activities.falling_back import fallback_of, told
from assent_activities.fencing import cleared_at, subject_of
from assent_activities.jobs import Job
from assent_activities.limit_use import count_use, use_of
from assent_activities.outcomes import action_of, outcome_of
from assent_activities.predecessors import with_predecessor
from assent_activities.previews import Preview, look
from assent_activities.refusals import Refusals, unknown_agent, unwritable
from assent_activities.requesting import Requests

_ASKS = {AdmissionEffect.APPROVE, AdmissionEffect.VETO}
_STATUS = {AdmissionEffect.REFUSE: ActionStatus.REFUSED, AdmissionEffect.SUGGEST: ActionStatus.SUGGESTED}


class _Claimed(ActionOutcome):
    """This attempt holds the claim; ``unseen`` is how many actions the run's row does not count yet."""

    unseen: int


class _AdmittedBefore(Exception):
    """The key stands for another action, which is weighed again in place of this one."""

    def __init__(self, action: ProposedAction) -> None:
        super().__init__(action.key)
        self.action = action


class _PreviewNeeded(Exception):
    """Admission asks for approval although the card's tier did not say so, or a record is paused: look first."""


class Admission:
    """Admits actions.

    Args:
        dependencies: Shared by all activities.
        effects: The effect protocol.
    """

    def __init__(self, dependencies: Dependencies, effects: EffectProtocol) -> None:
        self._deps = dependencies
        self._effects = effects
        self._cards = CardShelf()
        self._newest: dict[str, int] = {}
        self._records = AdmissionRecords(dependencies.database)
        self._refusals = Refusals(dependencies, self._records)
        self._requests = Requests(dependencies, self._records)

    @activity.defn(name=ACTIVITY_SUBMIT, no_thread_cancel_exception=True)
    def submit(self, request: SubmitAction) -> ActionOutcome:
        """Admit an action, in one transaction with its claim if it is automatic and quick, and perform it.

        Submitting an action again gives what became of it.

        Returns:
            Refused, suggested, awaiting (a person), held (by a pause), cleared (a long one: execute it), or the
            outcome of the effect.
        """
        job = Job(request.header, request.action, _action_id(request), uuid.uuid4().hex)
        if request.blocked:
            return self._refusals.block(job, self._type(job.action.type), request.blocked)
        if fault := unwritable(request.action.arguments):
            return self._refusals.refuse(job, fault)
        preview = self._early_preview(job)
        while True:
            try:
                outcome = self._deps.database.together(partial(self._admit, job=job, preview=preview))
            except _PreviewNeeded:
                preview = look(self._deps.registry, job)
                continue
            except _AdmittedBefore as first:
                job, preview = dataclasses.replace(job, action=first.action), None
                continue
            if isinstance(outcome, _Claimed):
                ours = dataclasses.replace(job, reasons=tuple(outcome.reasons), unseen=outcome.unseen)
                return self._effects.perform(ours)
            if outcome.status is not ActionStatus.CLAIMED:
                return outcome
            recovered = self._effects.recover(job)
            if recovered is not None:
                return recovered

    def _admit(self, session: Session, job: Job, preview: Preview | None) -> ActionOutcome:
        now = self._deps.clock()
        type = self._type(job.action.type)
        seen = glance(
            self._deps.database,
            session,
            agent=job.header.agent,
            run_id=job.header.run_id,
            action_id=job.action_id,
            action_type=job.action.type,
        )
        row = projection.read_action(session, job.action_id, for_update=True) if seen.known else None
        if row is not None:
            admitted = self._type(row.type)
            speed = admitted.speed if admitted else Speed.QUICK
            again = row.status == ActionStatus.HELD or (row.status == ActionStatus.CLEARED and speed is Speed.QUICK)
            if not again or approvals.exists_for(session, job.action_id):
                return outcome_of(session, row, speed=speed, now=now)
            if not _same(first := action_of(row), job.action):
                raise _AdmittedBefore(first)
            usage.release(session, job.action_id)
            grants.give_back(session, job.action_id, at=now)
        version = seen.card_version
        if version is None:
            verdict = unknown_agent(job.header.agent)
            return self._records.write(session, job, row, type, verdict, ActionStatus.REFUSED, now)
        card = self._cards.get(session, job.header.agent, version)
        self._newest[job.header.agent] = version
        held = self._held(session, job, row, type, version, preview) if seen.paused else []
        limits = declared_limits(card, job.action.type)
        used = use_of(self._deps.database, session, job, limits, now)
        verdict = admit(
            card=card,
            card_version=version,
            type=type,
            action=job.action,
            run_id=job.header.run_id,
            used=used,
        )
        if job.action.instead_of:
            verdict = with_predecessor(session, job, verdict)
        if verdict.effect in _STATUS or type is None:
            return self._records.write(session, job, row, type, verdict, _STATUS[verdict.effect], now)
        if held:
            instead = fallback_of(session, card, type.name, held)
            if instead is not None and instead.then is Then.REFUSE and row is None:
                return self._records.write(session, job, row, type, told(verdict, instead), ActionStatus.REFUSED, now)
            fence.note_held(session, held, action_id=job.action_id, run_id=job.header.run_id, at=now)
            said = instead.sentence if instead is not None else ""
            status = ActionStatus.HELD
            return self._records.write(session, job, row, type, verdict, status, now, message=said, held=held)
        if verdict.effect in _ASKS:
            covered = cover(
                session,
                job,
                card=card,
                type=type,
                verdict=verdict,
                now=now,
                granted=seen.granted,
                planned=seen.planned,
            )
            if covered.stands:
                return self._clear(session, job, row, type, covered.verdict, limits, now, covered.events)
            if preview is None:
                raise _PreviewNeeded
            return self._requests.open(session, job, row, type, card, covered.verdict, preview, now)
        return self._clear(session, job, row, type, verdict, limits, now)

    def _held(
        self,
        session: Session,
        job: Job,
        row: ActionRow | None,
        type: ActionType | None,
        version: int,
        preview: Preview | None,
    ) -> list[str]:
        """The pauses that hold an action; where a record is paused, the records it would touch are looked at first."""
        touched = [change.resource for change in preview.changes] if preview else []
        subject = subject_of(job.header, job.action, type, version=version, records=touched)
        found = fence.seen(session, subject)
        cleared = cleared_at(row, None, None) if row is not None else None
        held = found.holds(subject, cleared_at=cleared)
        if not held and found.records and preview is None and type is not None:
            raise _PreviewNeeded
        return held

    def _clear(
        self,
        session: Session,
        job: Job,
        row: ActionRow | None,
        type: ActionType,
        verdict: Verdict,
        limits: list[Limit],
        now: datetime,
        events: Sequence[dict[str, object]] = (),
    ) -> ActionOutcome:
        count_use(session, job, limits, now)
        if type.speed is Speed.LONG:
            return self._records.write(session, job, row, type, verdict, ActionStatus.CLEARED, now, extra=[*events])
        self._effects.claim(session, job, at=now)
        extra = [*events, self._records.event(job, "effect.claimed", {}, now)]
        outcome = self._records.write(session, job, row, type, verdict, ActionStatus.CLAIMED, now, extra=extra)
        return _Claimed(**dict(outcome), unseen=1 if row is None else 0)

    def _early_preview(self, job: Job) -> Preview | None:
        """Look at the records before the transaction where the newest card known says that a person will be asked."""
        card = self._cards.known(job.header.agent, self._newest.get(job.header.agent, 0))
        rule = card.actions.get(job.action.type) if card else None
        return look(self._deps.registry, job) if rule is not None and rule.tier in (Tier.APPROVE, Tier.VETO) else None

    def _type(self, name: str) -> ActionType | None:
        operation = self._deps.registry.get(name)
        return operation.type if operation else None


def _action_id(request: SubmitAction) -> str:
    return f"{request.header.run_id}:{request.action.key}"


def _same(one: ProposedAction, other: ProposedAction) -> bool:
    """Whether two proposals ask for the same."""
    return one.type == other.type and stable_text(one.arguments) == stable_text(other.arguments)

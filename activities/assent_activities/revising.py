"""Activity ``revise_action``: a person edits the arguments of an action that waits for people."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from assent.domain.actions import AdmissionEffect, Reason, Verdict
from assent.domain.approvals import ApprovalStatus, RequestCard, approval_digest
from assent.domain.canonical import Json, stable_text
from assent.domain.catalogue import ActionType
from assent.domain.errors import InvalidInput
from assent.domain.pauses import Subject
from assent.domain.people import Actor
from assent.domain.ports import ACTIVITY_REVISE, ReviseAction
from assent.domain.revisions import Edit, Revised, argument_changes, with_kept_secrets
from assent.domain.runs import RunStatus, WaitingAction
from assent.domain.tiers import Speed, Tier
from assent.policy.admission import admit, declared_limits
from assent.policy.cards import AgentCard
from assent.store import (
    approvals,
    asked,
    asked_about,
    cards,
    electorate,
    fence,
    ledger,
    projection,
    revisions,
    search,
    votes,
)
from assent.store.tables import ActionRow, ApprovalRow
from assent_activities.asking import Asking, asking
from assent_activities.cards_shown import request_card
from assent_activities.dependencies import CardShelf, Dependencies
from assent_activities.edit_checks import EditRefused, edited_arguments, require_editor, require_pending
from assent_activities.facts import Facts, gather
from assent_activities.fencing import admitted_subject
from assent_activities.jobs import Job
from assent_activities.limit_use import use_of
from assent_activities.outcomes import action_of, outcome_of
from assent_activities.predecessors import predecessor_of
from assent_activities.previews import Preview, look

REVISED = "approval.revised"
REFUSED = "approval.edit_refused"
_STOPS = {AdmissionEffect.REFUSE, AdmissionEffect.SUGGEST}


@dataclass(frozen=True, slots=True)
class _Draft:
    """The action as the edit wants it, looked at before the transaction."""

    job: Job
    preview: Preview


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The edited action as the card in force sees it."""

    card: AgentCard
    verdict: Verdict
    asking: Asking


class Revising:
    """Edits actions that wait for people.

    Args:
        dependencies: Shared by all activities.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies
        self._cards = CardShelf()

    @activity.defn(name=ACTIVITY_REVISE)
    def revise(self, request: ReviseAction) -> WaitingAction:
        """Let a request stand for edited arguments, in one transaction, or record why it stays as it is.

        Admission weighs the arguments again with the card in force. It may refuse them, then the edit is refused; it
        may ask for more than before; but whatever it says, a person decides. Votes given before lapse, and the time to
        decide begins anew. The same edit again changes nothing.

        Returns:
            The action as it stands then.
        """
        edit = request.edit
        draft = self._draft(request)
        with self._deps.database.write() as session:
            now = self._deps.clock()
            # The fence comes first: pauses take it before the rows that they change, too.
            first = Subject(
                agent=request.header.agent, run_id=request.header.run_id, labels=frozenset(request.header.labels)
            )
            fence.under(self._deps.database, session, first)
            row = projection.read_action(session, edit.action_id, for_update=True)
            if row is None:
                raise ApplicationError(f"The action {edit.action_id} was never admitted.", non_retryable=True)
            subject = admitted_subject(request.header, row, self._deps.registry)
            held = fence.seen(session, subject).holds(subject)
            if not revisions.was_recorded(session, edit.id):
                try:
                    self._revise(session, edit, row, draft, held, now)
                except EditRefused as refusal:
                    self._refuse(session, edit, row, str(refusal), now)
            type = self._type(row.type)
            speed = type.speed if type else Speed.QUICK
            outcome = outcome_of(session, row, speed=speed, now=now, held_by=held)
            return WaitingAction(action=action_of(row), outcome=outcome)

    def _draft(self, request: ReviseAction) -> _Draft | None:
        """Look at the records as the edit would touch them; ``None`` if it is not about what is asked now."""
        edit = request.edit
        with self._deps.database.read() as session:
            row = projection.read_action(session, edit.action_id)
            found = approvals.request_for(session, edit.action_id)
        if row is None or found is None or found.digest != edit.digest or found.status != ApprovalStatus.PENDING.value:
            return None
        type = self._type(row.type)
        try:
            arguments = with_kept_secrets(edit.arguments, row.arguments, type.secrets if type else ())
            stable_text(arguments).encode()
        except (InvalidInput, UnicodeEncodeError):
            return None
        action = action_of(row).model_copy(update={"arguments": arguments})
        job = Job(request.header, action, edit.action_id, "")
        return _Draft(job, look(self._deps.registry, job))

    def _revise(
        self, session: Session, edit: Edit, row: ActionRow, draft: _Draft | None, held: list[str], now: datetime
    ) -> None:
        request = approvals.request_for(session, edit.action_id)
        require_pending(request, row, edit, held)
        assert request is not None
        require_editor(session, request, edit, now)
        type = self._type(row.type)
        if type is None:
            raise EditRefused(f"No connector offers {row.type}.")
        arguments = edited_arguments(edit, row, type)
        if draft is None:
            raise EditRefused("The arguments cannot be written down.")
        job = draft.job
        weighed = self._weigh(session, job, type, request, edit.by, now)
        if draft.preview.refused:
            raise EditRefused(f"The system would refuse it: {draft.preview.refused}")
        facts = gather(session, self._deps.registry, job, type, draft.preview.changes, approval_id=request.id)
        changes = argument_changes(row.arguments, arguments, type.secrets)
        shown = request_card(
            header=job.header,
            card=weighed.card,
            type=type,
            action=job.action,
            verdict=weighed.verdict,
            preview=draft.preview,
            facts=facts,
            rules=weighed.asking.rules,
            revision=request.revision + 1,
            revised=Revised(by=edit.by, reason=edit.reason, changes=changes),
            instead_of=predecessor_of(session, job, type),
        )
        self._show(session, edit, row, request, job, weighed, shown, facts, now)

    def _show(
        self,
        session: Session,
        edit: Edit,
        row: ActionRow,
        request: ApprovalRow,
        job: Job,
        weighed: _Weighed,
        shown: RequestCard,
        facts: Facts,
        now: datetime,
    ) -> None:
        digest = _digest(job, weighed.verdict, shown)
        revisions.replace(
            session,
            request,
            row,
            edit,
            digest=digest,
            card=shown,
            arguments=job.action.arguments,
            verdict=weighed.verdict,
            rules=weighed.asking.rules,
            agenda=weighed.asking.agenda,
            at=now,
            expires_at=weighed.asking.end,
        )
        revisions.record_edit(session, edit, revision=shown.revision)
        lapsed = votes.lapse_all(session, request.id, f"{edit.by.name} edited the arguments.")
        asked.ask_again(session, request, [need.token for need in weighed.asking.rules.electorate.needs], at=now)
        asked_about.remember(session, request.id, type=row.type, resources=facts.resources, at=now)
        search.add(session, request.id, shown, request.created_at)
        body = {
            "approval": request.id,
            "edit": edit.id,
            "former": edit.digest,
            "digest": digest,
            "lapsed": [vote.id for vote in lapsed],
            "reason": edit.reason,
            "verdict": weighed.verdict.model_dump(mode="json"),
            "shown": shown.model_dump(mode="json"),
        }
        ledger.append_of(session, row, REVISED, body, at=now, actor=edit.by)
        approvals.notify(session, self._deps.channels, approvals.CHANGED, request.id, now)
        step = f"{row.sentence}: edited by {edit.by.name}"
        projection.step_run(session, row.run_id, status=RunStatus.WAITING, step=step, at=now)

    def _weigh(
        self, session: Session, job: Job, type: ActionType, request: ApprovalRow, by: Actor, now: datetime
    ) -> _Weighed:
        """Admit the edited action with the card in force; a person decides it whatever the card says."""
        version = cards.version_in_force(session, job.header.agent)
        assert version is not None, job.header.agent
        card = self._cards.get(session, job.header.agent, version)
        used = use_of(self._deps.database, session, job, declared_limits(card, type.name), now)
        verdict = admit(
            card=card, card_version=version, type=type, action=job.action, run_id=job.header.run_id, used=used
        )
        if verdict.effect in _STOPS:
            raise EditRefused(" ".join(each.sentence for each in verdict.reasons if each.effect in _STOPS))
        found = asking(session, job.header, card, job.action, AdmissionEffect.APPROVE, now)
        if not found.rules.edit:
            raise EditRefused("The card lets nobody edit it.")
        also = electorate.rules_of(request).electorate.also
        voters = found.rules.electorate.model_copy(update={"also": also})
        rules = found.rules.model_copy(update={"electorate": voters})
        return _Weighed(card, _asking(verdict, by), dataclasses.replace(found, rules=rules))

    def _refuse(self, session: Session, edit: Edit, row: ActionRow, why_not: str, now: datetime) -> None:
        revisions.record_edit(session, edit, why_not=why_not)
        body: dict[str, Json] = {"approval": edit.approval_id, "edit": edit.id, "why_not": why_not}
        ledger.append_of(session, row, REFUSED, body, at=now, actor=edit.by)
        approvals.notify(session, self._deps.channels, approvals.CHANGED, edit.approval_id, now)

    def _type(self, name: str) -> ActionType | None:
        operation = self._deps.registry.get(name)
        return operation.type if operation else None


def _asking(verdict: Verdict, by: Actor) -> Verdict:
    """A verdict that asks a person: what was asked once is not automatic because somebody edited it."""
    sentence = f"{by.name} changed what the agent had proposed, so people decide on it as it is now."
    reason = Reason(rule="edited", effect=AdmissionEffect.APPROVE, sentence=sentence)
    return verdict.model_copy(
        update={"effect": AdmissionEffect.APPROVE, "tier": Tier.APPROVE, "reasons": [reason, *verdict.reasons]}
    )


def _digest(job: Job, verdict: Verdict, shown: RequestCard) -> str:
    try:
        return approval_digest(
            run_id=job.header.run_id,
            action_id=job.action_id,
            action_type=job.action.type,
            arguments=job.action.arguments,
            card_version=verdict.card_version,
            shown=shown,
        )
    except InvalidInput as error:
        raise EditRefused(str(error)) from error

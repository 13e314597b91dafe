"""Weighing votes: whether a decision counts, and whether the request is decided by it. This is where it is settled."""

from __future__ import annotations

from sqlalchemy.orm import Session

from assent.domain.actions import ActionStatus, ProposedAction, advance
from assent.domain.approvals import ApprovalStatus, Decision, RequestCard, Verb, approval_digest
from assent.domain.approving import ApprovalRules, Silence
from assent.domain.assurance import of_actor
from assent.domain.ballots import Tally
from assent.domain.canonical import Json
from assent.domain.voting import (
    Voter,
    approves,
    in_whose_name,
    in_words,
    why_not_approve,
    why_not_reject,
)
from assent.policy.approving import agenda
from assent.store import approvals, asked, openings, votes
from assent_activities.cases import Case, note
from assent_activities.counting import rejections, tally_of, voted_before
from assent_activities.dependencies import Dependencies


class Weighing:
    """Lets decisions count in the caller's transaction, or records why they do not.

    Args:
        dependencies: Shared by all activities.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies

    def approve(self, session: Session, case: Case, action: ProposedAction, decision: Decision) -> bool:
        """Let an approval count; true if the request is approved by it now."""
        rules, voter = case.rules, case.voter(session, decision.by.id)
        why_not = "" if decision.verb is Verb.APPROVE else "It is not an approval."
        why_not = why_not or self._why_not_now(session, case, decision) or self._unbound(case, action, decision)
        why_not = why_not or _refused(rules, voter, decision)
        if not why_not and rules.opened and not openings.was_opened(session, case.request, decision.by.id):
            why_not = openings.NOT_OPENED
        others = [] if why_not or _alone_decides(rules) else votes.in_force(session, case.request.id)
        why_not = why_not or voted_before(session, case, voter, decision, others)
        if not self._record(session, case, decision, voter, why_not) or why_not:
            return False
        tally = None if _alone_decides(rules) else tally_of(session, case)
        if tally is not None and not tally.met:
            missing = in_words(tally.missing)
            note(session, case, "approval.voted", _body(decision, missing=missing), actor=decision.by)
            approvals.notify(session, self._deps.channels, approvals.CHANGED, case.request.id, case.now)
            return False
        self._close_approved(session, case, decision, tally)
        return True

    def reject(self, session: Session, case: Case, decision: Decision) -> bool:
        """Let a rejection count; true if the request is rejected by it now. The caller closes it."""
        rules, voter = case.rules, case.voter(session, decision.by.id)
        why_not = self._pending(case) or _stale(case, decision) or _refused(rules, voter, decision)
        others = [] if why_not or rules.electorate.deny == 1 else votes.in_force(session, case.request.id)
        why_not = why_not or voted_before(session, case, voter, decision, others)
        new = self._record(session, case, decision, voter, why_not)
        if why_not:
            return False
        against = 1 if rules.electorate.deny == 1 else rejections(session, case)
        if against >= rules.electorate.deny:
            return True
        if not new:
            return False
        body = _body(decision, missing=f"{rules.electorate.deny - against} more to reject it")
        note(session, case, "approval.voted", body, actor=decision.by)
        approvals.notify(session, self._deps.channels, approvals.CHANGED, case.request.id, case.now)
        return False

    def take_back(self, session: Session, case: Case, decision: Decision) -> None:
        """Let somebody's own vote count no more, as long as nothing is claimed; what a pause holds is asked again."""
        mine = [vote for vote in votes.in_force(session, case.request.id) if vote.by.id == decision.by.id]
        why_not = "" if mine else "They have no vote in force on it."
        if ActionStatus(case.row.status) not in (ActionStatus.AWAITING, ActionStatus.HELD):
            why_not = f"It is {case.row.status} already."
        if not self._record(session, case, decision, None, why_not) or why_not:
            return
        for vote in mine:
            votes.lapse(session, vote.id, "It was taken back.")
        body = _body(decision, votes=[vote.id for vote in mine])
        note(session, case, "approval.taken_back", body, actor=decision.by)
        if case.request.status == ApprovalStatus.APPROVED.value:
            self.reopen(session, case)
        else:
            approvals.notify(session, self._deps.channels, approvals.CHANGED, case.request.id, case.now)

    def late(self, session: Session, case: Case, decision: Decision) -> None:
        """Keep a decision that came when nothing was left to decide; one that was kept before stays as it was."""
        self._record(session, case, decision, None, f"It was already {case.request.status}.")

    def still_approved(self, session: Session, case: Case) -> bool:
        """Whether what had to wait since would be approved by the same votes now; if not, people are asked again.

        What nobody decided (a veto window that passed) stays as it is.
        """
        if case.request.decided_by is None:
            return True
        if tally_of(session, case).met:
            return True
        self.reopen(session, case)
        return False

    def reopen(self, session: Session, case: Case) -> None:
        """Let a request that was approved, but did not run, wait for people again, with its whole time."""
        steps, end = agenda(case.rules, case.now)
        request = case.request
        request.status, request.decided_at, request.decided_by = ApprovalStatus.PENDING.value, None, None
        request.decision_reason, request.silent_at = "", None
        request.expires_at, request.due_at = end, steps.next_look(end)
        request.agenda = steps.model_dump(mode="json")
        case.row.status = advance(ActionStatus(case.row.status), ActionStatus.AWAITING).value
        session.flush()
        asked.reopen(session, request.id)
        asked.due(session, request.id, end)
        note(session, case, "approval.reopened", {})
        approvals.notify(session, self._deps.channels, approvals.CHANGED, request.id, case.now)

    def _close_approved(self, session: Session, case: Case, decision: Decision, tally: Tally | None) -> None:
        approvals.close_request(
            session,
            case.request.id,
            to=ApprovalStatus.APPROVED,
            decision=decision,
            message="",
            at=case.now,
            channels=self._deps.channels,
        )
        body = _body(decision)
        if tally is not None:
            body["votes"] = [
                {"vote": each.ballot, "counts_for": each.token, "in_the_name_of": each.authority.name}
                for each in tally.counted
            ]
        note(session, case, "approval.decided", body, actor=decision.by)

    def _record(self, session: Session, case: Case, decision: Decision, voter: Voter | None, why_not: str) -> bool:
        """Keep the decision, and the event of one that does not count; false if it was kept before."""
        rules = case.rules.electorate
        needs = approves(rules, voter) if voter and decision.verb is Verb.APPROVE else ()
        lent = in_whose_name(rules, voter) if voter and needs else None
        new = approvals.record_decision(
            session,
            decision,
            counted=not why_not,
            why_not=why_not,
            revision=case.request.revision,
            needs=needs,
            for_person=lent.person if lent else "",
        )
        if new and why_not:
            note(session, case, "approval.late", _body(decision, why_not=why_not), actor=decision.by)
        return new

    def _why_not_now(self, session: Session, case: Case, decision: Decision) -> str:
        if case.request.status == ApprovalStatus.APPROVED.value and votes.counted(session, decision.id):
            return ""
        if not_pending := self._pending(case):
            return not_pending
        silence = case.rules.silence
        ends = silence is Silence.REJECT or (silence is Silence.ESCALATE and case.request.silent_at is not None)
        if ends and decision.at > case.request.expires_at and not case.held:
            return "It came after the time to decide was over."
        return ""

    def _pending(self, case: Case) -> str:
        if case.request.status != ApprovalStatus.PENDING.value:
            return f"It was already {case.request.status}."
        return ""

    def _unbound(self, case: Case, action: ProposedAction, decision: Decision) -> str:
        """Whether what would run is something else than what was decided on."""
        bound = approval_digest(
            run_id=case.row.run_id,
            action_id=case.row.action_id,
            action_type=action.type,
            arguments=action.arguments,
            card_version=case.row.card_version,
            shown=RequestCard.model_validate(case.request.card),
        )
        return _stale(case, decision) if bound == case.request.digest else _OTHER


_OTHER = "The decision is about something other than what would run."


def _alone_decides(rules: ApprovalRules) -> bool:
    """Whether one vote decides, so that no other need be looked at."""
    return rules.electorate.size == 1 and rules.electorate.deny == 1


def _refused(rules: ApprovalRules, voter: Voter | None, decision: Decision) -> str:
    if voter is None:
        return f"{decision.by.name} is nobody who may decide."
    check = why_not_reject if decision.verb is Verb.REJECT else why_not_approve
    return check(rules.electorate, voter, of_actor(decision.by))


def _stale(case: Case, decision: Decision) -> str:
    return "" if decision.digest == case.request.digest else _OTHER


def _body(decision: Decision, **more: Json) -> dict[str, Json]:
    return {"verb": decision.verb.value, "reason": decision.reason, "digest": decision.digest, **more}

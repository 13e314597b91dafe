"""What people approved ahead, looked at in the transaction that claims: plans approved whole, and standing grants.

Both stand for the people that an action of tier approve asks for, and for nothing else. Whoever gave their word is
weighed again as they are now, against what the card asks for these arguments: who lost a role, left a group or may not
approve this run has given it in vain, and then the action asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from assent.domain.actions import AdmissionEffect, Reason, Verdict
from assent.domain.canonical import Json
from assent.domain.catalogue import ActionType
from assent.domain.people import SYSTEM, mailbox_of
from assent.domain.tiers import Tier
from assent.domain.voting import Electorate, in_words, is_one
from assent.policy.approving import resolve, tokens
from assent.policy.cards import AgentCard
from assent.policy.granting import coverable, covers
from assent.policy.plans import DRIFT, drift, drifted, referred
from assent.store import grants, ledger, people, plan_approvals
from assent.store.consents import weigh_consents
from assent.store.electorate import voter
from assent.store.grants import InForce
from assent.store.tables import ActionRow
from assent_activities.jobs import Job
from assent_activities.outcomes import bounded

GRANT, PLAN = "grant", "plan"
"""Rules of the reasons that say what covered an action."""


@dataclass(frozen=True, slots=True)
class Cover:
    """Whether an action of tier approve is covered.

    Attributes:
        verdict: The admission, with the reason why it is covered, or why the approval of its plan does not cover it.
        events: Ledger events of the cover, none if there is none.
    """

    verdict: Verdict
    events: Sequence[dict[str, object]] = ()

    @property
    def stands(self) -> bool:
        """Nobody needs to be asked."""
        return bool(self.events)


def cover(
    session: Session,
    job: Job,
    *,
    card: AgentCard,
    type: ActionType,
    verdict: Verdict,
    now: datetime,
    granted: bool = True,
    planned: bool = True,
) -> Cover:
    """Find what covers an action that asks, and use it.

    Args:
        session: The transaction that will claim or clear the action.
        job: The action.
        card: The card that was applied.
        type: Its type.
        verdict: Its admission.
        now: The time.
        granted: There may be a grant; if it is known that there is none, none is looked for.
        planned: The run's plan may be approved.
    """
    if verdict.effect is not AdmissionEffect.APPROVE:
        return Cover(verdict)
    why_not = ""
    approved = plan_approvals.in_force(session, job.header.run_id) if planned else None
    if approved is not None:
        found = _by_plan(session, job, approved, card, verdict, now)
        if isinstance(found, Cover):
            return found
        why_not = found
    if granted and coverable(verdict):
        standing = grants.in_force(session, agent=card.name, action_type=type.name, now=now)
        fitting = [each for each in standing if covers(each.terms, type, job.action, run_id=job.header.run_id)]
        if fitting and (found_grant := _by_grant(session, job, fitting, card, verdict, now)):
            return found_grant
    if why_not:
        return Cover(verdict.model_copy(update={"reasons": [drifted(why_not), *verdict.reasons]}))
    return Cover(verdict)


def covered_again(
    session: Session, job: Job, row: ActionRow, *, card: AgentCard, type: ActionType, now: datetime
) -> bool:
    """Whether an action that was cleared under a cover still is covered, now that it is about to be claimed.

    Its use is taken anew, so that a grant that was revoked meanwhile covers it no more.
    """
    before = grants.give_back(session, job.action_id, at=now, told=False)
    reasons = [Reason.model_validate(each) for each in row.reasons if each["rule"] not in (GRANT, PLAN, DRIFT)]
    verdict = Verdict(effect=AdmissionEffect.APPROVE, tier=Tier.APPROVE, reasons=reasons, card_version=row.card_version)
    found = cover(session, job, card=card, type=type, verdict=verdict, now=now)
    if not found.stands:
        grants.tell_return(session, job.action_id, before, at=now)
        return False
    if grants.cover_of(session, job.action_id) not in before:
        row.reasons = [reason.model_dump(mode="json") for reason in found.verdict.reasons]
        session.flush()
        ledger.append_many(session, [*found.events])
    return True


def _by_plan(
    session: Session,
    job: Job,
    approved: plan_approvals.ApprovedPlan,
    card: AgentCard,
    verdict: Verdict,
    now: datetime,
) -> Cover | str:
    step = approved.step(job.action.key)
    run_id = job.header.run_id
    known = {} if step is None else plan_approvals.results(session, run_id, sorted(referred(step)))
    rules = resolve(
        card,
        job.action,
        run_id=run_id,
        requester=job.header.started_by.id,
        requester_mailbox=_mailbox(session, job),
    )
    why_not = drift(
        step,
        job.action,
        approved_version=approved.card_version,
        verdict=verdict,
        rules=rules,
        results={key: bounded(result, f"{run_id}:{key}") for key, result in known.items()},
    )
    if why_not:
        return why_not
    words = grants.consents(session, approved.id)
    tally = weigh_consents(session, rules.electorate, words, now)
    if not tally.met:
        return f"Those who approved the plan are not enough any more: it needs {in_words(tally.missing)}."
    grants.note_use(session, approved.id, action_id=job.action_id, run_id=run_id, at=now)
    names = " and ".join(dict.fromkeys(word.by.name for word in words))
    reason = Reason(rule=PLAN, effect=AdmissionEffect.AUTO, sentence=f"Approved with the plan by {names}.")
    return _covered(job, verdict, reason, "plan.used", {"plan": approved.id}, now)


def _by_grant(
    session: Session, job: Job, fitting: Sequence[InForce], card: AgentCard, verdict: Verdict, now: datetime
) -> Cover | None:
    rules = resolve(
        card,
        job.action,
        run_id=job.header.run_id,
        requester=job.header.started_by.id,
        requester_mailbox=_mailbox(session, job),
    )
    for each in fitting:
        if not _still_stands(session, each, card, rules.electorate, now):
            continue
        used = grants.take(session, each.id, now=now)
        if used is None:
            continue
        grants.note_use(session, each.id, action_id=job.action_id, run_id=job.header.run_id, at=now)
        sentence = f"Covered by the standing grant {each.id} of {each.given_by.name}, use {used[0]:,} of {used[1]:,}."
        reason = Reason(rule=GRANT, effect=AdmissionEffect.AUTO, sentence=sentence)
        return _covered(job, verdict, reason, "grant.used", {"grant": each.id, "use": used[0], "of": used[1]}, now)
    return None


def _still_stands(session: Session, grant: InForce, card: AgentCard, electorate: Electorate, now: datetime) -> bool:
    """Whether the card still lets the giver grant, and whether the words given are enough for these arguments."""
    rule = card.approving(grant.terms.action_type).grants
    giver = voter(session, grant.given_by.id, now)
    if rule is None or giver is None or not giver.able:
        return False
    if not any(is_one(tokens(card, who).token, giver.own) for who in rule.by):
        return False
    return weigh_consents(session, electorate, grants.consents(session, grant.id), now).met


def _covered(job: Job, verdict: Verdict, reason: Reason, kind: str, body: Mapping[str, Json], now: datetime) -> Cover:
    event = ledger.event_row(
        now, kind, SYSTEM, job.header.run_id, job.action_id, job.header.agent, {**body, "sentence": reason.sentence}
    )
    return Cover(verdict.model_copy(update={"reasons": [*verdict.reasons, reason]}), (event,))


def _mailbox(session: Session, job: Job) -> str:
    person = people.one(session, job.header.started_by.id)
    return mailbox_of(person.email) if person else ""

"""Counting the votes in force on a request; those of whoever may no longer give them lapse."""

from __future__ import annotations

from sqlalchemy.orm import Session

from assent.domain.approvals import Decision, Verb
from assent.domain.approving import ApprovalRules
from assent.domain.ballots import Ballot, Tally, weigh
from assent.domain.canonical import Json
from assent.domain.people import Actor, Assurance
from assent.domain.voting import Voter, why_not_approve, why_not_reject
from assent.store import votes
from assent.store.votes import Vote
from assent_activities.cases import Case, note

_DONE = {Verb.APPROVE: "approved", Verb.REJECT: "rejected"}


def tally_of(session: Session, case: Case) -> Tally:
    """Count the approvals in force, of whoever may still give one; the others lapse."""
    rules, ballots = case.rules, []
    for vote in votes.in_force(session, case.request.id):
        if vote.verb is not Verb.APPROVE:
            continue
        voter = case.voter(session, vote.by.id)
        why_not = _refused(rules, voter, vote.by)
        if voter is None or why_not:
            _lapse(session, case, vote, why_not)
        else:
            ballots.append(Ballot(vote.id, voter))
    return weigh(rules.electorate, ballots)


def rejections(session: Session, case: Case) -> int:
    """How many people reject it; whoever may no longer decide lapses."""
    rules, people = case.rules, set()
    for vote in votes.in_force(session, case.request.id):
        if vote.verb is not Verb.REJECT:
            continue
        voter = case.voter(session, vote.by.id)
        if voter is None or (why_not := why_not_reject(rules.electorate, voter, Assurance.FRESH)):
            _lapse(session, case, vote, why_not if voter else f"{vote.by.name} is nobody Assent knows.")
        else:
            people.add(voter.own.mailbox)
    return len(people)


def voted_before(session: Session, case: Case, voter: Voter | None, decision: Decision, others: list[Vote]) -> str:
    """Why a second vote of the same person does not count; the opposite one replaces the first."""
    if voter is None:
        return ""
    for vote in others:
        known = case.voter(session, vote.by.id)
        if vote.id == decision.id or known is None or known.own.mailbox != voter.own.mailbox:
            continue
        if vote.by.id != decision.by.id:
            return f"{vote.by.name} voted on it, and is the same person: one mailbox is one voice."
        if vote.verb is decision.verb:
            return f"{vote.by.name} has {_DONE[vote.verb]} it before; one person is one voice."
        _lapse(session, case, vote, f"{vote.by.name} changed their mind.")
    return ""


def _lapse(session: Session, case: Case, vote: Vote, why: str) -> None:
    votes.lapse(session, vote.id, why)
    body: dict[str, Json] = {"approval": case.request.id, "vote": vote.id, "by": vote.by.name, "why": why}
    note(session, case, "approval.lapsed", body)


def _refused(rules: ApprovalRules, voter: Voter | None, by: Actor) -> str:
    """Why somebody's approval counts no more, however sure it was that it was they."""
    if voter is None:
        return f"{by.name} is nobody who may decide."
    return why_not_approve(rules.electorate, voter, Assurance.FRESH)

"""How the vote on a request stands: who is still needed, what time brings, and what one person may do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.actions import ActionStatus
from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.approving import Agenda, ApprovalRules, Silence, StepKind
from assent.domain.ballots import Ballot, weigh
from assent.domain.errors import NotFound
from assent.domain.people import Actor, Assurance
from assent.domain.voting import in_whose_name, in_words, why_not_approve, why_not_reject
from assent.store import electorate, votes
from assent.store.tables import ActionRow, ApprovalRow


@dataclass(frozen=True, slots=True)
class VoteNow:
    """A vote in force.

    Attributes:
        id: The decision's id.
        verb: Approve or reject.
        by: Who gave it.
        at: When.
        counts_for: Who it counts as, in words, ``finance``; empty if it counts for nothing that is needed.
        in_the_name_of: The person they stand in for; empty if it is their own vote.
    """

    id: str
    verb: Verb
    by: Actor
    at: datetime
    counts_for: str
    in_the_name_of: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """What time brings next.

    Attributes:
        at: When.
        kind: A reminder or an escalation.
        to: Who is asked as well then.
    """

    at: datetime
    kind: StepKind
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the vote stands.

    Attributes:
        needed: How many people must approve.
        given: How many of them have.
        needs: Who must approve and who must not, one sentence.
        missing: Who is still needed, a phrase; empty if nobody is.
        deny: Rejections that reject it.
        against: Rejections in force.
        votes: In force, oldest first.
        because: Why it needs more than usual, one sentence each.
        veto: It runs unless somebody objects.
        silence: What happens when nobody decides in time.
        silence_words: The same, one sentence.
        ends_at: When the time is up; with ``hold`` it goes on waiting then.
        silent_at: When it was up the first time.
        next: What time brings before that; ``None`` if nothing.
        assurance: How sure it must be who decides.
        edit: Approvers may change arguments.
        opened: It must be opened before it can be approved.
    """

    needed: int
    given: int
    needs: str
    missing: str
    deny: int
    against: int
    votes: tuple[VoteNow, ...]
    because: tuple[str, ...]
    veto: bool
    silence: Silence
    silence_words: str
    ends_at: datetime
    silent_at: datetime | None
    next: NextStep | None
    assurance: Assurance
    edit: bool
    opened: bool


@dataclass(frozen=True, slots=True)
class MayDo:
    """What one person may do about a request; empty means that they may.

    Attributes:
        why_not_approve: Why they may not approve, one sentence.
        why_not_reject: Why they may not reject, or object.
        vote: Their vote in force; ``None`` if they have none.
        may_take_back: They may take it back.
        in_the_name_of: Whom they would stand in for; empty if they vote themselves.
    """

    why_not_approve: str
    why_not_reject: str
    vote: Verb | None
    may_take_back: bool
    in_the_name_of: str


def standing(session: Session, approval_id: str, at: datetime) -> Standing:
    """How the vote on a request stands now.

    Raises:
        NotFound: There is no such request.
    """
    row = _row(session, approval_id)
    rules = electorate.rules_of(row)
    found = votes.in_force(session, approval_id)
    ballots = []
    for vote in found:
        voter = electorate.voter_on(session, row, vote.by.id, at) if vote.verb is Verb.APPROVE else None
        if voter is not None and not why_not_approve(rules.electorate, voter, Assurance.FRESH):
            ballots.append(Ballot(vote.id, voter))
    tally = weigh(rules.electorate, ballots)
    words = {need.token: need.words for need in rules.electorate.needs}
    counted = {each.ballot: each for each in tally.counted}
    people = {ballot.id: ballot.voter.own.person for ballot in ballots}
    shown = []
    for vote in found:
        each = counted.get(vote.id)
        lent = each is not None and each.authority.person != people[vote.id]
        shown.append(
            VoteNow(
                id=vote.id,
                verb=vote.verb,
                by=vote.by,
                at=vote.at,
                counts_for=words.get(each.token, each.token) if each else "",
                in_the_name_of=each.authority.name if each and lent else "",
            )
        )
    open_still = row.status == ApprovalStatus.PENDING.value
    return Standing(
        needed=rules.electorate.size,
        given=len(tally.counted),
        needs=rules.needs_words,
        missing=in_words(tally.missing) if tally.missing and open_still else "",
        deny=rules.electorate.deny,
        against=sum(vote.verb is Verb.REJECT for vote in found),
        votes=tuple(shown),
        because=rules.because,
        veto=rules.electorate.veto,
        silence=rules.silence,
        silence_words=rules.silence_words,
        ends_at=row.expires_at,
        silent_at=row.silent_at,
        next=_next(row, rules) if open_still else None,
        assurance=rules.electorate.assurance,
        edit=rules.edit,
        opened=rules.opened,
    )


def may_do(session: Session, approval_id: str, person_id: str, assurance: Assurance, at: datetime) -> MayDo:
    """What one person may do about a request now.

    Args:
        session: For the request and the person.
        approval_id: The request.
        person_id: The person.
        assurance: How sure it is that it is they; :attr:`Assurance.FRESH` leaves that question out.
        at: When.

    Raises:
        NotFound: There is no such request.
    """
    row = _row(session, approval_id)
    rules = electorate.rules_of(row)
    voter = electorate.voter_on(session, row, person_id, at)
    mine = [vote for vote in votes.in_force(session, approval_id) if vote.by.id == person_id]
    if voter is None:
        nobody = "Only people whom Assent knows may decide."
        return MayDo(nobody, nobody, None, may_take_back=False, in_the_name_of="")
    status = session.execute(
        select(col(ActionRow.status)).where(col(ActionRow.action_id) == row.action_id)
    ).scalar_one_or_none()
    return MayDo(
        why_not_approve=why_not_approve(rules.electorate, voter, assurance),
        why_not_reject=why_not_reject(rules.electorate, voter, assurance),
        vote=mine[-1].verb if mine else None,
        may_take_back=bool(mine) and status in (ActionStatus.AWAITING.value, ActionStatus.HELD.value),
        in_the_name_of=lent.name if (lent := in_whose_name(rules.electorate, voter)) else "",
    )


def _next(row: ApprovalRow, rules: ApprovalRules) -> NextStep | None:
    steps = Agenda.model_validate(row.agenda).steps if row.agenda else ()
    if steps:
        return NextStep(steps[0].at, steps[0].kind, tuple(who.words for who in steps[0].to))
    if rules.silence is Silence.ESCALATE and row.silent_at is None:
        return NextStep(row.expires_at, StepKind.ESCALATE, tuple(who.words for who in rules.last_resort))
    return None


def _row(session: Session, approval_id: str) -> ApprovalRow:
    row = session.get(ApprovalRow, approval_id)
    if row is None:
        raise NotFound(
            f"There is no approval request {approval_id!r}.",
            where="approval_id",
            todo="`assent approval list` shows the requests that wait.",
        )
    return row

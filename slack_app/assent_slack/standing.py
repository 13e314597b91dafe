"""How a request stands: everything that its copies and the notes on it tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from assent.domain.approvals import ApprovalStatus
from assent.domain.approving import ApprovalRules
from assent.domain.checks import Check
from assent.domain.errors import NotFound
from assent.domain.people import Actor, Assurance
from assent.domain.talk import Comment
from assent.gateway.authority import grants_allowed
from assent.store import checks, comments, electorate, people, plan_approvals
from assent.store.people import Person
from assent.store.queries import approvals, revisions
from assent.store.queries.approvals import ApprovalView
from assent.store.queries.checks_shown import as_request
from assent.store.queries.revisions import RevisionView
from assent.store.tables import ApprovalRow, DecisionRow


@dataclass(frozen=True, slots=True)
class Vote:
    """A decision that reached the run.

    Attributes:
        id: Its id.
        verb: ``approve``, ``reject`` or ``withdraw``.
        by: Who.
        at: When.
        reason: Why.
        counted: Whether it counted.
        lapsed: Whether it counted once and does no more.
        why_lapsed: Why.
    """

    id: str
    verb: str
    by: Actor
    at: datetime
    reason: str
    counted: bool
    lapsed: bool
    why_lapsed: str

    @property
    def in_force(self) -> bool:
        """It counts now."""
        return self.counted and not self.lapsed


@dataclass(frozen=True, slots=True)
class Standing:
    """A request, and what people did about it.

    Attributes:
        view: The request.
        rules: How it is decided.
        asked: Who may approve it now, by name; nobody once it is closed.
        revisions: Every revision, the agent's own first.
        comments: What was written about it, oldest first.
        votes: What people decided, oldest first.
        grants: The card lets people approve alike ones from now on.
        planned: Its run has a plan of several steps, which can be approved as a whole.
        check: The seeded check that it is, shown to one person alone; ``None`` for a request.
    """

    view: ApprovalView
    rules: ApprovalRules = field(default_factory=ApprovalRules)
    asked: tuple[Person, ...] = ()
    revisions: tuple[RevisionView, ...] = ()
    comments: tuple[Comment, ...] = ()
    votes: tuple[Vote, ...] = ()
    grants: bool = False
    planned: bool = False
    check: Check | None = None

    @property
    def pending(self) -> bool:
        """It waits for a decision."""
        return self.view.status is ApprovalStatus.PENDING

    @property
    def veto(self) -> bool:
        """It runs unless somebody objects."""
        return self.rules.electorate.veto

    @property
    def a_click_is_enough(self) -> bool:
        """Whether a click in Slack can decide it."""
        return Assurance.SLACK.is_enough_for(self.rules.electorate.assurance)

    def asks(self, person_id: str) -> bool:
        """Whether somebody may approve it now."""
        return any(person.id == person_id for person in self.asked)


def standing(session: Session, approval_id: str, at: datetime) -> Standing:
    """How a request stands now.

    Raises:
        NotFound: There is no such request.
    """
    view = approvals.one(session, approval_id)
    row = session.get(ApprovalRow, approval_id)
    assert row is not None
    pending = view.status is ApprovalStatus.PENDING
    return Standing(
        view,
        electorate.rules_of(row),
        electorate.asked_people(session, approval_id, at) if pending else (),
        revisions.of_request(session, approval_id),
        comments.of_request(session, approval_id),
        _votes(session, approval_id),
        grants=pending and grants_allowed(session, view.agent, view.type),
        planned=pending and plan_approvals.has_plan(session, view.run_id),
    )


def check_standing(session: Session, check_id: str, at: datetime) -> Standing:
    """How a seeded check stands now, as a request like it would: one person is asked.

    Raises:
        NotFound: There is no such check.
    """
    check = checks.by_id(session, check_id)
    if check is None:
        raise NotFound(f"There is no approval request {check_id!r}.", where="approval_id")
    view, person = as_request(session, check), people.one(session, check.person_id)
    pending = view.status is ApprovalStatus.PENDING
    asked = pending and electorate.would_be_asked(session, check.rules.electorate, check.person_id, at)
    return Standing(
        view,
        check.rules,
        (person,) if person is not None and asked else (),
        grants=pending and grants_allowed(session, view.agent, view.type),
        planned=pending and plan_approvals.has_plan(session, view.run_id),
        check=check,
    )


def _votes(session: Session, approval_id: str) -> tuple[Vote, ...]:
    rows = session.execute(select(DecisionRow).where(col(DecisionRow.approval_id) == approval_id)).scalars()
    votes = [
        Vote(
            id=row.id,
            verb=row.verb,
            by=Actor.model_validate(row.actor),
            at=row.at,
            reason=row.reason,
            counted=row.counted,
            lapsed=row.lapsed,
            why_lapsed=row.why_lapsed,
        )
        for row in rows
    ]
    return tuple(sorted(votes, key=lambda vote: (vote.at, vote.id)))


def times_taken_back(session: Session, approval_id: str, person_id: str) -> int:
    """How often somebody took an approval of a request back."""
    votes = _votes(session, approval_id)
    return sum(vote.by.id == person_id and vote.verb == "withdraw" and vote.counted for vote in votes)

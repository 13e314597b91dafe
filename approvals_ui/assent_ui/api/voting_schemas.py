"""What goes in and out of the API about votes, who else decides, and who is away."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, Field

from assent.domain.approvals import ApprovalStatus, Verb
from assent.domain.approving import Silence, StepKind
from assent.domain.people import Actor, Assurance
from assent_ui.api.schemas import In, Out, Told


class VoteNowOut(Out):
    """A vote in force; `counts_for` is empty if it counts for nothing that is needed."""

    id: str
    verb: Verb
    by: Actor
    at: datetime
    counts_for: str
    in_the_name_of: str


class NextStepOut(Out):
    """What time brings next, and who is asked as well then."""

    at: datetime
    kind: StepKind
    to: list[str]


class StandingOut(Out):
    """How the vote on a request stands."""

    needed: int = Field(description="How many people must approve.")
    given: int = Field(description="How many of them have.")
    needs: str = Field(description="Who must approve and who must not, in words.")
    missing: str = Field(description="Who is still needed, in words; empty if nobody is.")
    deny: int = Field(description="How many rejections reject it.")
    against: int
    votes: list[VoteNowOut]
    because: list[str] = Field(description="Why it needs more than usual.")
    veto: bool = Field(description="It runs unless somebody objects.")
    silence: Silence
    silence_words: str
    ends_at: datetime
    silent_at: datetime | None
    next: NextStepOut | None
    assurance: Assurance
    edit: bool
    opened: bool


class MayDoOut(Out):
    """What the person who asks may do; an empty sentence means that they may."""

    why_not_approve: str
    why_not_reject: str
    vote: Verb | None
    may_take_back: bool
    in_the_name_of: str


class StandingForYou(StandingOut):
    """How the vote stands, and what the person who asks may do about it; `you` is null for an agent."""

    you: MayDoOut | None


class FateOut(Out):
    """What became of a decision that reached its run. `status` is the request's by now."""

    counted: bool
    why_not: str
    lapsed: bool
    why_lapsed: str
    status: ApprovalStatus


class HandOnIn(In):
    """Who is to decide: a person's id or address. `from_person` is whose place it is, if not your own."""

    to: str = Field(min_length=1, max_length=260)
    from_person: str | None = Field(default=None, max_length=260)
    reason: str = Field(default="", max_length=500)


class AskAlsoIn(In):
    """Who else is to be asked: a person's id or address."""

    to: str = Field(min_length=1, max_length=260)
    reason: str = Field(default="", max_length=500)


class HandedOut(Out):
    """Who decides now."""

    approval_id: str
    to: str
    check: Told = None


class AbsenceIn(In):
    """An absence. `person` is yourself if left out; entering somebody else's needs the role admin."""

    person: str | None = Field(default=None, max_length=260, description="Id or address.")
    delegate: str | None = Field(default=None, max_length=260, description="Id or address of who stands in.")
    starts_at: AwareDatetime | None = Field(default=None, description="Now, if left out.")
    ends_at: AwareDatetime
    note: str = Field(default="", max_length=200)


class AbsenceOut(Out):
    """A time in which somebody is away, and who decides in their place."""

    id: str
    person_id: str
    delegate_id: str | None
    starts_at: datetime
    ends_at: datetime
    note: str
    created_at: datetime

"""What goes in and out of the API. These types are HTTP's own: neither messages nor tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assent.domain import checks
from assent.domain.actions import ActionStatus, Reason
from assent.domain.approvals import ApprovalStatus, RequestCard, Verb
from assent.domain.checks import CheckStatus
from assent.domain.labels import Labels
from assent.domain.pauses import Disposition, PausePhase, ScopeKind
from assent.domain.people import Actor, Role
from assent.domain.runs import OnFailure, RunStatus
from assent.domain.tiers import Tier

Json = Any
Item = TypeVar("Item")

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")]


class In(BaseModel):
    """A request body; what is not known is refused, so that a mistyped field is noticed."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """A response body."""

    model_config = ConfigDict(from_attributes=True)


class Page(Out, Generic[Item]):
    """One page of a list. Ask for the next one with `cursor=next_cursor`; on the last page it is null."""

    items: list[Item]
    next_cursor: str | None = None


class ActionIn(In):
    """An action that an agent proposes.

    `key` names it within its run and makes it safe to send again: the same key gives what became of it. Without one
    it is made up, and then a repeated request is a second action.
    """

    type: str = Field(min_length=1, max_length=80, examples=["shop.refund_order"])
    arguments: dict[str, Json] = Field(default_factory=dict, examples=[{"order_id": "W1", "amount": 45.0}])
    reason: str = Field(default="", max_length=10_000, description="Why, in the agent's own words; shown to approvers.")
    key: Key | None = None
    instead_of: Key | None = Field(
        default=None, description="Key of an action of the run that was refused or rejected, which this one replaces."
    )


class PlannedActionIn(In):
    """An action of a plan; `{"$ref": "key.path"}` in its arguments stands for an earlier result."""

    key: Key
    type: str = Field(min_length=1, max_length=80)
    arguments: dict[str, Json] = Field(default_factory=dict)
    reason: str = Field(default="", max_length=10_000)
    after: list[str] | None = Field(
        default=None, description="Keys of actions that must have succeeded first; null means the one before it."
    )


class RunIn(In):
    """A run to start. Without a plan it stays open for proposals unless `open` says otherwise."""

    agent: str | None = Field(default=None, max_length=200, description="Its name; a key's own agent if left out.")
    goal: str = Field(default="", max_length=10_000)
    received: Json = Field(default=None, description="What the agent was given to start with, for the timeline.")
    plan: list[PlannedActionIn] = Field(default_factory=list, max_length=10_000)
    open: bool | None = None
    on_failure: OnFailure = OnFailure.STOP
    run_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="An id of your choice; the same id again gives the same run.",
    )
    idle_seconds: int = Field(default=86_400, ge=1, le=2_592_000)
    labels: Labels = Field(default_factory=list, description="Words by which it can be found and paused.")


class RunStarted(Out):
    """A run that was started, and where to go on."""

    run_id: str
    agent: str
    actions: str
    timeline: str
    events: str
    page: str


class RunOut(Out):
    """A run."""

    run_id: str
    agent: str
    goal: str
    received: Json
    status: RunStatus
    started_by: Actor
    started_at: datetime
    ended_at: datetime | None
    last_step: str
    last_at: datetime
    actions: int
    message: str
    labels: list[str]


class OutcomeOut(Out):
    """What became of an action so far. Unless it is settled, `wait` is where to wait for it."""

    action_id: str
    run_id: str
    key: str
    type: str
    status: ActionStatus
    settled: bool
    sentence: str
    result: Json
    message: str
    reasons: list[Reason]
    approval_id: str | None
    expires_in: timedelta | None
    edited_by: str = Field(description="Who changed the arguments last; empty if they are the agent's own.")
    arguments: dict[str, Json] | None = Field(description="What counts instead of the agent's own, if it was edited.")
    wait: str | None


class ActionOut(Out):
    """An action as people see it: secrets replaced."""

    action_id: str
    run_id: str
    key: str
    agent: str
    type: str
    arguments: dict[str, Json]
    reason: str
    sentence: str
    status: ActionStatus
    tier: Tier | None
    reasons: list[Reason]
    card_version: int
    result: Json
    message: str
    proposed_at: datetime
    settled_at: datetime | None
    approval_id: str | None
    instead_of: str
    edited_by: str


class EndIn(In):
    """The end of an open run. `stop` withdraws what still waits instead of letting it finish."""

    summary: str = Field(default="", max_length=10_000)
    stop: bool = False


class Ending(Out):
    """The run takes no more proposals."""

    run_id: str
    ending: bool = True


class EventOut(Out):
    """A ledger event."""

    id: int
    at: datetime
    kind: str
    run_id: str
    action_id: str
    agent: str
    actor: Actor
    body: dict[str, Json]


class Timeline(Out):
    """Events of a run, oldest first; go on with `after=next_after` while it is not null."""

    events: list[EventOut]
    next_after: int | None


class VoteOut(Out):
    """A decision that reached the run, and whether it counted; `digest` and `revision` say what the person saw."""

    id: str
    verb: Verb
    reason: str
    by: Actor
    at: datetime
    counted: bool
    why_not: str
    digest: str
    revision: int


class ApprovalOut(Out):
    """An approval request. A decision on it must carry its digest."""

    id: str
    action_id: str
    run_id: str
    agent: str
    type: str
    digest: str
    revision: int
    headline: str
    amount: float | None
    status: ApprovalStatus
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: Actor | None
    decision_reason: str
    card: RequestCard


class CheckOut(Out):
    """That it was a seeded check, once it is over: nothing ran of it, and nothing could have."""

    result: CheckStatus
    told: str = Field(description="What you are told of it.")
    because: str = Field(description="Why it should be refused.")
    source_id: str = Field(description="The earlier request that it was made from.")

    @classmethod
    def of(cls, check: checks.Check) -> CheckOut:
        """A check that is over."""
        title, comfort = check.told
        return cls(result=check.status, told=f"{title}. {comfort}", because=check.because, source_id=check.source_id)


Told = Annotated[
    CheckOut | None, Field(description="Null, unless it was a seeded check that you were shown and that is over.")
]


class ApprovalInFull(ApprovalOut):
    """An approval request with its votes."""

    votes: list[VoteOut]
    check: Told = None


class DecisionIn(In):
    """A verdict. `digest` is the request's: it proves that what was decided on is what was shown."""

    verdict: Verb
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    reason: str = Field(default="", max_length=4_000, description="Needed to reject; the agent is given it.")
    id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]{1,80}$",
        description="An id of your choice; sending the same one twice counts once.",
    )


class DecisionOut(Out):
    """A verdict on its way to the run; the run decides with authority whether it counts."""

    id: str
    approval_id: str
    action_id: str
    verdict: Verb
    reason: str
    by: Actor
    at: datetime
    check: Told = None


Check = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
"""A check that passed."""


class ScopeIn(In):
    """What a pause covers: everything, or something by its name (`refunds@3` for a version)."""

    kind: ScopeKind
    name: str = Field(default="", max_length=200)


class PauseIn(In):
    """A pause to begin."""

    scope: ScopeIn
    cause: str = Field(default="", max_length=4_000)
    disposition: Disposition = Disposition.FREEZE


class ScopeOut(Out):
    """What a pause covers."""

    kind: ScopeKind
    name: str


class AnswersOut(Out):
    """What whoever resumes said."""

    cause: str
    changed: str
    checks: list[str]
    at_once: bool = False


class PauseOut(Out):
    """A pause: asked for, fenced (nothing begins any more), quiesced (nothing is under way any more)."""

    id: str
    scope: ScopeOut
    active: bool
    cause: str
    requested_by: Actor
    requested_at: datetime
    fenced_at: datetime
    quiesced_at: datetime | None
    in_flight: int
    affected: int
    known_at: datetime | None
    resumed_at: datetime | None
    resumed_by: Actor | None
    resume_note: str
    disposition: Disposition
    disposition_at: datetime | None
    phase: PausePhase
    asked_to_stop_at: datetime | None
    answers: AnswersOut | None
    resume_asked_by: Actor | None
    resume_asked_at: datetime | None
    second_by: Actor | None
    stage: int
    stage_at: datetime | None
    fell_back_at: datetime | None
    fell_back_why: str
    compensated_at: datetime | None


class ResumeIn(In):
    """The end of a pause, or the wish for it where the card wants a second person."""

    cause: str = Field(default="", max_length=4_000, description="What the trouble was.")
    changed: str = Field(default="", max_length=4_000, description="What was changed.")
    checks: list[Check] = Field(default_factory=list, max_length=20, description="Which checks passed.")
    at_once: bool = Field(default=False, description="Let all runs go at the same moment, not step by step.")


class AgentOut(Out):
    """An agent with the card in force."""

    name: str
    title: str
    version: int
    updated_at: datetime
    digest: str
    published_by: str
    card: dict[str, Json]


class CountsOut(Out):
    """What an agent is doing; counts stop at 1,000."""

    running: int
    waiting: int
    held: int
    completed: int
    failed: int
    stopped: int
    pending_approvals: int


class AgentInFull(AgentOut):
    """An agent with what it is doing and its action types."""

    source: str
    catalogue: dict[str, Json]
    counts: CountsOut


class ActionTypeOut(Out):
    """Something an agent may propose: what it takes and how freely it runs."""

    agent: str
    name: str
    title: str
    sentence: str
    tier: str
    arguments: dict[str, Json]
    speed: str
    reads_only: bool
    risks: list[str]
    undo: dict[str, Json] | None


class Me(Out):
    """Who is asking. A person's scripts send `csrf` in the header `X-CSRF-Token`."""

    kind: str
    id: str
    name: str
    email: str | None = None
    roles: list[Role] = Field(default_factory=list)
    csrf: str | None = None
    agent: str | None = None
    scopes: list[str] = Field(default_factory=list)

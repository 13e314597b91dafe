"""Runs: one durable workflow each, with typed messages and state."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.actions import ActionOutcome, ProposedAction
from assent.domain.approvals import Decision
from assent.domain.canonical import Json
from assent.domain.people import Actor
from assent.domain.revisions import Edit


class RunStatus(StrEnum):
    """Where a run is in its life."""

    RUNNING = "running"
    WAITING = "waiting"
    HELD = "held"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def ended(self) -> bool:
        """Nothing more happens in it by itself."""
        return self in {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.STOPPED}


class OnFailure(StrEnum):
    """What a plan does when one of its actions does not succeed."""

    STOP = "stop"
    """Actions that depend on it are withdrawn."""
    CONTINUE = "continue"
    """Actions that only come after it run all the same; those that refer to its result are withdrawn."""


class RunHeader(BaseModel):
    """What every activity of a run is told about the run.

    Attributes:
        run_id: Id of the run and of its workflow.
        agent: Name of the agent.
        goal: What the agent was asked to do.
        received: What the agent was given to start with (a customer's message, a ticket), for the timeline.
        started_by: Who started it.
        started_at: When.
        first: This is the first activity of the run, so the run row may not exist yet.
        plan: The plan it started with, if that has several steps; told once, to the first activity.
        labels: Words by which it can be found and paused.
    """

    run_id: str
    agent: str
    goal: str = ""
    received: Json = None
    started_by: Actor
    started_at: datetime
    first: bool = False
    plan: list[ProposedAction] = Field(default_factory=list)
    labels: list[str] = Field(default_factory=list)


class AgentRunInput(BaseModel):
    """Input of the workflow ``AgentRun``.

    Attributes:
        header: The run.
        plan: Actions known from the start.
        open: Stay open for proposals until the agent ends the run.
        on_failure: What a plan does when an action does not succeed.
        idle_seconds: An open run without anything under way ends itself after this time. At most 30 days.
        carried: State carried over when the run continued as new.
    """

    header: RunHeader
    plan: list[ProposedAction] = Field(default_factory=list, max_length=10_000)
    open: bool = False
    on_failure: OnFailure = OnFailure.STOP
    idle_seconds: int = Field(default=86_400, ge=1, le=2_592_000)
    carried: CarriedState | None = None


class WaitingAction(BaseModel):
    """An action under way that is carried over when a run continues as new."""

    action: ProposedAction
    outcome: ActionOutcome
    decision: Decision | None = None
    """The approval that counted, while a pause holds the action."""
    deadline: datetime | None = None
    """When nobody can decide any more, unless a pause gives time back."""


class CarriedState(BaseModel):
    """State of a run across continue-as-new; its size is bounded by what is under way, not by what was done.

    Attributes:
        waiting: Actions that wait for a person, a pause or a long effect.
        remaining: Actions of the plan that have not started.
        results: Results that remaining actions refer to, by key.
        finished: Keys finished that remaining actions depend on, with their success.
        early: Decisions and edits that have not had their turn yet, by key of their action.
        seen: The newest message ids, oldest first, at most :data:`SEEN_LIMIT`.
        counts: Number of settled actions by status.
        ending: Why no more proposals are taken; empty if they are.
        stopped: The run was stopped rather than ended.
    """

    waiting: list[WaitingAction] = Field(default_factory=list)
    remaining: list[ProposedAction] = Field(default_factory=list)
    results: dict[str, Json] = Field(default_factory=dict)
    finished: dict[str, bool] = Field(default_factory=dict)
    early: dict[str, list[Decision | Edit]] = Field(default_factory=dict)
    seen: list[str] = Field(default_factory=list)
    counts: dict[str, int] = Field(default_factory=dict)
    ending: str = ""
    stopped: bool = False


SEEN_LIMIT = 1_000
"""Message ids a run remembers itself; older repeats are caught by the unique claim in the database."""


class RunResult(BaseModel):
    """Result of a run."""

    run_id: str
    status: RunStatus
    counts: dict[str, int] = Field(default_factory=dict)
    message: str = ""


class EndRun(BaseModel):
    """Signal: take no more proposals.

    Attributes:
        id: Unique id of the message.
        by: Who ends it.
        summary: What the agent says it achieved, or why it is stopped.
        stop: Withdraw what is waiting instead of finishing it.
    """

    id: str
    by: Actor
    summary: str = Field(default="", max_length=10_000)
    stop: bool = False


class PauseEnded(BaseModel):
    """Signal: a pause that held the run ended. The database is the authority; this only wakes the run."""

    pause_id: str


AgentRunInput.model_rebuild()

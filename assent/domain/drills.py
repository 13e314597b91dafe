"""Drills: an agent's stop and undo rehearsed on a scratch copy of it, and judged by figures."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.people import Actor
from assent.domain.words import counted, lasting

SCRATCH_PREFIX = "drill-of-"
"""Start of the name of every scratch agent; no card that people publish may have such a name."""

SCRATCH_SYSTEM = "drill"
"""First part of the names of scratch action types; no connector may have this name."""

MOST_APART = timedelta(days=92)
"""Drills are held at least once a quarter."""

_AGENT_PART = 40


def is_scratch(agent: str) -> bool:
    """Whether an agent is the scratch copy of a drill."""
    return agent.startswith(SCRATCH_PREFIX)


def scratch_name(agent: str, drill_id: str) -> str:
    """Name of the scratch copy that a drill makes of an agent, at most 60 characters."""
    return f"{SCRATCH_PREFIX}{agent[:_AGENT_PART].rstrip('-')}-{drill_id.rpartition('-')[2][:8]}"


def drill_workflow_id(prefix: str) -> str:
    """Id of the workflow of the one drill that an installation may hold at a time, by its prefix of task queues."""
    return f"{prefix}-drill"


class DrillStatus(StrEnum):
    """The life of a drill."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"


class DrillStep(StrEnum):
    """What a drill does, in this order; the last one is always done."""

    PREPARE = "prepare"
    START = "start"
    PAUSE = "pause"
    QUIESCE = "quiesce"
    PROVE = "prove"
    ROLL_BACK = "roll_back"
    COMPARE = "compare"
    RESUME = "resume"
    CLEAN_UP = "clean_up"

    @property
    def words(self) -> str:
        """What it does, in words."""
        return _TITLES[self]


_TITLES = {
    DrillStep.PREPARE: "Make a scratch agent and its records",
    DrillStep.START: "Start runs and let them act",
    DrillStep.PAUSE: "Pause the scratch agent",
    DrillStep.QUIESCE: "Wait until nothing is under way",
    DrillStep.PROVE: "Try to act behind the fence",
    DrillStep.ROLL_BACK: "Roll back what was done",
    DrillStep.COMPARE: "Compare the records with the start",
    DrillStep.RESUME: "Resume, and see the runs go on",
    DrillStep.CLEAN_UP: "End the runs and clear up",
}

REHEARSAL = tuple(step for step in DrillStep if step is not DrillStep.CLEAN_UP)
"""The steps that end at the first one that cannot be done."""


class DrillTerms(BaseModel):
    """What a drill has to keep to, as the card said when it began.

    Attributes:
        every: At most this much time lies between two drills.
        fenced_within: From asking to pause until no effect can begin.
        quiesced_within: From then until the last effect under way has ended.
        runs: Live runs, 1 to 20.
    """

    every: timedelta = timedelta(days=90)
    fenced_within: timedelta = timedelta(seconds=5)
    quiesced_within: timedelta = timedelta(seconds=60)
    runs: int = Field(default=4, ge=1, le=20)


class DrillRequest(BaseModel):
    """Input of the workflow ``Drill``.

    Attributes:
        drill_id: Id of its record.
        agent: The agent whose stop is rehearsed.
        by: Who asked for it.
        scheduled: It was due, and nobody asked.
        requested_at: When.
    """

    drill_id: str
    agent: str
    by: Actor
    scheduled: bool = False
    requested_at: datetime

    @property
    def scratch(self) -> str:
        """Name of its scratch agent."""
        return scratch_name(self.agent, self.drill_id)

    def run_id(self, number: int) -> str:
        """Id of one of its runs, counted from 1."""
        return f"{self.drill_id}-run-{number}"


class DrillStepRequest(BaseModel):
    """Input of the activity ``drill_step``.

    Attributes:
        drill: The drill.
        step: What to do.
        broken_off: Why an earlier step could not be done; empty if all were.
    """

    drill: DrillRequest
    step: DrillStep
    broken_off: str = ""


class StepDone(BaseModel):
    """A step that a drill has begun, and perhaps ended.

    Attributes:
        step: Which one.
        began_at: When.
        ended_at: When; ``None`` while it goes on.
        words: What came of it, one sentence.
    """

    step: DrillStep
    began_at: datetime
    ended_at: datetime | None = None
    words: str = ""


class DrillFigures(BaseModel):
    """What a drill measured; ``None`` where it did not get so far. Times in seconds.

    Attributes:
        runs: Live runs at the pause.
        records: Scratch records.
        effects: Effects done before they were rolled back.
        in_flight: Effects under way at the moment of the fence.
        requested_at: When the pause was asked for.
        fenced_at: From when on no effect could begin.
        quiesced_at: When the last effect under way had ended.
        fence_seconds: From requested to fenced.
        quiesce_seconds: From fenced to quiesced.
        tries: Actions that tried to begin behind the fence.
        slipped: Effects that began behind the fence.
        undone: Effects rolled back.
        left: Effects that could not be rolled back.
        rollback_seconds: How long that took.
        differing: Records that were not as at the start afterwards.
        resumed_at: When the pause ended.
        held: Runs that the pause held when it ended.
        went_on: Those of them that went on.
    """

    runs: int | None = None
    records: int | None = None
    effects: int | None = None
    in_flight: int | None = None
    requested_at: datetime | None = None
    fenced_at: datetime | None = None
    quiesced_at: datetime | None = None
    fence_seconds: float | None = None
    quiesce_seconds: float | None = None
    tries: int | None = None
    slipped: int | None = None
    undone: int | None = None
    left: int | None = None
    rollback_seconds: float | None = None
    differing: int | None = None
    resumed_at: datetime | None = None
    held: int | None = None
    went_on: int | None = None


def judge(figures: DrillFigures, terms: DrillTerms, *, broken_off: str = "") -> list[str]:
    """Why a drill failed, a sentence each; empty if it passed."""
    reasons = [f"It broke off: {broken_off}"] if broken_off else []
    reasons += _too_slow("The fence stood", figures.fence_seconds, terms.fenced_within)
    reasons += _too_slow("Effects under way ended", figures.quiesce_seconds, terms.quiesced_within)
    if figures.slipped:
        reasons.append(f"{counted(figures.slipped, 'effect')} began behind the fence.")
    if figures.left:
        reasons.append(f"{counted(figures.left, 'effect')} could not be rolled back.")
    if figures.differing:
        reasons.append(f"{counted(figures.differing, 'record')} did not become what they were at the start.")
    if figures.held is not None and figures.went_on is not None and figures.went_on < figures.held:
        reasons.append(f"{figures.held - figures.went_on} of {counted(figures.held, 'held run')} did not go on.")
    missing = [
        words
        for words, value in (
            ("how fast it fenced", figures.fence_seconds),
            ("how fast it came to rest", figures.quiesce_seconds),
            ("whether the fence holds", figures.slipped),
            ("what the rollback did", figures.undone),
            ("whether the records are as before", figures.differing),
            ("whether runs go on", figures.went_on),
        )
        if value is None
    ]
    if missing and not broken_off:
        reasons.append(f"It did not learn {', '.join(missing)}.")
    return reasons


def _too_slow(what: str, seconds: float | None, within: timedelta) -> list[str]:
    if seconds is None or seconds <= within.total_seconds():
        return []
    return [f"{what} after {seconds:.2f} s; the card allows {within.total_seconds():g} s."]


def scheduled_from(due: datetime, every: timedelta) -> datetime:
    """When a drill that is due is run by itself: a tenth of its time ahead, a week at most."""
    return due - min(every / 10, timedelta(days=7))


class DrillStanding(BaseModel):
    """Where an agent stands with its drills.

    Attributes:
        agent: The agent.
        every: At most this much time between two; ``None`` where its card asks for none.
        automatic: They are run by themselves when they are due.
        block_live: While it is overdue, or the last one failed, no version with automatic tiers may go live.
        last_id: The last one that ended; empty if there was none.
        last_status: How it ended.
        last_at: When it began.
        passed_at: When the last one that passed began.
        due_at: When the next one is due; ``None`` where the card asks for none.
        overdue: That is past.
    """

    agent: str
    every: timedelta | None = None
    automatic: bool = True
    block_live: bool = False
    last_id: str = ""
    last_status: DrillStatus | None = None
    last_at: datetime | None = None
    passed_at: datetime | None = None
    due_at: datetime | None = None
    overdue: bool = False

    @property
    def wrong(self) -> str:
        """What is wrong with it, one sentence; empty if nothing is."""
        if self.last_status is DrillStatus.FAILED:
            return f"Its last stop drill ({self.last_id}) failed."
        if self.overdue and self.every is not None:
            since = f"the last that passed was on {self.passed_at:%-d %B %Y}" if self.passed_at else "none has passed"
            return f"Its stop drill is overdue: one is to pass every {lasting(self.every)}, and {since}."
        return ""


def standing_of(standing: DrillStanding, *, first_published_at: datetime, now: datetime) -> DrillStanding:
    """Fill in when the next drill is due: ``every`` after the last that passed, or after the agent's first card."""
    if standing.every is None:
        return standing
    due = (standing.passed_at or first_published_at) + standing.every
    return standing.model_copy(update={"due_at": due, "overdue": now > due})


class DueDrills(BaseModel):
    """The drills that are due now."""

    drills: list[DrillRequest] = Field(default_factory=list)

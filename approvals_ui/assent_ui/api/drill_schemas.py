"""What goes in and out of the API about drills."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from assent.domain.drills import DrillFigures, DrillStanding, DrillStatus, DrillStep
from assent.domain.people import Actor
from assent.store.queries.drills import DrillView
from assent_ui.api.schemas import In, Out


class DrillIn(In):
    """An agent whose stop and undo are to be rehearsed."""

    agent: str = Field(max_length=60)


class DrillStarted(Out):
    """A drill that began."""

    drill_id: str
    drill: str = Field(description="Its address.")


class DrillOut(Out):
    """A drill; times in seconds."""

    id: str
    agent: str
    status: DrillStatus
    scheduled: bool = Field(description="It was due, and nobody asked for it.")
    requested_by: Actor
    started_at: datetime
    ended_at: datetime | None
    figures: DrillFigures
    reasons: list[str] = Field(description="Why it failed, a sentence each.")

    @classmethod
    def of(cls, drill: DrillView) -> DrillOut:
        """What the store knows, for HTTP."""
        return cls.model_validate(_content(drill))


class StepOut(Out):
    """A step of a drill."""

    step: DrillStep
    words: str = Field(description="What the step does.")
    began_at: datetime
    ended_at: datetime | None
    came_of_it: str


class TermsOut(Out):
    """What a drill has to keep to, in seconds."""

    fenced_within: float
    quiesced_within: float
    runs: int


class DrillInFull(DrillOut):
    """A drill with every step, and where its traces are."""

    scratch: str = Field(description="The scratch agent; its runs are those of this agent.")
    pause_id: str
    rollback_id: str
    terms: TermsOut
    steps: list[StepOut]

    @classmethod
    def of(cls, drill: DrillView) -> DrillInFull:
        """What the store knows, for HTTP."""
        terms = TermsOut(
            fenced_within=drill.terms.fenced_within.total_seconds(),
            quiesced_within=drill.terms.quiesced_within.total_seconds(),
            runs=drill.terms.runs,
        )
        steps = [
            StepOut(
                step=each.step,
                words=each.step.words,
                began_at=each.began_at,
                ended_at=each.ended_at,
                came_of_it=each.words,
            )
            for each in drill.steps
        ]
        more = {"scratch": drill.scratch, "pause_id": drill.pause_id, "rollback_id": drill.rollback_id}
        return cls.model_validate({**_content(drill), **more, "terms": terms, "steps": steps})


class StandingOut(Out):
    """Where an agent stands with its drills."""

    agent: str
    every_seconds: float | None = Field(description="At most this much time between two; null where no card asks.")
    automatic: bool
    block_live: bool
    last_id: str
    last_status: DrillStatus | None
    last_at: datetime | None
    passed_at: datetime | None
    due_at: datetime | None
    overdue: bool
    wrong: str = Field(description="What is wrong with it, one sentence; empty if nothing is.")

    @classmethod
    def of(cls, standing: DrillStanding) -> StandingOut:
        """What the store knows, for HTTP."""
        every = standing.every.total_seconds() if standing.every else None
        given = standing.model_dump(exclude={"every"})
        return cls.model_validate({**given, "every_seconds": every, "wrong": standing.wrong})


class StandingsOut(Out):
    """Every agent whose card asks for drills, by name."""

    items: list[StandingOut]


def _content(drill: DrillView) -> dict[str, object]:
    names = ("id", "agent", "status", "scheduled", "requested_by", "started_at", "ended_at", "figures")
    return {**{name: getattr(drill, name) for name in names}, "reasons": list(drill.reasons)}

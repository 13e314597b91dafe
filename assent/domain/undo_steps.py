"""Steps of a rollback: what a preview says of each effect, what came of it, and a person's word on what was left."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.effects import ResourceChange, UndoStatus
from assent.domain.people import MAX_REASON, Actor
from assent.domain.undo_kinds import UndoKind

MAX_EVIDENCE = 2_000
"""Characters of the evidence that a person gives for what they did by hand: a link, a reference, a name."""


class Undoable(StrEnum):
    """What a preview says of one effect."""

    YES = "yes"
    ALREADY = "already"
    NOTHING = "nothing"
    NO = "no"
    TOO_LATE = "too_late"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"

    @property
    def needs_nothing(self) -> bool:
        """Whether there is nothing to take back, by anybody."""
        return self in (Undoable.ALREADY, Undoable.NOTHING)


class StepOutcome(StrEnum):
    """What has come of a step of a rollback, as it is counted."""

    OPEN = "open"
    """Not tried yet, or to be tried again."""
    UNDONE = "undone"
    LEFT = "left"
    """It needs a person."""
    SETTLED = "settled"
    """A person did it by hand, or accepted it as it is."""
    SKIPPED = "skipped"
    """There was nothing to take back."""


class LaterWork(BaseModel):
    """Work of an agent on a record after the effect that is to be taken back.

    Attributes:
        resource: The record.
        action_id: The action.
        run_id: Its run.
        agent: Its agent.
        sentence: What it did.
        at: When it was finished.
        in_plan: The rollback takes it back as well, or tries to.
    """

    resource: str
    action_id: str
    run_id: str
    agent: str
    sentence: str
    at: datetime
    in_plan: bool = False


class SettledHow(StrEnum):
    """How a person closed a step that could not be undone."""

    BY_HAND = "by_hand"
    ACCEPTED = "accepted"


class Settled(BaseModel):
    """A person's word on a step that was left for them.

    Attributes:
        how: Done by hand, or accepted as it is.
        by: Who.
        at: When.
        note: What they did, or why it may stay; never empty.
        evidence: Where it can be seen: a link, a reference.
    """

    how: SettledHow
    by: Actor
    at: datetime
    note: str = Field(min_length=1, max_length=MAX_REASON)
    evidence: str = Field(default="", max_length=MAX_EVIDENCE)


class UndoStep(BaseModel):
    """One effect in a rollback's preview or result.

    Attributes:
        action_id: The action whose effect it is.
        sentence: What the action did.
        undo: How it is taken back, in words.
        verdict: Whether it can be.
        why: Why it cannot, or what conflicts.
        changes: What taking it back changes, as far as known.
        status: What came of it; ``None`` in a preview, and as long as it was not tried.
        run_id: The action's run.
        agent: The action's agent.
        type: The action's type.
        done_at: When the effect was finished; ``None`` while that is not known.
        kind: How it is taken back; ``None`` if it cannot be.
        amount: Money it moved; ``None`` if it moved none.
        currency: Code of its currency; empty if it is not known.
        reaches: How many it reached, by unit: ``{"recipients": 3}``.
        task: What a person does where Assent cannot: the runbook, or what to look at.
        later: Work of agents on the same records since, the nearest first, one for each record.
        added: It is outside of the scope, and taken back first because something in scope cannot be without.
        settled: A person's word, where it was left for one.
    """

    action_id: str
    sentence: str
    undo: str = ""
    verdict: Undoable
    why: str = ""
    changes: list[ResourceChange] = Field(default_factory=list)
    status: UndoStatus | None = None
    run_id: str = ""
    agent: str = ""
    type: str = ""
    done_at: datetime | None = None
    kind: UndoKind | None = None
    amount: float | None = None
    currency: str = ""
    reaches: dict[str, float] = Field(default_factory=dict)
    task: str = ""
    later: list[LaterWork] = Field(default_factory=list)
    added: bool = False
    settled: Settled | None = None

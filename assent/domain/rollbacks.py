"""Rollbacks: taking effects back, previewed first, newest first."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.effects import ResourceChange, UndoStatus
from assent.domain.people import MAX_REASON, Actor


class RollbackScopeKind(StrEnum):
    """What is rolled back."""

    ACTION = "action"
    RUN = "run"


class RollbackScope(BaseModel):
    """A scope and the id of the action or run."""

    kind: RollbackScopeKind
    id: str = Field(min_length=1, max_length=200)


class Undoable(StrEnum):
    """What a preview says of one effect."""

    YES = "yes"
    ALREADY = "already"
    NOTHING = "nothing"
    NO = "no"
    TOO_LATE = "too_late"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


class UndoStep(BaseModel):
    """One effect in a rollback's preview or result.

    Attributes:
        action_id: The action whose effect it is.
        sentence: What the action did.
        undo: How it is taken back, in words.
        verdict: Whether it can be.
        why: Why it cannot, or what conflicts.
        changes: What taking it back changes, as far as known.
        status: What came of it; ``None`` in a preview.
    """

    action_id: str
    sentence: str
    undo: str = ""
    verdict: Undoable
    why: str = ""
    changes: list[ResourceChange] = Field(default_factory=list)
    status: UndoStatus | None = None


class RollbackRequest(BaseModel):
    """Input of the workflows ``Rollback`` and ``PreviewRollback``."""

    rollback_id: str
    scope: RollbackScope
    by: Actor
    reason: str = Field(default="", max_length=MAX_REASON)
    requested_at: datetime


class RollbackPlan(BaseModel):
    """A preview: every effect in scope, newest first."""

    rollback_id: str
    scope: RollbackScope
    steps: list[UndoStep]

    @property
    def to_undo(self) -> int:
        """How many effects will be undone."""
        return sum(step.verdict is Undoable.YES for step in self.steps)


class RollbackStatus(StrEnum):
    """The life of a rollback; a preview never becomes anything else."""

    PREVIEW = "preview"
    RUNNING = "running"
    DONE = "done"
    NEEDS_PERSON = "needs_person"


class RollbackResult(BaseModel):
    """How a rollback ended; steps that need a person have a status other than undone."""

    rollback_id: str
    status: RollbackStatus
    undone: int
    left: int

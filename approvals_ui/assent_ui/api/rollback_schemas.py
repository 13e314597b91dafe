"""What goes in and out of the API about rollbacks."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, Field

from assent.domain.people import MAX_REASON, Actor
from assent.domain.rollback_approval import RollbackRules, RollbackVerb, RollbackVote
from assent.domain.rollback_scopes import RollbackScope, RollbackScopeKind
from assent.domain.rollbacks import MAX_ORDINALS, RollbackStatus, RollbackTotals
from assent.domain.undo_steps import MAX_EVIDENCE, SettledHow, StepOutcome, UndoStep
from assent_ui.api.schemas import In, Out


class RollbackScopeIn(In):
    """What is rolled back; `since` is needed for an agent, a version and a type, and is the first moment in scope."""

    kind: RollbackScopeKind
    id: str = Field(min_length=1, max_length=200, examples=["run-0123456789ab", "refunds@3", "shop/orders/W1"])
    since: AwareDatetime | None = Field(
        default=None, description="Effects finished from then on; those of an incident, without it, since it began."
    )
    until: AwareDatetime | None = Field(default=None, description="Effects finished before then; until now without.")
    with_later: bool = Field(
        default=False, description="Take later work on the same records back first, where that is in the way."
    )

    def scope(self) -> RollbackScope:
        """As the domain has it."""
        return RollbackScope(**self.model_dump())


class RollbackIn(In):
    """A rollback to preview or to begin."""

    scope: RollbackScopeIn
    preview: bool = Field(default=False, description="Only say what would be undone.")
    preview_id: str = Field(
        default="", max_length=200, description="The preview that was seen: begin only if the world still is as in it."
    )
    digest: str = Field(default="", max_length=64, description="That preview's digest.")
    reason: str = Field(default="", max_length=MAX_REASON)


class RollbackDecisionIn(In):
    """A word on a rollback that awaits approval, bound to what was seen."""

    verb: RollbackVerb
    digest: str = Field(min_length=1, max_length=64)
    reason: str = Field(default="", max_length=MAX_REASON, description="Needed to reject.")


class WithdrawRollbackIn(In):
    """Taking a rollback back that has not begun."""

    reason: str = Field(default="", max_length=MAX_REASON)


class RetryIn(In):
    """What is to be tried again; no ordinals mean all that is left."""

    ordinals: list[int] = Field(default_factory=list, max_length=MAX_ORDINALS)


class SettleStepIn(In):
    """A person's word on a step that was left."""

    how: SettledHow
    note: str = Field(min_length=1, max_length=MAX_REASON, description="What was done, or why it may stay.")
    evidence: str = Field(default="", max_length=MAX_EVIDENCE, description="Where it can be seen.")


class RollbackScopeOut(Out):
    """What is rolled back."""

    kind: RollbackScopeKind
    id: str
    since: datetime | None = None
    until: datetime | None = None
    with_later: bool = False
    sentence: str = ""


class StepOut(Out):
    """One effect in a rollback, newest first."""

    ordinal: int
    step: UndoStep
    finished_at: datetime | None
    outcome: StepOutcome | None = None


class CountsOut(Out):
    """How many effects of a rollback have come to what."""

    open: int = 0
    undone: int = 0
    left: int = 0
    settled: int = 0
    skipped: int = 0


class RollbackOut(Out):
    """A rollback."""

    id: str
    scope: RollbackScopeOut
    status: RollbackStatus
    reason: str
    requested_by: Actor
    requested_at: datetime
    finished_at: datetime | None
    message: str = ""
    totals: RollbackTotals = Field(default_factory=RollbackTotals)
    complete: bool = True
    digest: str = ""
    preview_id: str = ""
    expires_at: datetime | None = None
    held_by: Actor | None = None
    held_at: datetime | None = None


class RollbackStarted(Out):
    """A rollback that was asked for, where to look at it, and whether it runs or awaits approval."""

    rollback_id: str
    rollback: str
    state: RollbackStatus
    needs: str = ""


class RollbackInFull(RollbackOut):
    """A rollback or a preview with its first 1,000 effects; the rest is at `/rollbacks/{rollback_id}/steps`."""

    steps: list[StepOut]
    counts: CountsOut = Field(default_factory=CountsOut)
    rules: RollbackRules | None = None
    votes: list[RollbackVote] = Field(default_factory=list)


class PreviewOut(Out):
    """What a rollback would do: its first effects, and what all of them add up to.

    A large one is written while it is looked at: `complete` says whether it is, and only then has it a `digest`.
    """

    rollback_id: str
    scope: RollbackScopeOut
    to_undo: int
    totals: RollbackTotals
    digest: str
    complete: bool
    steps: list[UndoStep]


class RetriedOut(Out):
    """How many effects are tried again."""

    steps: int


class StepSettledOut(Out):
    """What the rollback is now that a step was closed."""

    status: RollbackStatus

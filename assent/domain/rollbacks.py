"""Rollbacks: taking effects back, previewed first, newest first."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.people import MAX_REASON, Actor
from assent.domain.rollback_scopes import RollbackScope
from assent.domain.undo_steps import Undoable, UndoStep

MAX_ORDINALS = 1_000
"""Steps that are named at once to be tried again; none named means all that are left."""


class RollbackTotals(BaseModel):
    """What a plan adds up to.

    Attributes:
        steps: Effects in it.
        by_verdict: How many, by verdict.
        by_agent: How many that are to be dealt with, undone or left, by agent.
        money: Money that will be taken back, by currency; the empty one is money without a known currency. Amounts
            below 0 count like those above, so that none makes room for another.
        reaches: How many its undoing reaches, by unit.
        money_left: Money of what cannot be undone, by currency.
    """

    steps: int = 0
    by_verdict: dict[Undoable, int] = Field(default_factory=dict)
    by_agent: dict[str, int] = Field(default_factory=dict)
    money: dict[str, float] = Field(default_factory=dict)
    reaches: dict[str, float] = Field(default_factory=dict)
    money_left: dict[str, float] = Field(default_factory=dict)

    @property
    def to_undo(self) -> int:
        """How many effects will be undone."""
        return self.by_verdict.get(Undoable.YES, 0)

    @property
    def in_doubt(self) -> int:
        """How many cannot be undone now, and are tried all the same: a conflict may be gone by then."""
        return sum(self.by_verdict.get(each, 0) for each in (Undoable.CONFLICT, Undoable.UNKNOWN))

    @property
    def tried(self) -> int:
        """How many are or may be undone."""
        return self.to_undo + self.in_doubt

    def money_tried(self, currency: str) -> float:
        """Money of a currency that is or may be taken back.

        What is left is not told apart by why: where something of it may be undone yet, all of it counts.
        """
        return self.money.get(currency, 0.0) + (self.money_left.get(currency, 0.0) if self.in_doubt else 0.0)

    @property
    def cannot(self) -> int:
        """How many are left for people."""
        nothing = sum(self.by_verdict.get(each, 0) for each in Undoable if each.needs_nothing)
        return self.steps - self.to_undo - nothing

    def among(self, effects: int) -> RollbackTotals:
        """The same as part of something larger, with so many effects to undo in all."""
        if effects <= self.tried:
            return self
        return self.model_copy(update={"by_verdict": {**self.by_verdict, Undoable.YES: effects - self.in_doubt}})

    def add(self, step: UndoStep) -> None:
        """Count one more step."""
        self.steps += 1
        self.by_verdict[step.verdict] = self.by_verdict.get(step.verdict, 0) + 1
        if not step.verdict.needs_nothing:
            self.by_agent[step.agent] = self.by_agent.get(step.agent, 0) + 1
        if step.verdict is Undoable.YES:
            _add(self.money, step.currency, step.amount)
            for unit, count in step.reaches.items():
                _add(self.reaches, unit, count)
        elif not step.verdict.needs_nothing:
            _add(self.money_left, step.currency, step.amount)


def _add(sums: dict[str, float], name: str, amount: float | None) -> None:
    if amount is not None:
        sums[name] = round(sums.get(name, 0.0) + abs(amount), 6)


class RollbackRequest(BaseModel):
    """Input of the workflows ``Rollback`` and ``PreviewRollback``.

    Attributes:
        rollback_id: Id of the rollback or preview.
        scope: What is taken back.
        by: Who asked.
        reason: Why.
        requested_at: When.
        preview_id: The preview that they saw: with another digest than its own it does not start; empty if none
            binds it.
        round: 0 at first; later ones try again what was left.
        among: Effects of all rollbacks that are asked for together with it, itself included: what the cards let be
            undone without approval counts them all, and money as far as it went. 0 if it is asked for alone.
        of_pause: The pause that asks for all of these; empty if none does.
    """

    rollback_id: str
    scope: RollbackScope
    by: Actor
    reason: str = Field(default="", max_length=MAX_REASON)
    requested_at: datetime
    preview_id: str = ""
    round: int = 0
    among: int = Field(default=0, ge=0)
    of_pause: str = ""


class RollbackPlan(BaseModel):
    """A preview: effects in scope, in the order of undoing.

    Attributes:
        rollback_id: Id of the preview; starting a rollback names it.
        scope: What it is of.
        steps: The first page of it.
        totals: What all of it adds up to, as far as it is written.
        digest: SHA-256 over the scope and every step; empty until it is complete.
        complete: All of it is written; a large one is looked at from its first page on while the rest is written.
    """

    rollback_id: str
    scope: RollbackScope
    steps: list[UndoStep]
    totals: RollbackTotals = Field(default_factory=RollbackTotals)
    digest: str = ""
    complete: bool = True

    @property
    def to_undo(self) -> int:
        """How many effects will be undone, as far as it is written."""
        return self.totals.to_undo


class RollbackStatus(StrEnum):
    """The life of a rollback; a preview never becomes anything else.

    ``checking`` is while its plan is written and compared with the preview; a rollback that is refused, or whose
    world has changed, undoes nothing.
    """

    PREVIEW = "preview"
    CHECKING = "checking"
    AWAITING = "awaiting"
    RUNNING = "running"
    HELD = "held"
    DONE = "done"
    NEEDS_PERSON = "needs_person"
    REFUSED = "refused"

    @property
    def open(self) -> bool:
        """Whether it has not come to an end: another one of the same scope has to wait."""
        return self in (
            RollbackStatus.CHECKING,
            RollbackStatus.AWAITING,
            RollbackStatus.RUNNING,
            RollbackStatus.HELD,
        )


class RollbackBegun(BaseModel):
    """What became of the wish to roll back.

    Attributes:
        id: The rollback's id.
        state: Running (or done already), awaiting approval, or still checking where its plan is large.
        needs: Who must approve, in words, where it waits for them.
    """

    id: str
    state: RollbackStatus
    needs: str = ""


class RollbackResult(BaseModel):
    """How a rollback ended; steps that need a person have a status other than undone."""

    rollback_id: str
    status: RollbackStatus
    undone: int
    left: int

"""What goes in and out of the API about effects that nobody knows about."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from assent.domain.effects import EffectStatus, ResourceChange
from assent.domain.people import Actor
from assent.domain.settling import MAX_CHANGES, MAX_NOTE, MAX_REFERENCE, SettledBy
from assent.domain.undo_kinds import UndoKind
from assent_ui.api.schemas import In, Json, Out


class UnknownEffectOut(Out):
    """An effect that nobody knows about, or that nobody knew about until `settled_at`.

    `action_id` is also the idempotency key that the other system was given. `said` is what the connector said last.
    """

    action_id: str
    run_id: str
    agent: str
    type: str
    sentence: str
    found_at: datetime
    tried_at: datetime
    attempts: int
    said: str
    asked_at: datetime | None
    looks: int
    look_at: datetime | None
    settled_at: datetime | None
    settled_by: Actor | None
    how: SettledBy | None
    happened: bool | None
    note: str
    reference: str


class UndoOut(Out):
    """How an action of this type is taken back, and for how long it can be."""

    kind: UndoKind
    sentence: str
    within_seconds: float | None
    runbook: str
    runbook_link: str


class UnknownEffectInFull(UnknownEffectOut):
    """Everything that somebody needs to find out what became of it.

    `how_to_find_out` is the connector's own advice, filled in. `effect` is null while the action is tried again.
    """

    effect: EffectStatus | None
    arguments: dict[str, Json]
    reason: str
    how_to_find_out: str
    foreseen: list[ResourceChange]
    undo: UndoOut | None
    run_ended: bool
    may_settle: bool


class SettleIn(In):
    """What became of an effect: whether it happened, and how you found out. The agent is told both."""

    happened: bool
    note: str = Field(min_length=1, max_length=MAX_NOTE)
    reference: str = Field(default="", max_length=MAX_REFERENCE, description="What the other system calls it.")
    changes: list[ResourceChange] = Field(
        default_factory=list, max_length=MAX_CHANGES, description="Records it changed, as far as known."
    )


class ReconciledOut(Out):
    """What is known of an effect now, and who said it."""

    action_id: str
    status: EffectStatus | None
    settled: bool
    by: SettledBy | None = None
    said: str = ""

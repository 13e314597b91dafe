"""What goes in and out of the API about proofs that undos work."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from assent.domain.proving import TriedUndo
from assent.domain.undo_kinds import UndoKind
from assent.gateway.undo_proofs import UndoState
from assent_ui.api.schemas import In, Out


class UndoProofOut(Out):
    """The undo of one action type, and when it was last seen to work or not to."""

    type: str
    kind: UndoKind | None = Field(description="How it is taken back; null if it cannot be.")
    within_seconds: float | None = Field(description="How long after the effect; null without limit.")
    worked_at: datetime | None = Field(description="When it was last seen to work; null if never.")
    worked_by: str = Field(description="Who asked for that proof.")
    worked_how: str = Field(description="`trial` on scratch records, or `rollback` for real.")
    failed_at: datetime | None = Field(description="When a proof last failed; null if none did.")
    failed_by: str
    failed_said: str = Field(description="What it said.")
    due_at: datetime | None = Field(description="Until when the card wants the next one.")
    overdue: bool
    wrong: str = Field(description="Why it is flagged, one sentence; empty if it is not.")

    @classmethod
    def of(cls, state: UndoState) -> UndoProofOut:
        """What is known, for HTTP."""
        seen = state.proven
        return cls(
            type=state.type,
            kind=state.kind,
            within_seconds=state.within.total_seconds() if state.within else None,
            worked_at=seen.worked_at,
            worked_by=seen.worked_by,
            worked_how=seen.how,
            failed_at=seen.failed_at,
            failed_by=seen.failed_by,
            failed_said=seen.said,
            due_at=state.due_at,
            overdue=state.overdue,
            wrong=state.fault,
        )


class UndoProofsOut(Out):
    """The undos of an agent's card, by action type; those that only read are left out."""

    items: list[UndoProofOut]


class ProveIn(In):
    """What is to be proven."""

    type: str = Field(default="", max_length=200, description="Only the undo of this action type; all without it.")


class ProvenOut(Out):
    """What came of trying undos on scratch records."""

    complete: bool = Field(description="False if they take longer than an answer may: look at the proofs later.")
    items: list[TriedUndo]

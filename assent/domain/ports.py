"""Typed names of the activities and workflows: workflows and the gateway name them through here."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.actions import ActionStatus, ProposedAction
from assent.domain.approvals import Decision
from assent.domain.people import Actor
from assent.domain.revisions import Edit
from assent.domain.rollbacks import RollbackStatus
from assent.domain.runs import RunHeader, RunStatus


class Queue(StrEnum):
    """Task queues, each prefixed by the setting ``task_queue_prefix`` and a hyphen."""

    RUNS = "runs"
    LONG = "long"
    CONTROL = "control"
    UNDO = "undo"

    def under(self, prefix: str) -> str:
        """The full task queue name."""
        return f"{prefix}-{self.value}"


class WorkflowName(StrEnum):
    """Registered names of the workflows."""

    AGENT_RUN = "AgentRun"
    PAUSE = "Pause"
    ROLLBACK = "Rollback"
    PREVIEW_ROLLBACK = "PreviewRollback"
    SETTLING = "Settling"
    PROVE_UNDOS = "ProveUndos"


class DrillWorkflow(StrEnum):
    """Registered names of the workflows of drills."""

    DRILL = "Drill"
    DUE = "DrillsDue"


class SubmitAction(BaseModel):
    """Admit an action and, if it is automatic and quick, perform it.

    Attributes:
        blocked: Why it cannot run whatever admission says (a step it depends on failed); it is recorded as withdrawn.
    """

    header: RunHeader
    action: ProposedAction
    blocked: str = ""


class FindAction(BaseModel):
    """Look for an action that the database has and the run's history may not."""

    header: RunHeader
    key: str


class ExecuteAction(BaseModel):
    """Perform an action that was cleared, by a decision or by admission of a long one.

    Attributes:
        earlier: Approvals that came before ``decision`` and have not counted yet, oldest first.
        vote_only: Only let the decision count; what it clears is performed by a call of its own. So one of several
            votes on a long action costs no more than one on a quick one.
    """

    header: RunHeader
    action: ProposedAction
    earlier: list[Decision] = Field(default_factory=list)
    decision: Decision | None = None
    vote_only: bool = False

    @property
    def votes(self) -> list[Decision]:
        """Every decision that came with it, oldest first."""
        return [*self.earlier, self.decision] if self.decision is not None else list(self.earlier)


class CloseAction(BaseModel):
    """Record that an action ends without an effect, or that a decision came too late.

    Attributes:
        to: Rejected, expired or withdrawn; ``None`` only records a decision that lost.
    """

    header: RunHeader
    action_id: str
    to: ActionStatus | None
    decision: Decision | None = None
    message: str = ""


class ReviseAction(BaseModel):
    """Change the arguments of an action that awaits people, or record why they stay."""

    header: RunHeader
    edit: Edit


class FinishRun(BaseModel):
    """Record the end of a run and compare its actions with the claims in its name."""

    header: RunHeader
    status: RunStatus
    counts: dict[str, int] = Field(default_factory=dict)
    message: str = ""


class NoteRun(BaseModel):
    """Make sure the run row exists and has this status."""

    header: RunHeader
    status: RunStatus


class UndoBatch(BaseModel):
    """Undo the next effects of a rollback, newest first."""

    rollback_id: str
    by: Actor
    reason: str = ""


class UndoProgress(BaseModel):
    """How far a rollback is.

    Attributes:
        undone: Effects undone so far.
        left: Effects that need a person so far.
        more: There are effects that have not been tried yet.
        held: A person holds it.
    """

    undone: int = 0
    left: int = 0
    more: bool = False
    held: bool = False


class RollbackCount(BaseModel):
    """What a plan found, and what may come of it.

    Attributes:
        rollback_id: Whose plan.
        effects: Effects in it.
        to_undo: How many of them will be undone.
        status: Whether it runs, awaits approval, or undoes nothing.
    """

    rollback_id: str
    effects: int
    to_undo: int
    status: RollbackStatus = RollbackStatus.RUNNING


class FinishRollback(BaseModel):
    """Record how a rollback ended, as far as its workflow knows."""

    rollback_id: str
    status: RollbackStatus


class FinishedRollback(BaseModel):
    """How a rollback ended.

    Attributes:
        status: Its status.
        more: It has not: there are steps to be tried again, or it is held.
    """

    status: RollbackStatus
    more: bool = False


class LookAtRollback(BaseModel):
    """Look whether a rollback that waits for people may go on."""

    rollback_id: str


class StopRun(BaseModel):
    """Ask a run to stop before it is rolled back."""

    rollback_id: str
    run_id: str
    by: Actor
    at: datetime


ACTIVITY_SUBMIT = "submit_action"
"""``SubmitAction -> ActionOutcome``; local activity."""
ACTIVITY_EXECUTE = "execute_action"
"""``ExecuteAction -> ActionOutcome``; local when quick, on the long queue with heartbeats otherwise."""
ACTIVITY_CLOSE = "close_action"
"""``CloseAction -> ActionOutcome``; local activity."""
ACTIVITY_REVISE = "revise_action"
"""``ReviseAction -> WaitingAction``: the action as it stands then; local activity."""
ACTIVITY_FIND = "find_action"
"""``FindAction -> WaitingAction | None``; local activity."""
ACTIVITY_NOTE_RUN = "note_run"
"""``NoteRun -> None``; local activity."""
ACTIVITY_FINISH_RUN = "finish_run"
"""``FinishRun -> None``; local activity."""
ACTIVITY_OBSERVE_PAUSE = "observe_pause"
"""``PauseInput -> PauseProgress``: counts claims in flight in its scope."""
ACTIVITY_RELEASE_PAUSE = "release_pause"
"""``PauseInput -> PauseProgress``: wakes the runs it held."""
ACTIVITY_RAMP_PAUSE = "ramp_pause"
"""``RampLook -> PauseProgress``: lets more runs go if it is time, and wakes them."""
ACTIVITY_COMPENSATE_PAUSE = "compensate_pause"
"""``PauseInput -> PauseProgress``: begins the rollbacks of the runs in scope."""
ACTIVITY_PREVIEW_ROLLBACK = "preview_rollback"
"""``RollbackRequest -> RollbackCount``: writes the preview's steps."""
ACTIVITY_START_ROLLBACK = "start_rollback"
"""``RollbackRequest -> RollbackCount``: writes the steps and starts."""
ACTIVITY_STOP_RUN = "stop_run"
"""``StopRun -> bool``: whether the run has ended."""
ACTIVITY_UNDO = "undo_batch"
"""``UndoBatch -> UndoProgress``; on the undo queue."""
ACTIVITY_FINISH_ROLLBACK = "finish_rollback"
"""``FinishRollback -> FinishedRollback``."""
ACTIVITY_LOOK_AT_ROLLBACK = "look_at_rollback"
"""``LookAtRollback -> RollbackCount``: its status now; a request for approval whose time is over is refused."""
ACTIVITY_DRILL_STEP = "drill_step"
"""``DrillStepRequest -> bool``: whether it was done; on the control queue, with heartbeats."""
ACTIVITY_DRILLS_DUE = "drills_due"
"""``None -> DueDrills``."""
ACTIVITY_RECONCILE_EFFECT = "reconcile_effect"
"""``Reconcile -> Reconciled``: asks the connector what became of an unknown effect."""
ACTIVITY_SETTLE_EFFECT = "settle_effect"
"""``Settlement -> Reconciled``: records a person's answer."""
ACTIVITY_RETRY_EFFECT = "retry_effect"
"""``RetryEffect -> Reconciled``: opens an action again that did not happen."""
ACTIVITY_TELL_RUN = "tell_run_of_effect"
"""``Reconcile -> None``: tells the run what became of it."""
ACTIVITY_PROVE_UNDO = "prove_undo"
"""``ProveUndo -> TriedUndo``: tries an undo on scratch records; on the undo queue."""

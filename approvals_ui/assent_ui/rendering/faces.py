"""Statuses as people see them: always a word, a shape and a tone together."""

from __future__ import annotations

from typing import NamedTuple

from assent.domain.actions import ActionStatus, AdmissionEffect
from assent.domain.approvals import ApprovalStatus
from assent.domain.drills import DrillStatus
from assent.domain.effects import EffectStatus, UndoStatus
from assent.domain.grants import GrantStatus
from assent.domain.incidents import FollowUpState, IncidentState, Severity
from assent.domain.plans import PlanApprovalStatus
from assent.domain.rollbacks import RollbackStatus
from assent.domain.runs import RunStatus
from assent.domain.tiers import Tier
from assent.domain.undo_steps import StepOutcome, Undoable


class Face(NamedTuple):
    """A word, the name of a shape in ``partials/shapes.html``, and a tone of the stylesheet."""

    word: str
    shape: str
    tone: str


ACTION = {
    ActionStatus.PROPOSED: Face("Proposed", "dot", "slate"),
    ActionStatus.REFUSED: Face("Refused", "barred", "red"),
    ActionStatus.SUGGESTED: Face("Suggested", "bulb", "slate"),
    ActionStatus.AWAITING: Face("Waits for a person", "hourglass", "amber"),
    ActionStatus.REJECTED: Face("Rejected", "cross", "red"),
    ActionStatus.EXPIRED: Face("Expired", "clock", "slate"),
    ActionStatus.WITHDRAWN: Face("Withdrawn", "minus", "slate"),
    ActionStatus.HELD: Face("Held by a pause", "pause", "violet"),
    ActionStatus.CLEARED: Face("Cleared", "arrow", "blue"),
    ActionStatus.CLAIMED: Face("Running", "half", "blue"),
    ActionStatus.DONE: Face("Done", "check", "green"),
    ActionStatus.FAILED: Face("Failed", "cross", "red"),
    ActionStatus.UNKNOWN: Face("Unknown", "question", "amber"),
    ActionStatus.UNDONE: Face("Undone", "back", "slate"),
}

RUN = {
    RunStatus.RUNNING: Face("Running", "half", "blue"),
    RunStatus.WAITING: Face("Waiting", "hourglass", "amber"),
    RunStatus.HELD: Face("Held", "pause", "violet"),
    RunStatus.COMPLETED: Face("Completed", "check", "green"),
    RunStatus.FAILED: Face("Failed", "cross", "red"),
    RunStatus.STOPPED: Face("Stopped", "stop", "slate"),
}

APPROVAL = {
    ApprovalStatus.PENDING: Face("Waits for a decision", "hourglass", "amber"),
    ApprovalStatus.APPROVED: Face("Approved", "check", "green"),
    ApprovalStatus.REJECTED: Face("Rejected", "cross", "red"),
    ApprovalStatus.EXPIRED: Face("Expired", "clock", "slate"),
    ApprovalStatus.WITHDRAWN: Face("Withdrawn", "minus", "slate"),
}

TIER = {
    Tier.SUGGEST: Face("Suggest only", "bulb", "slate"),
    Tier.APPROVE: Face("Ask a person", "hourglass", "amber"),
    Tier.VETO: Face("Runs unless stopped", "hourglass", "blue"),
    Tier.AUTO: Face("Automatic", "arrow", "blue"),
}

ADMISSION = {
    AdmissionEffect.REFUSE: Face("Refuses it", "barred", "red"),
    AdmissionEffect.SUGGEST: Face("Makes it a suggestion", "bulb", "slate"),
    AdmissionEffect.APPROVE: Face("Asks a person", "hourglass", "amber"),
    AdmissionEffect.VETO: Face("Lets people object first", "hourglass", "blue"),
    AdmissionEffect.AUTO: Face("Lets it run", "arrow", "blue"),
}

ROLLBACK = {
    RollbackStatus.PREVIEW: Face("Preview", "question", "slate"),
    RollbackStatus.CHECKING: Face("Looking again", "half", "blue"),
    RollbackStatus.AWAITING: Face("Waits for approval", "hourglass", "amber"),
    RollbackStatus.RUNNING: Face("Undoing", "half", "blue"),
    RollbackStatus.HELD: Face("Held", "pause", "violet"),
    RollbackStatus.DONE: Face("Over and done", "check", "green"),
    RollbackStatus.NEEDS_PERSON: Face("Needs a person", "question", "amber"),
    RollbackStatus.REFUSED: Face("Not started", "barred", "red"),
}

OUTCOME = {
    StepOutcome.OPEN: Face("To do", "dot", "slate"),
    StepOutcome.UNDONE: Face("Undone", "back", "green"),
    StepOutcome.LEFT: Face("Left for a person", "question", "amber"),
    StepOutcome.SETTLED: Face("Settled by a person", "person", "blue"),
    StepOutcome.SKIPPED: Face("Nothing to undo", "minus", "slate"),
}

UNDOABLE = {
    Undoable.YES: Face("Will be undone", "back", "blue"),
    Undoable.ALREADY: Face("Already undone", "check", "slate"),
    Undoable.NOTHING: Face("Nothing to undo", "minus", "slate"),
    Undoable.NO: Face("Cannot be undone", "barred", "red"),
    Undoable.TOO_LATE: Face("Too late to undo", "clock", "red"),
    Undoable.CONFLICT: Face("Changed since", "question", "amber"),
    Undoable.UNKNOWN: Face("Unknown", "question", "amber"),
}

UNDO = {
    UndoStatus.CLAIMED: Face("Undoing", "half", "blue"),
    UndoStatus.UNDONE: Face("Undone", "check", "green"),
    UndoStatus.CONFLICT: Face("Changed since", "question", "amber"),
    UndoStatus.IMPOSSIBLE: Face("Cannot be undone", "barred", "red"),
    UndoStatus.FAILED: Face("Undo failed", "cross", "red"),
    UndoStatus.UNKNOWN: Face("Unknown", "question", "amber"),
}

GRANT = {
    GrantStatus.PENDING: Face("Waits for confirmation", "hourglass", "amber"),
    GrantStatus.ACTIVE: Face("In force", "check", "green"),
    GrantStatus.SPENT: Face("Used up", "minus", "slate"),
    GrantStatus.EXPIRED: Face("Ended", "clock", "slate"),
    GrantStatus.REVOKED: Face("Revoked", "barred", "red"),
}

DRILL = {
    DrillStatus.RUNNING: Face("Under way", "half", "blue"),
    DrillStatus.PASSED: Face("Passed", "check", "green"),
    DrillStatus.FAILED: Face("Failed", "cross", "red"),
}

PLAN = {
    PlanApprovalStatus.PENDING: Face("Waits for more people", "hourglass", "amber"),
    PlanApprovalStatus.ACTIVE: Face("In force", "check", "green"),
    PlanApprovalStatus.REVOKED: Face("Revoked", "barred", "red"),
}

EFFECT = {
    EffectStatus.CLAIMED: Face("Under way", "half", "blue"),
    EffectStatus.DONE: Face("Done", "check", "green"),
    EffectStatus.FAILED: Face("Failed", "cross", "red"),
    EffectStatus.UNKNOWN: Face("Unknown", "question", "amber"),
}

INCIDENT = {
    IncidentState.OPEN: Face("Open", "half", "red"),
    IncidentState.STOPPED: Face("Stopped", "pause", "violet"),
    IncidentState.UNDONE: Face("Undone", "back", "green"),
    IncidentState.MENDED: Face("Mended", "check", "green"),
    IncidentState.CLOSED: Face("Closed", "check", "slate"),
}

SEVERITY = {
    Severity.CRITICAL: Face("Critical", "stop", "red"),
    Severity.HIGH: Face("High", "bulb", "red"),
    Severity.MEDIUM: Face("Medium", "dot", "amber"),
    Severity.LOW: Face("Low", "minus", "slate"),
}

FOLLOW_UP = {
    FollowUpState.OPEN: Face("Open", "half", "blue"),
    FollowUpState.DONE: Face("Done", "check", "green"),
    FollowUpState.DROPPED: Face("Dropped", "minus", "slate"),
}


def face_of(status: object) -> Face:
    """The face of any status of the domain."""
    for faces in (
        EFFECT,
        INCIDENT,
        SEVERITY,
        FOLLOW_UP,
        ACTION,
        RUN,
        APPROVAL,
        TIER,
        ADMISSION,
        ROLLBACK,
        OUTCOME,
        UNDOABLE,
        UNDO,
        GRANT,
        PLAN,
        DRILL,
    ):
        for known, face in faces.items():
            if known is status:
                return face
    return Face(str(status), "dot", "slate")

"""Actions: one proposed call of an action type, and the life it leads."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.canonical import Json
from assent.domain.errors import Conflict
from assent.domain.tiers import Speed, Tier


class ActionStatus(StrEnum):
    """Where an action is in its life (see ``docs/concepts.md``)."""

    PROPOSED = "proposed"
    REFUSED = "refused"
    SUGGESTED = "suggested"
    AWAITING = "awaiting"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    HELD = "held"
    CLEARED = "cleared"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    UNDONE = "undone"

    @property
    def settled(self) -> bool:
        """Nothing more happens to it unless a person undoes or explains it."""
        return self in _SETTLED

    @property
    def succeeded(self) -> bool:
        """Later steps of a plan may build on it."""
        return self in {ActionStatus.DONE, ActionStatus.SUGGESTED}


_SETTLED = {
    ActionStatus.REFUSED,
    ActionStatus.SUGGESTED,
    ActionStatus.REJECTED,
    ActionStatus.EXPIRED,
    ActionStatus.WITHDRAWN,
    ActionStatus.DONE,
    ActionStatus.FAILED,
    ActionStatus.UNKNOWN,
    ActionStatus.UNDONE,
}

REPLACEABLE = frozenset(
    {
        ActionStatus.REFUSED,
        ActionStatus.REJECTED,
        ActionStatus.EXPIRED,
        ActionStatus.WITHDRAWN,
        ActionStatus.FAILED,
    }
)
"""What came to nothing, so that something else can be proposed instead."""

_S = ActionStatus
_NEXT: dict[ActionStatus, set[ActionStatus]] = {
    _S.PROPOSED: {_S.REFUSED, _S.SUGGESTED, _S.AWAITING, _S.HELD, _S.CLEARED, _S.CLAIMED, _S.WITHDRAWN, _S.FAILED},
    _S.AWAITING: {_S.REJECTED, _S.EXPIRED, _S.WITHDRAWN, _S.HELD, _S.CLEARED, _S.CLAIMED},
    _S.HELD: {_S.REFUSED, _S.SUGGESTED, _S.AWAITING, _S.CLEARED, _S.CLAIMED, _S.WITHDRAWN, _S.REJECTED, _S.EXPIRED},
    _S.CLEARED: {_S.AWAITING, _S.CLAIMED, _S.HELD, _S.REFUSED, _S.REJECTED, _S.EXPIRED, _S.WITHDRAWN},
    _S.CLAIMED: {_S.DONE, _S.FAILED, _S.UNKNOWN, _S.CLEARED},
    _S.UNKNOWN: {_S.DONE, _S.FAILED, _S.UNDONE},
    _S.FAILED: {_S.HELD},
    _S.DONE: {_S.UNDONE},
}


def advance(now: ActionStatus, to: ActionStatus) -> ActionStatus:
    """Move an action to its next status.

    Raises:
        Conflict: The life of an action has no such step.
    """
    if to == now or to in _NEXT.get(now, set()):
        return to
    raise Conflict(f"An action that is {now} cannot become {to}.", where="action status")


class ProposedAction(BaseModel):
    """What an agent asks for.

    Attributes:
        key: Name of the action within its run, chosen by the agent; also its idempotency key. 1 to 80 characters
            of ``A-Z a-z 0-9 . _ -``.
        type: Name of the action type.
        arguments: Arguments by name; in a plan, ``{"$ref": "key.path.to.value"}`` stands for an earlier result.
        reason: Why, in the agent's own words; shown to approvers as such.
        after: Keys of actions that must have succeeded first; ``None`` in a plan means the one before it in the list.
        instead_of: Key of an earlier action of the run that was refused, rejected or came to nothing otherwise, which
            this one is proposed in place of.
    """

    key: str = Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")
    type: str = Field(min_length=1, max_length=80)
    arguments: dict[str, Json] = Field(default_factory=dict)
    reason: str = Field(default="", max_length=10_000)
    after: list[str] | None = None
    instead_of: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,80}$")


class Reason(BaseModel):
    """One reason of an admission verdict.

    Attributes:
        rule: Stable name of the rule, ``never-do``, ``limit``, ``risk:money``, …
        effect: What the rule demands.
        sentence: The reason in words that a business owner understands.
    """

    rule: str
    effect: AdmissionEffect
    sentence: str


class AdmissionEffect(StrEnum):
    """What a rule of admission demands of an action, strictest first in :data:`STRICTNESS`."""

    REFUSE = "refuse"
    SUGGEST = "suggest"
    APPROVE = "approve"
    VETO = "veto"
    AUTO = "auto"


STRICTNESS = [
    AdmissionEffect.REFUSE,
    AdmissionEffect.SUGGEST,
    AdmissionEffect.APPROVE,
    AdmissionEffect.VETO,
    AdmissionEffect.AUTO,
]
"""Strictest first."""


class Verdict(BaseModel):
    """The admission of one action: the strictest demand of all its reasons, and every reason.

    Attributes:
        effect: What happens to the action.
        tier: The tier it runs at; ``None`` if it was refused.
        reasons: Every reason found, strictest first.
        card_version: Version of the agent card that was applied.
    """

    effect: AdmissionEffect
    tier: Tier | None
    reasons: list[Reason]
    card_version: int


class ActionOutcome(BaseModel):
    """What happened to an action so far; what activities give to workflows and workflows to agents.

    Attributes:
        action_id: Run id and key, joined by a colon.
        key: Name of the action within its run.
        type: Name of the action type.
        status: Where the action is in its life.
        speed: How the effect is run once it is cleared.
        sentence: What it does, in words.
        result: The connector's answer, if it is done.
        reasons: Every reason of its admission.
        message: Why it failed, was refused, rejected or withdrawn, or what it waits for.
        approval_id: The request that people decide, if there is one.
        digest: What a decision must be bound to, if it is awaiting one.
        expires_in: When to look at the request again at the latest, counted from now: at its next reminder, escalation
            or end.
        votes: How many people must approve it, if it is awaiting them.
        held_by: Pauses that hold it.
        edited_by: Name of the person who edited the arguments last; empty if they are the agent's own.
        arguments: The arguments that count instead of the agent's own, declared secrets replaced, if a person edited
            them.
    """

    action_id: str
    key: str
    type: str
    status: ActionStatus
    speed: Speed = Speed.QUICK
    sentence: str = ""
    result: Json = None
    reasons: list[Reason] = Field(default_factory=list)
    message: str = ""
    approval_id: str | None = None
    digest: str | None = None
    expires_in: timedelta | None = None
    votes: int = 1
    held_by: list[str] = Field(default_factory=list)
    edited_by: str = ""
    arguments: dict[str, Json] | None = None
    settled_at: datetime | None = None


Reason.model_rebuild()

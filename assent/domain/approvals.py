"""Approval requests: what a person is shown, what they decide, and the digest that ties the two."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.actions import Reason
from assent.domain.canonical import Json, digest_of
from assent.domain.effects import ResourceChange
from assent.domain.people import Actor


class ApprovalStatus(StrEnum):
    """The life of an approval request."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Verb(StrEnum):
    """What a person decides."""

    APPROVE = "approve"
    REJECT = "reject"


class RequestCard(BaseModel):
    """Everything an approver is shown, the same in every place; places only lay it out.

    All texts are raw: whoever lays them out escapes them and marks hidden characters.

    Attributes:
        headline: The sentence of what will happen.
        agent: Name of the agent.
        agent_title: The agent's purpose, from its card.
        run_id: The run that asks.
        goal: What the agent was asked to do.
        action_type: Name of the action type.
        action_title: Its short name.
        arguments: What the call carries, complete, declared secrets replaced.
        changes: Records it will touch, before and after as far as it can be known.
        preview_note: Why ``changes`` is empty or partial, if it is.
        stopped_because: Every reason it needs a person.
        undo: How it can be taken back, in words.
        agent_words: Why, as the agent says.
        amount: Money moved, as a number in the type's currency, if declared.
        on_silence: What happens when nobody decides.
    """

    headline: str
    agent: str
    agent_title: str = ""
    run_id: str
    goal: str = ""
    action_type: str
    action_title: str
    arguments: dict[str, Json]
    changes: list[ResourceChange] = Field(default_factory=list)
    preview_note: str = ""
    stopped_because: list[Reason] = Field(default_factory=list)
    undo: str
    agent_words: str = ""
    amount: float | None = None
    on_silence: str = ""


def approval_digest(
    *, run_id: str, action_id: str, action_type: str, arguments: dict[str, Json], card_version: int, shown: RequestCard
) -> str:
    """Bind a decision to what was decided on.

    Args:
        run_id: The run.
        action_id: The action.
        action_type: Its type.
        arguments: The raw arguments, secrets included.
        card_version: Version of the agent card that was applied.
        shown: What the approver is shown.

    Returns:
        SHA-256 over the canonical JSON (RFC 8785) of all of it, 64 hexadecimal digits.
    """
    return digest_of(
        {
            "run": run_id,
            "action": action_id,
            "type": action_type,
            "arguments": arguments,
            "card_version": card_version,
            "shown": shown.model_dump(mode="json"),
        }
    )


class Decision(BaseModel):
    """A person's verdict on an approval request; a Signal of the run.

    Attributes:
        id: Unique id of this decision; a repeated one is ignored.
        approval_id: The request it decides.
        action_id: The action behind it.
        digest: Digest of what the person was shown.
        verb: Approve or reject.
        reason: Why; required to reject, given to the agent. At most 4,000 characters.
        by: The person.
        at: When the gateway accepted it.
    """

    id: str
    approval_id: str
    action_id: str
    digest: str
    verb: Verb
    reason: str = Field(default="", max_length=4_000)
    by: Actor
    at: datetime

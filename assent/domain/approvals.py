"""Approval requests: what a person is shown, what they decide, and the digest that ties the two."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from assent.domain.actions import Reason
from assent.domain.canonical import Json, digest_of
from assent.domain.card_facts import Deciders, EarlierDecision, LookedAt, Reached, Received, Target, UndoFacts
from assent.domain.effects import ResourceChange
from assent.domain.people import MAX_REASON, Actor
from assent.domain.revisions import Predecessor, Revised


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
    WITHDRAW = "withdraw"
    """Take one's own approval or rejection back, before the effect is claimed."""


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
        revision: How often the arguments were edited, plus one.
        revised: Who edited them last, why, and what differs from the revision before.
        instead_of: The earlier action that this one is proposed in place of.
        card_version: Version of the agent's card that was applied; 0 if it was not noted.
        currency: Code of the currency of all money here; empty if it is not declared.
        money: Paths of money in the arguments and in the content of ``changes``.
        target: The record it is about.
        reaches: What it reaches, counted.
        undoing: How, on which condition and until when it can be undone; ``None`` if it cannot, or in requests of old.
        received: What the agent was given to start with.
        looked_at: What the agent looked at in this run before.
        earlier: What became of the newest earlier requests for the same kind of action on the same record.
        deciders: Who decides it, in words.
        text: All of this as plain text, as mail and the command line show it; made once and kept with the card.
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
    revision: int = 1
    revised: Revised | None = None
    instead_of: Predecessor | None = None
    card_version: int = 0
    currency: str = ""
    money: list[str] = Field(default_factory=list)
    target: Target | None = None
    reaches: list[Reached] = Field(default_factory=list)
    undoing: UndoFacts | None = None
    received: Received | None = None
    looked_at: LookedAt | None = None
    earlier: list[EarlierDecision] = Field(default_factory=list)
    deciders: Deciders | None = None
    text: str = ""

    def bound(self) -> dict[str, Json]:
        """What a digest covers: every field, those that came after the first release only where they say something.

        So a request keeps its digest when a later release knows more fields.
        """
        said = self.model_dump(mode="json", exclude_defaults=True)
        return {name: value for name, value in self.model_dump(mode="json").items() if name in _FIRST or name in said}


_FIRST = {
    *("headline", "agent", "agent_title", "run_id", "goal", "action_type", "action_title", "arguments", "changes"),
    *("preview_note", "stopped_because", "undo", "agent_words", "amount", "on_silence"),
}
"""Fields of the first release."""


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
            "shown": shown.bound(),
        }
    )


class Decision(BaseModel):
    """A person's verdict on an approval request; a Signal of the run.

    Attributes:
        id: Unique id of this decision; a repeated one is ignored.
        approval_id: The request it decides.
        action_id: The action behind it.
        digest: Digest of what the person was shown.
        verb: Approve, reject, or withdraw one's own vote.
        reason: Why; required to reject, given to the agent. At most 4,000 characters.
        by: The person.
        at: When the gateway accepted it.
    """

    id: str
    approval_id: str
    action_id: str
    digest: str
    verb: Verb
    reason: str = Field(default="", max_length=MAX_REASON)
    by: Actor
    at: datetime

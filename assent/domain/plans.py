"""Plans approved as a whole: every step, which of them ask, and what binds the approval to exactly these."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from assent.domain.actions import AdmissionEffect, Reason
from assent.domain.canonical import Json, digest_of
from assent.domain.voting import Electorate


class PlanApprovalStatus(StrEnum):
    """Where the approval of a plan is in its life."""

    PENDING = "pending"
    """More people must approve it; it covers nothing yet."""
    ACTIVE = "active"
    REVOKED = "revoked"


class PlanStep(BaseModel):
    """One step of a plan, weighed before it starts.

    Attributes:
        key: The action's name within its run.
        type: The action type.
        arguments: Raw arguments, references to earlier results included, declared secrets included.
        sentence: What it does, in words; what is not known yet is an ellipsis.
        effect: What admission demands of it as far as that can be known; ``approve`` means that it asks.
        reasons: Every reason found.
        open: It refers to earlier results, so stop rules, limits and raises can only be weighed when it starts.
        electorate: Who decides it; ``None`` if it does not ask.
        because: What may raise its needs, one sentence each; all that the card has if it is open.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    type: str
    arguments: dict[str, Json] = Field(default_factory=dict)
    sentence: str = ""
    effect: AdmissionEffect
    reasons: list[Reason] = Field(default_factory=list)
    open: bool = False
    electorate: Electorate | None = None
    because: list[str] = Field(default_factory=list)

    @property
    def asks(self) -> bool:
        """Whether people are asked before it runs."""
        return self.effect is AdmissionEffect.APPROVE


class WeighedPlan(BaseModel):
    """A run's plan, weighed as a whole.

    Attributes:
        run_id: The run.
        card_version: Version of the card it was weighed by.
        steps: Every step, in the order of the plan.
        electorate: Who approves it as a whole: everything that any of its steps asks for.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    card_version: int
    steps: list[PlanStep]
    electorate: Electorate

    @property
    def asking(self) -> list[PlanStep]:
        """The steps that ask."""
        return [step for step in self.steps if step.asks]

    @property
    def digest(self) -> str:
        """What an approval of the whole plan is bound to.

        Raises:
            InvalidInput: An argument cannot be written as canonical JSON.
        """
        return digest_of(self.model_dump(mode="json"))

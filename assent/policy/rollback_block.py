"""The ``rollback`` block of a card: who may undo what the agent did, and from what size on others must approve."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, field_validator, model_validator

from assent.domain.people import Assurance
from assent.domain.tiers import Tier
from assent.domain.voting import MAX_APPROVALS, REQUESTER
from assent.policy.approval_block import ON_CALL, Approver, Barred, NeedRule, Strict
from assent.policy.durations import Duration

MOST_AT_ONCE = 100
"""Effects that are undone without approval where a card says nothing: a mass undo is itself a risky action."""

WINDOW = timedelta(hours=1)
"""How far back the limits look where a card says nothing."""


class RollbackBlock(Strict):
    """What a card says of undoing.

    Attributes:
        tier: ``auto`` undoes at once within the limits; ``approve`` always asks; nothing else makes sense.
        by: Who may undo.
        need: Who must approve where it asks; one approver if nothing is said.
        never_by: Who must not approve; whoever asked for the rollback if nothing is said.
        assurance: How sure it must be who approves.
        effects: Effects undone without approval at most, 0 to 1,000,000.
        money: Money taken back without approval at most, by currency; one that is not named has no limit. The
            currency ``any`` is money of which no currency is declared.
        window: How far back these limits look: what was undone without approval since then counts as well, whoever
            undid it. 0 seconds to 7 days; with 0 each rollback is held against them by itself.
        expires: How long people have to approve it. One minute to 30 days.
    """

    tier: str = "auto"
    by: list[Approver] = Field(default_factory=lambda: ["role:operator"], min_length=1)
    need: list[NeedRule] = Field(default_factory=list)
    never_by: list[Barred] = Field(default_factory=lambda: [REQUESTER])
    assurance: Assurance = Assurance.SLACK
    effects: int = Field(default=MOST_AT_ONCE, ge=0, le=1_000_000)
    money: dict[str, float] = Field(default_factory=dict)
    window: Duration = Field(default=WINDOW, ge=timedelta(0), le=timedelta(days=7))
    expires: Duration = Field(default=timedelta(hours=24), ge=timedelta(minutes=1), le=timedelta(days=30))

    @field_validator("tier")
    @classmethod
    def _a_tier_of_undoing(cls, value: str) -> str:
        if value not in (Tier.AUTO.word, Tier.APPROVE.word):
            raise ValueError("an undo is auto or approve")
        return value

    @field_validator("money")
    @classmethod
    def _no_debts(cls, value: dict[str, float]) -> dict[str, float]:
        for currency, most in value.items():
            if most < 0:
                raise ValueError(f"{currency}: a limit is not below 0")
        return value

    @model_validator(mode="after")
    def _can_be_approved(self) -> Self:
        if sum(need.count for need in self.need) > MAX_APPROVALS:
            raise ValueError(f"the most people who can be needed are {MAX_APPROVALS}")
        if torn := {need.of for need in self.need} & set(self.never_by):
            raise ValueError(f"{', '.join(sorted(torn))} must approve and must never approve")
        if ON_CALL in self.by:
            raise ValueError("on-call cannot undo as such; name a group, a role or an address")
        return self

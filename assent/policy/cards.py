"""Agent cards: the one page that says who owns an agent and what it may do."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

import yaml
from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError, model_validator

from assent.domain.actions import AdmissionEffect
from assent.domain.errors import BrokenCard
from assent.domain.tiers import Tier
from assent.domain.voting import MAX_APPROVALS
from assent.policy.approval_block import ON_CALL, ApprovalBlock, Condition, OnSilence, Strict, WrittenBlock
from assent.policy.breakers_block import MOST_BREAKERS, BreakerBlock, Fallback, card_faults
from assent.policy.checks_block import ChecksBlock
from assent.policy.drills_block import DrillsBlock
from assent.policy.durations import Duration
from assent.policy.rollback_block import RollbackBlock
from assent.policy.stopping_block import StoppingBlock
from assent.policy.undo_proof_block import UndoProofBlock

MAX_SOURCE = 256 * 1024
"""Bytes of a card file."""


def _tier(value: Any) -> Any:
    if isinstance(value, str):
        if value.upper() not in Tier.__members__:
            raise ValueError("a tier is suggest, approve, veto or auto")
        return Tier[value.upper()]
    return value


Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
TierWord = Annotated[Tier, BeforeValidator(_tier), PlainSerializer(lambda tier: tier.word, return_type=str)]

__all__ = ["MAX_SOURCE", "ActionRule", "AgentCard", "ApprovalBlock", "Contact", "Limit", "OnSilence", "Over", "Per"]


class Contact(Strict):
    """A person or team and how to reach them."""

    name: str = Field(min_length=1)
    email: Email
    slack: str = ""


class Per(StrEnum):
    """What a limit counts over."""

    ACTION = "action"
    RUN = "run"
    HOUR = "hour"


class Over(StrEnum):
    """What happens over a limit."""

    APPROVE = "approve"
    REFUSE = "refuse"


class Limit(Strict):
    """How much may run automatically.

    Attributes:
        argument: Name of a numeric argument to add up; empty counts actions.
        per: One action, one run, or the agent's last sixty minutes.
        max: The most that is allowed, itself included.
        over: Ask a person, or refuse.
    """

    argument: str = ""
    per: Per
    max: float = Field(ge=0)
    over: Over = Over.APPROVE

    @property
    def measure(self) -> str:
        """What is counted: an argument's name, or ``actions``."""
        return self.argument or "actions"


class StopRule(Strict):
    """A condition that makes an action less free."""

    when: Condition
    then: AdmissionEffect = AdmissionEffect.APPROVE
    because: str = Field(min_length=1)


class ActionRule(Strict):
    """What the card says of one action type.

    Attributes:
        tier: How freely it may run.
        limits: Limits for running automatically.
        stop: Conditions that make it less free.
        expires: How long people have to decide. One minute to 30 days.
        veto: How long anybody may object before it runs, where the tier is ``veto``. One minute to 30 days.
        approval: Who decides, and how; what it does not say, the card's own block says.
        on_silence: The older place of ``approval.on_silence``.
    """

    tier: TierWord
    limits: list[Limit] = Field(default_factory=list)
    stop: list[StopRule] = Field(default_factory=list)
    expires: Duration = Field(default=timedelta(hours=24), ge=timedelta(minutes=1), le=timedelta(days=30))
    veto: Duration | None = Field(default=None, ge=timedelta(minutes=1), le=timedelta(days=30))
    approval: WrittenBlock = None
    on_silence: OnSilence | None = None

    @property
    def asks_for_veto(self) -> bool:
        """Whether it may come to a veto window."""
        return self.tier is Tier.VETO or any(stop.then is AdmissionEffect.VETO for stop in self.stop)


class NeverRule(Strict):
    """Something the agent must never do."""

    action: str = Field(min_length=1)
    when: Condition = "true"
    because: str = Field(min_length=1)


class AgentCard(Strict):
    """The operating model of an agent on one page; immutable once published.

    Attributes:
        name: Name of the agent, lower-case words joined by hyphens.
        title: Name for people.
        purpose: What it is for.
        business_owner: Who answers for what it does.
        technical_owner: Who answers for how it works.
        model_steward: Who answers for the model behind it.
        escalation: Whom to wake.
        actions: Rule by action type; what is not listed is refused.
        never: What it must never do.
        approval: Who decides, and how, unless an action type's own block says otherwise.
        on_call: Addresses of the people on call, in the order in which they are asked.
        checks: Requests made up to see whether those that should be refused are; none if left out.
        stopping: Who may stop it and let it go on, and how.
        breakers: When it is paused by itself.
        fallback: What it is told instead of a try while a breaker holds an action type or a connector, by its name.
        drills: How often its stop and undo are rehearsed; only by people if left out.
        rollback: Who may undo what it did, and from what size on others must approve.
        undo_proof: How often its undos must be seen to work; nobody is told if left out.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)
    title: str = ""
    purpose: str = Field(min_length=1)
    business_owner: Contact
    technical_owner: Contact
    model_steward: Contact
    escalation: Contact
    actions: dict[str, ActionRule] = Field(min_length=1)
    never: list[NeverRule] = Field(default_factory=list)
    approval: WrittenBlock = None
    on_call: list[Email] = Field(default_factory=list, max_length=20)
    checks: ChecksBlock | None = None
    stopping: StoppingBlock | None = None
    breakers: list[BreakerBlock] = Field(default_factory=list, max_length=MOST_BREAKERS)
    fallback: dict[str, Fallback] = Field(default_factory=dict)
    drills: DrillsBlock | None = None
    rollback: RollbackBlock | None = None
    undo_proof: UndoProofBlock | None = None

    @property
    def undoing(self) -> RollbackBlock:
        """Who may undo what it did, and what must be approved: its block, else the defaults."""
        return self.rollback or RollbackBlock()

    def approving(self, action_type: str) -> ApprovalBlock:
        """How requests of an action type are decided: its own block, then the card's, then the defaults."""
        rule = self.actions[action_type]
        block = (rule.approval or ApprovalBlock()).over(self.approval)
        if rule.on_silence is not None and not (rule.approval and "on_silence" in rule.approval.model_fields_set):
            return block.model_copy(update={"on_silence": rule.on_silence})
        return block

    @model_validator(mode="after")
    def _approvals_make_sense(self) -> Self:
        for name, rule in self.actions.items():
            if rule.asks_for_veto and rule.veto is None:
                raise ValueError(f"{name}: the tier veto needs `veto: 10m`, how long people may object")
            if rule.veto is not None and not rule.asks_for_veto:
                raise ValueError(f"{name}: `veto` belongs to the tier veto, or to a stop rule with `then: veto`")
            block = self.approving(name)
            needs = sum(need.count for need in [*block.need, *(need for rule in block.raises for need in rule.need)])
            if needs > MAX_APPROVALS:
                raise ValueError(f"{name}: {needs} people would have to approve; the most is {MAX_APPROVALS}")
            if torn := {need.of for need in block.need} & set(block.never_by):
                raise ValueError(f"{name}: {', '.join(sorted(torn))} must approve and must never approve")
            if ON_CALL in block.asked and not self.on_call:
                raise ValueError(f"{name}: `{ON_CALL}` is asked, but the card has no `on_call` list")
        return self

    @model_validator(mode="after")
    def _checks_make_sense(self) -> Self:
        for each in self.checks.of if self.checks else ():
            if each.action not in self.actions:
                raise ValueError(f"checks: {each.action} is not among the card's actions")
        return self

    @model_validator(mode="after")
    def _breakers_make_sense(self) -> Self:
        for fault in card_faults(self.breakers, self.fallback, self.actions):
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _limits_make_sense(self) -> Self:
        for name, rule in self.actions.items():
            for limit in rule.limits:
                if limit.per is Per.ACTION and not limit.argument:
                    raise ValueError(f"{name}: a limit per action needs the argument it is on")
        return self


def read_card(source: str, *, where: str = "card") -> AgentCard:
    """Read a card from YAML.

    Args:
        source: The file's text, at most :data:`MAX_SOURCE` bytes.
        where: Name of the file, for errors.

    Raises:
        BrokenCard: With every fault, by field.
    """
    if len(source.encode()) > MAX_SOURCE:
        raise BrokenCard(f"A card has at most {MAX_SOURCE // 1024} KiB.", where=where)
    try:
        content = yaml.safe_load(source)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise BrokenCard(
            f"This is not valid YAML: {getattr(error, 'problem', None) or error}.",
            where=f"{where}{line}",
            todo="Correct the file and publish it again; the version in force was not touched.",
        ) from error
    if not isinstance(content, dict):
        raise BrokenCard("A card is a mapping that starts with `name:`.", where=where)
    try:
        return AgentCard.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'card'}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise BrokenCard(
            f"The card has faults: {faults}.",
            where=where,
            todo="Correct them and publish it again; the version in force was not touched.",
        ) from error
